"""What a program here inherits from whoever started it, and puts right before it starts anything itself.

A shell hands ``trap '' CHLD`` down to every program: the kernel then forgets how a child ended, and nobody can wait for it. A
program inherits blocked signals as well, and closed standard descriptors, whose numbers the next files get that it opens.
"""

import os
import signal


def put_right() -> None:
    """Open the standard descriptors, let signals come, and let children be waited for."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)  # it gets the lowest number that is free: this one
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def complain(text: str) -> None:
    """Write a line to standard error. Whether that works changes nothing: the disk may be full, and the terminal gone."""
    try:
        os.write(2, f"{text}\n".encode(errors="backslashreplace"))
    except OSError:
        pass
