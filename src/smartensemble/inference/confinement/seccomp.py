"""What a confined worker may not ask of the kernel: a filter of system calls, see seccomp(2).

Landlock knows which files are opened, and ports. The rest is here: sockets, other processes, and what changes a file that is
not opened. A refused call fails with EPERM. What came after Linux 6.5 fails as it does there, with ENOSYS, so a new call is
refused until somebody has thought about it.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

from smartensemble.inference.confinement.kernel import system_call

#: Of each processor: its place in the table below, AUDIT_ARCH_..., and the number of seccomp(2).
PROCESSORS = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}

NONE = -1  #: a processor does not have this call
LAST = 451  #: the last system call of Linux 6.5, on all processors

#: The numbers of system calls on x86-64 and on aarch64.
REFUSED = {
    # Connections; who sends without a connection names an address in a structure, which a filter does not see.
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # Processes of its own, which would outlive it, and those of others.
    "fork": (57, NONE), "vfork": (58, NONE), "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "tkill": (200, 130), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    # Files by their paths, of which Landlock knows nothing here.
    "chmod": (90, NONE), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, NONE), "lchown": (94, NONE),
    "fchown": (93, 55), "fchownat": (260, 54), "utime": (132, NONE), "utimes": (235, NONE), "futimesat": (261, NONE),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "truncate": (76, 45), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "inotify_init": (253, NONE), "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27), "fanotify_init": (300, 262), "fanotify_mark": (301, 263),
    # Memory and messages that have a number or a name.
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192),
    "semctl": (66, 191), "mq_open": (240, 180), "mq_unlink": (241, 181), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219),
    # The kernel itself; requests to an io_uring do not pass any filter.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "syslog": (103, 116), "mount": (165, 40),
    "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fspick": (433, 433),
    "mount_setattr": (442, 442),
}  # fmt: skip
#: Of these, arguments are in a structure; who gets ENOSYS uses the older call.
UNKNOWN = {"clone3": (435, 435), "openat2": (437, 437)}

CLONE_THREAD = 0x10000
SETOWN, SETSIG, SETOWN_EX = 8, 10, 15  #: of fcntl(2): who gets a signal when something comes
TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP = 0x5412, 0x541C, 0x8901, 0x8902  #: of ioctl(2): type into a terminal, and the same
EVERYTHING, HIGH = 0xFFFFFFFF, 4  #: all bits of a half; the upper half of an argument


class Condition(NamedTuple):
    """A system call is refused if an argument of it has a value, or unless it has it."""

    call: tuple[int, int]
    argument: int
    value: int
    mask: int = EVERYTHING  #: the bits that count
    half: int = 0  #: of the argument, which has 64 bits
    unless: bool = False


def conditions(pid: int) -> list[Condition]:
    """What process `pid` may ask only with some arguments."""
    fcntl, ioctl, sendto = (72, 25), (16, 29), (44, 206)
    to_itself = [(62, 129), (234, 131), (129, 138), (297, 240)]  # kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo
    return [
        *(Condition(sendto, 4, 0, half=half, unless=True) for half in (0, HIGH)),  # no address: to whom it is connected
        *(Condition(call, 0, pid, unless=True) for call in to_itself),
        Condition((56, 220), 0, CLONE_THREAD, CLONE_THREAD, unless=True),  # clone
        Condition((302, 261), 0, 0, unless=True),  # prlimit64
        *(Condition(fcntl, 1, command) for command in (SETOWN, SETSIG, SETOWN_EX)),
        *(Condition(ioctl, 1, command) for command in (TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP)),
        # An old Landlock lets who may read a file empty it.
        *(Condition(call, at, os.O_TRUNC, os.O_TRUNC | os.O_ACCMODE) for call, at in (((2, NONE), 1), ((257, 56), 2))),
    ]


# Instructions of the classic Berkeley packet filter, see linux/bpf_common.h, and what a filter returns.
LOAD, AND, JUMP_IF_EQUAL, JUMP_IF_GREATER, RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
NUMBER, PROCESSOR, ARGUMENTS = 0, 4, 16  #: places in a struct seccomp_data
INSTRUCTION = struct.Struct("=HBBI")


def program(processor: str, pid: int) -> bytes:
    """The filter of process `pid`, in the language of the kernel."""
    return b"".join(INSTRUCTION.pack(*each) for each in _instructions(processor, pid))


def _instructions(processor: str, pid: int) -> Iterator[tuple[int, int, int, int]]:
    """An operation, two jumps, and a value each."""
    column, audit, _ = PROCESSORS[processor]
    yield LOAD, 0, 0, PROCESSOR
    yield JUMP_IF_EQUAL, 1, 0, audit
    yield RETURN, 0, 0, KILL  # a program may ask as another processor would, whose calls have other numbers
    yield LOAD, 0, 0, NUMBER
    yield JUMP_IF_GREATER, 0, 1, LAST
    yield RETURN, 0, 0, ENOSYS
    for call, argument, value, mask, half, unless in conditions(pid):
        if call[column] == NONE:
            continue
        yield JUMP_IF_EQUAL, 0, 5, call[column]
        yield LOAD, 0, 0, ARGUMENTS + 8 * argument + half
        yield AND, 0, 0, mask
        yield JUMP_IF_EQUAL, int(unless), int(not unless), value
        yield RETURN, 0, 0, EPERM
        yield LOAD, 0, 0, NUMBER
    for calls, answer in ((UNKNOWN, ENOSYS), (REFUSED, EPERM)):
        for numbers in calls.values():
            if numbers[column] != NONE:
                yield JUMP_IF_EQUAL, 0, 1, numbers[column]
                yield RETURN, 0, 0, answer
    yield RETURN, 0, 0, ALLOW


class Program(ctypes.Structure):
    """A struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


SET_FILTER, IS_AVAILABLE = 1, 2
ALL_THREADS, NO_SLOWER = 1, 4  #: all threads; and none of the brakes that would keep this process from its own secrets


def unavailable(processor: str = platform.machine()) -> str:
    """Why this kernel filters no system calls here; nothing if it does.

    >>> unavailable("riscv64")
    'there is no filter of system calls for riscv64'
    """
    if processor not in PROCESSORS:
        return f"there is no filter of system calls for {processor}"
    try:
        system_call(PROCESSORS[processor][2], IS_AVAILABLE, 0, (ctypes.c_uint32 * 1)(EPERM & 0xFFFF0000))
    except OSError as error:
        return f"this kernel filters no system calls ({error.strerror})"
    return ""


def restrict() -> None:
    """Filter the system calls of this process from now on.

    :raises OSError: this kernel does not do that.
    """
    install(program(platform.machine(), os.getpid()))


def install(code: bytes) -> None:
    """Have the kernel run a filter before each system call, of all threads of this process."""
    prepared = Program(len(code) // INSTRUCTION.size, code)
    system_call(PROCESSORS[platform.machine()][2], SET_FILTER, ALL_THREADS | NO_SLOWER, ctypes.byref(prepared))
