#!/bin/sh
# Install Debian packages where we may, and say what to type where we may not: apt.sh PACKAGE...
set -eu

if ! command -v apt-get >/dev/null; then
    echo "setup: this machine lacks $* (Debian's names) and has no apt-get; install them with its own tool" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "setup: this machine lacks $*; run: sudo apt-get install --no-install-recommends $*" >&2
    exit 1
fi

echo "setup: installing $*"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@" >/dev/null
