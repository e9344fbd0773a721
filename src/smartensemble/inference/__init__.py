"""What the database runs: the module that a server loads, as a file, and what its workers do with models and scripts."""

from pathlib import Path

#: The module for Valkey and Redis, compiled from ``module.c`` when a wheel for Linux is built; others have none.
MODULE = Path(__file__).with_name("module.so")
