"""SmartSim's batch ensemble: one job, with an srun in the background for each member. It needs a Slurm with accounting."""

from smartsim import Experiment
from smartsim.settings import SbatchSettings

from measure import measured

exp = Experiment("study", launcher="slurm")
settings = exp.create_run_settings("/bin/true", run_command="srun")
settings.set_tasks(1)
batch = SbatchSettings(nodes=4, time="00:10:00", batch_args={"ntasks-per-node": "8"})
ensemble = exp.create_ensemble("e", batch_settings=batch, run_settings=settings, replicas=128)
exp.generate(ensemble)
with measured():
    exp.start(ensemble, summary=False)
assert str(exp.get_status(ensemble)[0]).endswith("COMPLETED")
