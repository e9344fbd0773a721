"""System calls for which the C library has no function, and the few other calls into C that a confined worker needs."""

import ctypes
import os

PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.getenv.restype = ctypes.c_void_p
_libc.getenv.argtypes = [ctypes.c_char_p]


def system_call(number: int, *arguments: object) -> int:
    """The answer to a system call, whose `arguments` are numbers, structures and None.

    :raises OSError: the kernel refuses it.
    """
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    found: int = _libc.syscall(ctypes.c_long(number), *given)
    return _checked(found)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def renounce_privileges() -> None:
    """Give up what a superuser may do, and what programs might add."""
    _checked(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def forget_variable(name: bytes) -> None:
    """Remove a variable of the environment, and overwrite its value wherever this process has it.

    What is freed would stay readable in memory, and what a program was started with also in ``/proc``.
    """
    value = os.environb[name]
    if given := _libc.getenv(name):
        ctypes.memset(given, 0, len(value))
    del os.environb[name]
    if len(value) > 1:  # Python keeps one object for all that are shorter
        ctypes.memset(ctypes.cast(ctypes.c_char_p(value), ctypes.c_void_p), 0, len(value))
