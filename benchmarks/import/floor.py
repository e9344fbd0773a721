"""The modules of the standard library that smartensemble uses, found by importing it in another process."""

import sys
from importlib import import_module
from time import process_time

from measure import measured

LIST = """
import sys
before = set(sys.modules)
from smartensemble import Experiment
names = [name for name in sys.modules if name not in before]
print(*(n for n in names if n.partition(".")[0] in sys.stdlib_module_names))
print(*(n for n in names if n.partition(".")[0] not in sys.stdlib_module_names and n.partition(".")[0] != "smartensemble"))
"""
if not sys.argv[1:]:  # begin again with the names, in an interpreter that has not imported what it takes to find them
    import os
    import subprocess

    found = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True).stdout
    names, others = found.split("\n")[:2]
    assert not others, f"not of the standard library: {others}"
    os.execv(sys.executable, [sys.executable, __file__, *names.split()])
with measured(process_time):
    for name in sys.argv[1:]:
        import_module(name)
