"""Numbers drawn from a range, decoded into values."""

import random
import sys
from time import process_time

from measure import measured

side = round(int(sys.argv[1]) ** 0.25) or 1
params = {name: list(range(side)) for name in "abcd"}
random.seed(1)
with measured(process_time):
    members = []
    for number in random.sample(range(side**4), 100):
        point = {}
        for name, values in params.items():
            number, index = divmod(number, side)
            point[name] = values[index]
        members.append((f"e_{len(members)}", point))
