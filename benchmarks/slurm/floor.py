"""A job by hand: one multi-prog step, whose lines start scripts with a directory, output files and an exit code."""

import os
import subprocess
import sys
import time
from pathlib import Path

from measure import measured

BARE = "bare" in sys.argv
home = Path("study").absolute()
lines = []
for number in range(128):
    directory = home / f"e_{number}"
    directory.mkdir(parents=True)
    script = directory / "run.sh"
    run = "/bin/true < /dev/null > out 2> err\ncode=$?\necho $code > exit\nexit $code\n"
    script.write_text(f"#!/bin/bash\ncd {directory}\n: > started\n{run}")
    lines.append(f"{number} /bin/true" if BARE else f"{number} /bin/bash {script}")
with measured():
    (home / "lines").write_text("\n".join(lines) + "\n")
    (home / "job.sh").write_text(
        "#!/bin/bash\n#SBATCH --nodes=4\n#SBATCH --ntasks-per-node=8\n#SBATCH --output=/dev/null\n"
        f"srun --ntasks=128 --overcommit --kill-on-bad-exit=0 --wait=0 --multi-prog {home}/lines\necho $? > {home}/end\n"
    )
    subprocess.run(["sbatch", "--parsable", home / "job.sh"], check=True, stdout=subprocess.DEVNULL)
    while not os.path.exists(home / "end"):
        time.sleep(0.01)
assert BARE or all((home / f"e_{number}/exit").read_text() == "0\n" for number in range(128))
