import sys

from family import COUNT, wait_until_born

from measure import measured
from smartensemble import Experiment

exp = Experiment("study")
settings = exp.create_run_settings("/bin/sh", ["-c", sys.argv[1]])
ensemble = exp.create_ensemble("e", replicas=COUNT, run_settings=settings)
exp.start(ensemble, block=False)
left = wait_until_born()
with measured():
    exp.stop(ensemble, grace=1)
assert not left()
