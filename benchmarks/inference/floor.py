import sys

import numpy as np
import torch
from served import X, middle, mlp, served
from small_models import load

from measure import report

torch.set_num_threads(1)
what = sys.argv[1]
with served(workers=0) as client:
    client.set("raw", bytes(1024))
    if what == "plain":
        report(middle(lambda: (client.set("raw", bytes(1024)), client.get("raw")), 5000))
    elif what == "slice":
        large = np.random.default_rng(1).random(4 << 20, dtype="float32")
        report(middle(lambda: torch.from_numpy(large.copy())[:10].numpy().copy(), 100))
    elif what == "around":
        model = load("TORCH", mlp("TORCH"))
        report(middle(lambda: (client.set("raw", bytes(1024)), model.run([X]), client.get("raw"))))
    else:
        report(middle(lambda: client.get("raw")))
