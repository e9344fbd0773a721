import sys
from time import process_time

from measure import measured
from smartensemble import Ensemble, RunSettings

settings = RunSettings("true")
side = round(int(sys.argv[1]) ** 0.5)
params = {"a": list(range(side)), "b": list(range(int(sys.argv[1]) // side))}
with measured(process_time):
    ensemble = Ensemble("e", params, run_settings=settings)
