import sys
from time import process_time

from measure import measured
from smartensemble import Ensemble, RunSettings

settings = RunSettings("true")
params = {name: list(range(round(int(sys.argv[1]) ** 0.25) or 1)) for name in "abcd"}
Ensemble("e", {"a": [1, 2]}, run_settings=settings, perm_strategy="random", replicas=1, seed=1)
with measured(process_time):
    ensemble = Ensemble("e", params, run_settings=settings, perm_strategy="random", replicas=100, seed=1)
