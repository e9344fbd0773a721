"""Modules that run as `python -m` in copies of a warm interpreter, since most of the time of a small run is imports.

The copies import nothing else before they begin, so what runs in them finds what it would find in a new interpreter.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload(["pytest", "sybil", "sphinx.cmd.build", "sphinx.ext.doctest", "docutils.parsers.rst", "nbclient"])


def run(argv: Sequence[str], directory: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """What comes of `python -m argv` in this directory."""
    printed = [directory.with_name(f"{directory.name}.{stream}") for stream in ("stdout", "stderr")]
    process = WARM.Process(target=be, args=(argv, directory, environment, printed))
    process.start()
    process.join()
    assert process.exitcode is not None
    return subprocess.CompletedProcess(argv, process.exitcode, *(path.read_text() for path in printed))


def be(argv: Sequence[str], directory: Path, environment: Mapping[str, str], printed: Sequence[Path]) -> None:
    """Be the interpreter of this command."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for descriptor, path in enumerate(printed, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.path.insert(0, str(directory))
    sys.argv[1:] = argv[1:]
    code: object = 0
    try:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()  # the interpreter itself does not end
    sys.exit(code)  # type: ignore[arg-type]
