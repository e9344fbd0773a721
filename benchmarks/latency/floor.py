"""The same by Popen and wait: what is left is the end of the interpreter."""

import subprocess
import sys
import time

from measure import report

program = [sys.executable, "-S", "-c", "import time; time.sleep(0.3); print(time.time())"]
running = [subprocess.Popen(program, stdout=subprocess.PIPE, process_group=0) for _ in range(8)]
last = [process.communicate()[0] for process in running]
report(time.time() - max(map(float, last)))
