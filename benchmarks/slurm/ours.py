"""128 members in one job, from submit to known end."""

from measure import measured
from smartensemble import Experiment

exp = Experiment("study", launcher="slurm")
batch = exp.create_batch_settings(nodes=4, overcommit=True)
ensemble = exp.create_ensemble("e", None, batch, exp.create_run_settings("/bin/true"), 128)
exp.generate(ensemble)
with measured():
    exp.start(ensemble, progress=False)
assert {str(member.status) for member in ensemble} == {"Completed"}
