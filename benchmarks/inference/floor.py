import sys
from collections.abc import Callable

import numpy as np
import redis
import torch
from served import IMAGE, X, convnet, crowd, middle, mlp, served

from measure import report
from worlds.small_models import load

torch.set_num_threads(1)
LARGE = np.random.default_rng(1).random(4 << 20, dtype="float32")


def gets() -> Callable[[], object]:
    """What each client of a crowd does."""
    mine = redis.Redis(unix_socket_path="s")
    return lambda: mine.get("raw")


what = sys.argv[1]
with served(workers=0) as client:
    client.set("raw", bytes(1024))
    if what == "plain":
        report(middle(lambda: (client.set("raw", bytes(1024)), client.get("raw")), 5000))
    elif what == "crowd":
        report(crowd(gets))
    elif what == "slice":
        report(middle(lambda: torch.from_numpy(LARGE.copy())[:10].numpy().copy(), 100))
    elif what == "double":
        report(middle(lambda: (torch.from_numpy(LARGE.copy()) * 2).numpy().copy(), 100))
    elif what == "convnet":
        network = load("TORCH", convnet())
        report(middle(lambda: network.run([IMAGE]), 100))
    elif what == "around":
        model = load("TORCH", mlp("TORCH"))
        report(middle(lambda: (client.set("raw", bytes(1024)), model.run([X]), client.get("raw"))))
    else:
        report(middle(lambda: client.get("raw")))
