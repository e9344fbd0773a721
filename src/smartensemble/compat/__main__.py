"""``python -m smartensemble.compat driver.py`` runs a driver that was written for SmartSim as it is."""

import sys

from smartensemble.compat.drivers import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
