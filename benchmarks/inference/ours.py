import sys

import numpy as np
from served import SCRIPT, X, middle, mlp, served, smartredis

from measure import report

what = sys.argv[1]
with served() as client:
    if what == "plain":
        report(middle(lambda: (client.set("raw", bytes(1024)), client.get("raw")), 5000))
    else:
        members = smartredis()
        members.put_tensor("x", X)
        if what == "slice":
            members.put_tensor("x", np.random.default_rng(1).random(4 << 20, dtype="float32"))
            members.set_script("s", SCRIPT)
            report(middle(lambda: members.run_script("s", "slice", ["x"], ["y"]), 100))
        elif what == "around":
            members.set_model("m", mlp("TORCH"), "TORCH")

            def around() -> None:
                members.put_tensor("x", X)
                members.run_model("m", ["x"], ["y"])
                members.get_tensor("y")

            report(middle(around))
        else:
            members.set_model("m", mlp(what), what)
            report(middle(lambda: members.run_model("m", ["x"], ["y"])))
