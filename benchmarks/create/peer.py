import sys
from time import process_time

from smartsim.entity import Ensemble
from smartsim.settings import RunSettings

from measure import measured

settings = RunSettings("true")
side = round(int(sys.argv[1]) ** 0.5)
params = {"a": list(range(side)), "b": list(range(int(sys.argv[1]) // side))}
with measured(process_time):
    ensemble = Ensemble("e", params, run_settings=settings)
