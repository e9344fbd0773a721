import time

from measure import measured

with measured(time.process_time):
    import numpy  # noqa: F401
