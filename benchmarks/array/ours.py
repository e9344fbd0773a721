"""128 members as an array, from submit to known end."""

from measure import measured
from smartensemble import Experiment

exp = Experiment("study", launcher="slurm")
ensemble = exp.create_ensemble("e", None, exp.create_batch_settings(array=True), exp.create_run_settings("/bin/true"), 128)
exp.generate(ensemble)
with measured():
    exp.start(ensemble, progress=False)
assert {str(member.status) for member in ensemble} == {"Completed"}
