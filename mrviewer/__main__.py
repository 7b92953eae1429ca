"""``python -m mrviewer``."""

import sys

from mrviewer.cli import main

if __name__ == "__main__":
    sys.exit(main())
