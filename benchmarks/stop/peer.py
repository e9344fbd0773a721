import sys

from family import COUNT, wait_until_born
from smartsim import Experiment

from measure import measured

exp = Experiment("study")
settings = exp.create_run_settings("/bin/sh", None)
settings.exe_args = ["-c", sys.argv[1]]
ensemble = exp.create_ensemble("e", replicas=COUNT, run_settings=settings)
exp.start(ensemble, block=False)
left = wait_until_born()
with measured():
    exp.stop(ensemble)
