from smartsim import Experiment

from measure import measured

exp = Experiment("study")
ensemble = exp.create_ensemble("e", replicas=500, run_settings=exp.create_run_settings("/bin/true"))
with measured():
    exp.start(ensemble, block=True)
assert {status.value for status in exp.get_status(ensemble)} == {"Completed"}
