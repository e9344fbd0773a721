"""A signal to each group, and a wait for each."""

import os
import signal
import subprocess
import sys

from family import COUNT, wait_until_born

from measure import measured

running = [subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], process_group=0) for _ in range(COUNT)]
wait_until_born()
with measured():
    for process in running:
        os.killpg(process.pid, signal.SIGTERM)
    for process in running:
        process.wait()
