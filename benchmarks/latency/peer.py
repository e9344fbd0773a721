"""From the last member's end, which it writes down itself, to the return of start."""

import sys
import time
from pathlib import Path

from smartsim import Experiment

from measure import report

exp = Experiment("study")
program = [sys.executable, ["-S", "-c", "import time; time.sleep(0.3); print(time.time())"]]
ensemble = exp.create_ensemble("e", replicas=8, run_settings=exp.create_run_settings(*program))
exp.start(ensemble, block=True)
returned = time.time()
last = max(float(Path(member.path, f"{member.name}.out").read_text()) for member in ensemble)
report(returned - last)
