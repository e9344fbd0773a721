import sys
from time import process_time

from smartsim.entity import Ensemble
from smartsim.settings import RunSettings

from measure import measured

settings = RunSettings("true")
params = {name: list(range(round(int(sys.argv[1]) ** 0.25) or 1)) for name in "abcd"}
with measured(process_time):
    ensemble = Ensemble("e", params, run_settings=settings, perm_strat="random", n_models=100)
