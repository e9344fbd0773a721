"""Run a program of this folder: ``python -I -S .../standalone/__main__.py supervisor ...``."""

import sys

sys.path.append(__file__.rpartition("/standalone/")[0])  # at the end, where it hides nothing of the standard library
__import__(f"standalone.{sys.argv[1]}", fromlist=["main"]).main(sys.argv[2:])
