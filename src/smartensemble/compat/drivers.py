"""Runs a driver as ``python driver.py`` does, but its ``import smartsim`` gives :mod:`smartensemble.compat`."""

import atexit
import builtins
import io
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType

from smartensemble.compat.stand_ins import hand_on, stand_in
from smartensemble.results import no_effect
from smartensemble.results.notes import Notes

USAGE = """\
usage: python -m smartensemble.compat [--smartredis] driver.py [argument ...]
       python -m smartensemble.compat [--smartredis] -m module [argument ...]

Run a driver that was written for SmartSim. Its `import smartsim` gives smartensemble.compat, also in its members.

  --smartredis  `import smartredis` gives smartensemble.client, also in its members"""

#: The files whose frames come before those of the driver.
BEFORE = {__file__, str(Path(__file__).with_name("__main__.py")), runpy.__file__, "<frozen runpy>"}


def main(arguments: Sequence[str]) -> int | None:
    """Do what the command line says; what to exit with, where the driver does not say it."""
    packages = ["smartsim", *(["smartredis"] if arguments[:1] == ["--smartredis"] else [])]
    argv = arguments[len(packages) - 1 :]
    if argv[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    if argv[:1] == ["-m"]:
        act, argv = run_module, argv[1:]
    else:
        act = run_file
    if not argv or argv[0].startswith("-"):
        return complain(f"{' '.join(arguments) or 'nothing'}: no driver is named; give its file, such as driver.py\n\n{USAGE}")
    stand_in(packages)
    hand_on(packages, os.environ, sys.path)
    atexit.register(report, os.getpid())
    return act(argv)


def complain(text: str) -> int:
    """Say what is wrong with the command line; the exit code."""
    Notes(sys.stderr).say(f"python -m smartensemble.compat: {text}")
    return 2


def run_file(argv: Sequence[str]) -> int | None:
    """Run a file. ``__main__``, ``sys.argv`` and ``sys.path`` are what ``python`` makes them."""
    try:
        with io.open_code(os.path.abspath(argv[0])) as file:
            source = file.read()
    except OSError as error:
        return complain(f"{argv[0]}: cannot be read: {error.strerror}; give the file of a driver")
    module = as_main(os.path.join(os.getcwd(), argv[0]))
    sys.argv = list(argv)
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(argv[0]))
    with tracebacks_of_the_driver():
        exec(compile(source, str(module.__file__), "exec"), vars(module))  # noqa: S102 - this is what it is for
    return None


def as_main(path: str) -> ModuleType:
    """A new ``__main__`` for the file."""
    module = ModuleType("__main__")
    loader = SourceFileLoader("__main__", path)
    vars(module).update(__file__=path, __cached__=None, __loader__=loader, __builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = module
    return module


def run_module(argv: Sequence[str]) -> int | None:
    """Run a module, as ``python -m`` does."""
    sys.argv = list(argv)
    with tracebacks_of_the_driver():
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    return None


@contextmanager
def tracebacks_of_the_driver() -> Iterator[None]:
    """Have an error that ends the body shown without the frames that come before the driver's."""
    try:
        yield
    except BaseException:
        sys.excepthook = partial(show, sys.excepthook)
        raise


def show(hook: Callable[..., object], kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show an error, by what the driver shows errors with."""
    while trace and trace.tb_frame.f_code.co_filename in BEFORE:
        trace = trace.tb_next
    hook(kind, error.with_traceback(trace), trace)


def report(process: int) -> None:
    """Say what had no effect. A process that the driver has forked says nothing."""
    if process == os.getpid() and (lines := no_effect.said()):
        Notes(sys.stderr).say("\n  ".join(["python -m smartensemble.compat: what had no effect:", *lines]))
