"""``python -m smartensemble`` is the command ``smartensemble``."""

import sys

from smartensemble.cli import main

if __name__ == "__main__":
    sys.exit(main())
