from inputs import COPIED, COUNT, LINKED, TAGGED
from smartsim import Experiment

from measure import measured

exp = Experiment("study")
ensemble = exp.create_ensemble("e", {"T": list(range(COUNT))}, run_settings=exp.create_run_settings("true"))
ensemble.attach_generator_files(to_copy=[COPIED], to_symlink=[LINKED], to_configure=[TAGGED])
with measured():
    exp.generate(ensemble)
