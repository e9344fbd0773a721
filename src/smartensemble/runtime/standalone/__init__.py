"""Programs that run with the standard library alone, and what they share: they import nothing of the package.

A driver starts them by :func:`command`. They run in the package ``standalone``, not in ``smartensemble``, whose import would
take longer than they do; that is why they import their siblings by relative imports, which hold under both names. Python
compiles a program anew at each start, but not what the program imports, so ``__main__.py`` is four lines.
"""

import sys

#: The standard library is enough, and starts sooner; neither the user's variables nor the working directory are searched for
#: modules. The driver has compiled what it imported here, so the programs write no compiled files, least of all many at once.
FLAGS: tuple[str, ...] = ("-I", "-S", "-B")


def command(program: str) -> tuple[str, ...]:
    """The beginning of the command line that runs a program of this folder."""
    compiled = ("-X", f"pycache_prefix={sys.pycache_prefix}") if sys.pycache_prefix else ()
    return (sys.executable, *FLAGS, *compiled, f"{__path__[0]}/__main__.py", program)
