#!/bin/sh
# Run a command on the screen that is there, or else on a virtual one: display.sh COMMAND...
set -eu
# Variables name a screen of X11 or Wayland; macOS has one without them, and no Xvfb.
if [ "$(uname)" != Linux ]; then exec "$@"; fi
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then exec "$@"; fi

# Nobody sees this screen, so nobody's napari settings shall change its picture, or be changed by it.
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
NAPARI_CONFIG="$settings/settings.yaml" xvfb-run -a -s "-screen 0 1920x1200x24" "$@"
