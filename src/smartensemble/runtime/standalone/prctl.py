"""Choose what the kernel does when a parent ends, see prctl(2)."""

import ctypes
import os

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

_prctl = ctypes.CDLL(None, use_errno=True).prctl


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, even if it called ``setsid`` and forked twice."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with(parent: int, number: int) -> bool:
    """Get the signal `number` when `parent` ends; False if it had already ended."""
    _prctl(PR_SET_PDEATHSIG, number)
    return os.getppid() == parent
