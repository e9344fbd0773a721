"""A wave in a dish: in each step all cells react, and then they diffuse."""

import argparse
import time

import numpy as np
from smartredis import Client

CELLS, WIDTH = 64, 0.5  # along each side of the dish, and of each cell
STEPS, STEP, SUBSTEPS = 200, 0.04, 80
EPSILON, DELTA, Q, F = 4e-2, 4e-4, 8e-4, 1.4  # the Oregonator, by Tyson
DIFFUSION = np.array([1.0, 0.6, 1.12])[:, None, None]


def rates(dish):
    """How fast the three concentrations change by reacting."""
    u, v, w = dish
    fast = (Q * w - u * w + u * (1 - u)) / EPSILON
    faster = (F * v - u * w - Q * w) / DELTA
    return np.stack([fast, u - v, faster])


def integrated(dish):
    """The dish a step later: the fastest reaction asks for many small ones."""
    h = STEP / SUBSTEPS
    for _ in range(SUBSTEPS):
        a = rates(dish)
        b = rates(dish + h / 2 * a)
        c = rates(dish + h / 2 * b)
        d = rates(dish + h * c)
        dish = dish + h / 6 * (a + 2 * b + 2 * c + d)
    return dish


def predicted(dish):
    """The dish a step later, by the model: one row for each cell."""
    cells = np.ascontiguousarray(dish.reshape(3, -1).T, dtype="float32")
    client.put_tensor("before", cells)
    client.run_model("chemistry", inputs=["before"], outputs=["after"])
    return client.get_tensor("after").T.reshape(dish.shape).astype(float)


def diffused(dish):
    """The dish after a step of diffusion; nothing leaves it."""
    wide = np.pad(dish, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = wide[:, 2:, 1:-1] + wide[:, :-2, 1:-1]
    around += wide[:, 1:-1, 2:] + wide[:, 1:-1, :-2]
    return dish + STEP * DIFFUSION * (around - 4 * dish) / WIDTH**2


def broken_wave(x, y):
    """A wave with an open end at this place, around which it will curl."""
    rows, columns = np.mgrid[:CELLS, :CELLS]
    angle = np.arctan2(rows - y * CELLS, columns - x * CELLS) % (2 * np.pi)
    rest = Q * (F + 1) / (F - 1)
    u, v = np.where(angle < 0.5, 0.8, rest), rest + angle / (8 * np.pi * F)
    return np.stack([u, v, F * v / (Q + u)])


parser = argparse.ArgumentParser()
parser.add_argument("-X", type=float)
parser.add_argument("-Y", type=float)
parser.add_argument("--chemistry", default="integrated")
asked = parser.parse_args()

client = Client()
dish = broken_wave(asked.X, asked.Y)
react = {"integrated": integrated, "predicted": predicted}[asked.chemistry]
sample = np.random.default_rng(0)
seconds = []
for step in range(STEPS):
    began = time.perf_counter()
    after = react(dish)
    seconds.append(time.perf_counter() - began)
    if step % 4 == 0:  # some of the cells, and what became of them
        cells = sample.choice(CELLS**2, 512, replace=False)
        pairs = [each.reshape(3, -1).T[cells] for each in (dish, after)]
        client.put_tensor(f"cells.{step}", np.stack(pairs))
        client.put_tensor(f"dish.{step}", dish)
    dish = diffused(after)
client.put_tensor("seconds", np.array(seconds))
