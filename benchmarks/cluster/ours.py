"""From exp.start(db) to its return, when a cluster serves all keys. Two seconds of it each server waits by itself."""

import logging
import sys

from measure import measured
from smartensemble import Experiment

logging.disable()
exp = Experiment("study")
db = exp.create_database(db_nodes=int(sys.argv[1]))
with measured():
    exp.start(db)
exp.stop(db)
