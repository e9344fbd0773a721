"""A loop of Popen that does the same: a directory, two output files, a process group for each, then a wait for each."""

import os
import subprocess

from measure import measured

with measured():
    running = []
    for number in range(500):
        directory = f"study/e/e_{number}"
        os.makedirs(directory)
        with open(f"{directory}/out", "w") as out, open(f"{directory}/err", "w") as err:
            running.append(
                subprocess.Popen(
                    ["/bin/true"], cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0
                )
            )
    assert not any(process.wait() for process in running)
