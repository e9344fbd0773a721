import time

from measure import measured

with measured(time.process_time):
    from smartensemble import Client  # noqa: F401
