#!/bin/sh
# Install the validator of DICOM files where that needs nobody's leave; the tests that use it are skipped without it.
set -eu
if command -v dciodvfy >/dev/null || ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then exit 0; fi
"$(dirname "$0")/apt.sh" dicom3tools || echo "setup: there is no dicom3tools; tests that validate DICOM are skipped" >&2
