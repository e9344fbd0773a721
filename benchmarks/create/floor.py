"""A list of names and dictionaries."""

import sys
from itertools import product
from time import process_time

from measure import measured

side = round(int(sys.argv[1]) ** 0.5)
params = {"a": list(range(side)), "b": list(range(int(sys.argv[1]) // side))}
with measured(process_time):
    members = [(f"e_{number}", dict(zip(params, point, strict=True))) for number, point in enumerate(product(*params.values()))]
