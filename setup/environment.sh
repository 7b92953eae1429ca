#!/bin/sh
# Make .venv and install the project into it, editable, with one of its extras: environment.sh gui|dev
set -eu
cd "$(dirname "$0")/.."
extra=$1

find_python() {
    # 3.11 first: constraints.txt was tried on it.
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "setup: no Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3" >&2
    return 1
}

# A folder that was moved, or whose Python was removed, is made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    # Debian keeps what `venv` needs in a package of its own.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        setup/apt.sh "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    echo "setup: making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

# Whoever runs the viewer may want to fine-tune in it.
extras=$extra
if [ "$extra" = gui ]; then extras=gui,train; fi
echo "setup: installing mrviewer[$extras] into .venv; the first time this takes some minutes"
.venv/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[$extras]"

# `dev` holds `gui`, so one install serves both.
touch .venv/installed-gui
if [ "$extra" = dev ]; then touch .venv/installed-dev; fi
