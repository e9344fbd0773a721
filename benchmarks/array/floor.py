"""A job array by hand: each task runs a script in a directory of its own, with output files and an exit-code file."""

import os
import subprocess
import sys
import time
from pathlib import Path

from measure import measured

BARE = "bare" in sys.argv
home = Path("study").absolute()
for number in range(128):
    (home / f"e_{number}").mkdir(parents=True)
run = f"cd {home}/e_$SLURM_ARRAY_TASK_ID\n: > started\n/bin/true < /dev/null > out 2> err\ncode=$?\necho $code > exit\n"
with measured():
    (home / "job.sh").write_text(
        "#!/bin/bash\n#SBATCH --array=0-127\n#SBATCH --output=/dev/null\n"
        f"{'/bin/true' if BARE else run}\necho ${{code-$?}} >> {home}/end\n"
    )
    subprocess.run(["sbatch", "--parsable", home / "job.sh"], check=True, stdout=subprocess.DEVNULL)
    while not (os.path.exists(home / "end") and os.stat(home / "end").st_size == 256):
        time.sleep(0.01)
assert BARE or all((home / f"e_{number}/exit").read_text() == "0\n" for number in range(128))
