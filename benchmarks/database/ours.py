"""From exp.start(db) to its return, when the database answers; "up": the supervisor runs already."""

import sys

from measure import measured
from smartensemble import Experiment

exp = Experiment("study")
db = exp.create_database()
if sys.argv[1] == "up":
    exp.start(exp.create_model("warm", exp.create_run_settings("/bin/true")), progress=False)
with measured():
    exp.start(db)
exp.stop(db)
