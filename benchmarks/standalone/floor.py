"""A bare interpreter with the same flags, and beside the wrapper a bare server."""

import sys

from started import FLOORS, cpu

from measure import report

report(cpu(FLOORS[sys.argv[1]]))
