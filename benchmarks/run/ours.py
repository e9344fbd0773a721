from measure import measured
from smartensemble import Experiment

exp = Experiment("study")
ensemble = exp.create_ensemble("e", replicas=500, run_settings=exp.create_run_settings("/bin/true"))
with measured():
    exp.start(ensemble, progress=False)
assert {str(member.status) for member in ensemble} == {"Completed"}
