"""The modules of the standard library that smartensemble uses, found by importing it in another process."""

import subprocess
import sys
from importlib import import_module
from time import process_time

from measure import measured

LIST = """
import sys
before = set(sys.modules)
import smartensemble
names = [name for name in sys.modules if name not in before]
print(*(n for n in names if n.partition(".")[0] in sys.stdlib_module_names))
print(*(n for n in names if n.partition(".")[0] not in sys.stdlib_module_names and n.partition(".")[0] != "smartensemble"))
"""
names, others = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True).stdout.split("\n")[:2]
assert not others, f"not of the standard library: {others}"
with measured(process_time):
    for name in names.split():
        import_module(name)
