"""500 members on 32 CPUs: what the driver asks the controller, and what it takes itself, in CPU."""

import resource
import time

from measure import report
from smartensemble import Experiment
from smartensemble.runtime.jobs.queue import queue

exp = Experiment("study", launcher="slurm")
settings = exp.create_run_settings("/bin/sleep", ["1"])
ensemble = exp.create_ensemble("e", None, exp.create_batch_settings(nodes=4), settings, 500)
exp.start(ensemble, block=False)
began, cpu, memory = time.monotonic(), time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
exp.wait()
seconds, used = time.monotonic() - began, time.process_time() - cpu
children = resource.getrusage(resource.RUSAGE_CHILDREN)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
print(
    f"{queue('slurm').questions} questions in {seconds:.1f} s, {100 * used / seconds:.2f} % of a CPU, "
    f"{100 * (children.ru_utime + children.ru_stime) / seconds:.2f} % in commands, {grown:.1f} MB more"
)
assert {str(member.status) for member in ensemble} == {"Completed"}
report(used / seconds)
