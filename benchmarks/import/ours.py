from time import process_time

from measure import measured

with measured(process_time):
    from smartensemble import Experiment  # noqa: F401
