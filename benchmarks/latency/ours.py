"""From the last member's end, which it writes down itself, to the return of start."""

import os
import sys
import time
from pathlib import Path

from measure import report
from smartensemble import Experiment

exp = Experiment("study")
program = [sys.executable, ["-S", "-c", "import time; time.sleep(0.3); print(time.time())"]]
warm = exp.create_model("warm", exp.create_run_settings("/bin/true"))
exp.start(warm, progress=False)
ensemble = exp.create_ensemble("e", replicas=8, run_settings=exp.create_run_settings(*program))
if len(sys.argv) > 1 and sys.argv[1] == "live":  # a terminal of our own to draw on
    sys.stderr = os.fdopen(os.openpty()[1], "w")
exp.start(ensemble)
returned = time.time()
last = max(float(Path(member.path, f"{member.name}.out").read_text()) for member in ensemble)
report(returned - last)
