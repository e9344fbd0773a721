"""The process that watches a worker knows how that ended, whatever it inherits. What it does then is tested with workers."""

import subprocess
import sys

from worlds.patience import PATIENCE_S

WATCHES = """
import os
from smartensemble.inference.watchdog import watch

def work(beat):
    if not os.path.exists("tried"):
        open("tried", "w").close()
        os._exit(3)

watch(work, 60)
print("done")
"""


def test_a_worker_that_failed_is_started_again_where_sigchld_is_ignored(tmp_path: object) -> None:
    line = f"trap '' CHLD; exec {sys.executable} -c '{WATCHES}'"

    done = subprocess.run(
        ["bash", "-c", line], cwd=str(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert done.stdout == "done\n"
    assert "failed with exit code 3" in done.stderr
