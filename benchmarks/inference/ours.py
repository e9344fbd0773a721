import sys
from collections.abc import Callable

import numpy as np
from served import IMAGE, SCRIPT, X, convnet, crowd, middle, mlp, served, smartredis

from measure import report

LARGE = np.random.default_rng(1).random(4 << 20, dtype="float32")


def small(backend: str) -> float:
    """The perceptron."""
    members = smartredis()
    members.put_tensor("x", X)
    members.set_model("m", mlp(backend), backend)
    return middle(lambda: members.run_model("m", ["x"], ["y"]))


def around() -> float:
    """The perceptron, and its tensors."""
    members = smartredis()
    members.set_model("m", mlp("TORCH"), "TORCH")

    def all_three() -> None:
        members.put_tensor("x", X)
        members.run_model("m", ["x"], ["y"])
        members.get_tensor("y")

    return middle(all_three)


def large(function: str) -> float:
    """A function of a script, on 16 MiB."""
    members = smartredis()
    members.put_tensor("x", LARGE)
    members.set_script("s", SCRIPT)
    return middle(lambda: members.run_script("s", function, ["x"], ["y"]), 100)


def images() -> float:
    """The convolutional network."""
    members = smartredis()
    members.put_tensor("x", IMAGE)
    members.set_model("m", convnet(), "TORCH")
    return middle(lambda: members.run_model("m", ["x"], ["y"]), 100)


def runs() -> Callable[[], object]:
    """What each client of a crowd does."""
    members = smartredis()
    return lambda: members.run_model("m", ["x"], ["y"])


what, *more = sys.argv[1:]
with served(int(more[1]) if what == "crowd" else 1) as client:
    if what == "plain":
        report(middle(lambda: (client.set("raw", bytes(1024)), client.get("raw")), 5000))
    elif what == "crowd":  # SmartRedis' client has threads, which do not go along with a fork
        client.execute_command("AI.TENSORSET", "x", "FLOAT", *X.shape, "BLOB", X.tobytes())
        client.execute_command("AI.MODELSTORE", "m", "TORCH", "CPU", "BATCHSIZE", more[0], "BLOB", mlp("TORCH"))
        report(crowd(runs))
    elif what in ("slice", "double"):
        report(large(what))
    elif what == "convnet":
        report(images())
    else:
        report(around() if what == "around" else small(what))
