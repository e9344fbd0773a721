"""``python -m tutorkit`` is the command ``tutorkit``."""

import sys

from tutorkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
