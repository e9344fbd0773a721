"""Programs that run with the standard library alone, and what they share: they import nothing of the package.

A driver starts them by :func:`command`. They run in the package ``standalone``, not in ``smartensemble``, whose import would
take longer than they do; that is why they import their siblings by relative imports, which hold under both names. Python
compiles a program anew at each start, but not what the program imports, so ``__main__.py`` is four lines.
"""

import os
import sys

#: The standard library is enough, and starts sooner. Modules are searched neither where the user's variables say nor in the
#: working directory.
FLAGS: tuple[str, ...] = ("-I", "-S")


def command(program: str) -> tuple[str, ...]:
    """The beginning of the command line that runs a program of this folder."""
    return (sys.executable, *FLAGS, *_where_compiled(), f"{__path__[0]}/__main__.py", program)


def _where_compiled() -> list[str]:
    """Where compiled files are, and whether more may be written, as variables say that -I ignores."""
    prefix = ["-X", f"pycache_prefix={os.path.abspath(sys.pycache_prefix)}"] if sys.pycache_prefix else []
    return [*prefix, "-B"] if sys.dont_write_bytecode else prefix
