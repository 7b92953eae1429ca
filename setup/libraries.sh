#!/bin/sh
# Make sure of the system libraries that Qt and napari draw with, and of a virtual screen where there is no real one.
set -eu
[ "$(uname)" = Linux ] || exit 0

# What the programs load, and the Debian package that brings it. Looked up by file: package names differ by release.
libraries='
libEGL.so.1             libegl1
libOpenGL.so.0          libopengl0
libxkbcommon-x11.so.0   libxkbcommon-x11-0
libdbus-1.so.3          libdbus-1-3
libxcb-cursor.so.0      libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4
libxcb-keysyms.so.1     libxcb-keysyms1
libxcb-shape.so.0       libxcb-shape0
libfontconfig.so.1      libfontconfig1
libglib-2.0.so.0        libglib2.0-0
'
# xvfb-run needs xauth, which xvfb only recommends.
programs='
xvfb-run xvfb
xauth    xauth
'

known=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p)
missing=$(echo "$libraries" | while read -r file package; do
    case $known in *"$file"*) ;; *) echo "$package" ;; esac
done)
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    missing="$missing $(echo "$programs" | while read -r program package; do
        [ -z "$program" ] || command -v "$program" >/dev/null || echo "$package"
    done)"
fi

# Unquoted: a list of words.
# shellcheck disable=SC2086
set -- $missing
[ $# -eq 0 ] || "$(dirname "$0")/apt.sh" "$@"
