"""The filter refuses what its table names, on both processors, by the numbers that the kernel's headers give."""

import os
import re
from pathlib import Path

import pytest

from smartensemble.inference.confinement import seccomp
from smartensemble.inference.confinement.seccomp import ALLOW, ENOSYS, EPERM, KILL, PROCESSORS, REFUSED, UNKNOWN

#: Debian's linux-libc-dev has both on each processor; clone3 and later ones have the same numbers everywhere.
HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}
PID = 4711


def run(processor: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the kernel does with a call, by an interpreter of the filter's language."""
    own = PROCESSORS[processor][1]
    data = {seccomp.NUMBER: number, seccomp.PROCESSOR: own if audit is None else audit}
    for index, argument in enumerate((*arguments, *[0] * (6 - len(arguments)))):
        data[seccomp.ARGUMENTS + 8 * index] = argument & 0xFFFFFFFF
        data[seccomp.ARGUMENTS + 8 * index + seccomp.HIGH] = argument >> 32 & 0xFFFFFFFF
    code = list(seccomp.INSTRUCTION.iter_unpack(seccomp.program(processor, PID)))
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == seccomp.RETURN:
            result: int = value
            return result
        if operation == seccomp.LOAD:
            accumulator = data[value]
        elif operation == seccomp.AND:
            accumulator &= value
        else:
            equal = operation == seccomp.JUMP_IF_EQUAL
            at += if_true if (accumulator == value if equal else accumulator > value) else if_false


@pytest.mark.parametrize("processor", PROCESSORS)
def test_what_the_table_names_is_refused(processor: str) -> None:
    column = PROCESSORS[processor][0]
    for table, answer in ((REFUSED, EPERM), (UNKNOWN, ENOSYS)):
        for name, numbers in table.items():
            if numbers[column] != seccomp.NONE:
                assert run(processor, numbers[column]) == answer, name


@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_numbers_are_those_of_the_kernel(processor: str) -> None:
    header = Path(HEADERS[processor])
    if not header.exists():
        pytest.skip("needs the kernel's headers, of Debian's package linux-libc-dev")
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\n", header.read_text())}

    column = PROCESSORS[processor][0]
    assert {name: numbers[column] for name, numbers in (REFUSED | UNKNOWN).items() if numbers[column] != seccomp.NONE} == {
        name: known[name] for name, numbers in (REFUSED | UNKNOWN).items() if numbers[column] != seccomp.NONE
    }
    assert [name for name, numbers in (REFUSED | UNKNOWN).items() if numbers[column] == seccomp.NONE and name in known] == []
    assert PROCESSORS[processor][2] == known["seccomp"]


THREAD, NAMESPACE = 0x10F00, 0x10000000
CASES = [
    ("read", (0, 63), (), ALLOW),
    ("write", (1, 64), (), ALLOW),
    ("recvmsg", (47, 212), (), ALLOW),
    ("sendto, to whom it is connected", (44, 206), (9, 1 << 40, 5, 0, 0, 0), ALLOW),
    ("sendto, to an address", (44, 206), (9, 1 << 40, 5, 0, 4096, 16), EPERM),
    ("sendto, to an address above 4 GiB", (44, 206), (9, 1 << 40, 5, 0, 1 << 40, 16), EPERM),
    ("kill itself", (62, 129), (PID, 9), ALLOW),
    ("kill itself, with bits that the kernel does not read", (62, 129), (PID | 1 << 32, 9), ALLOW),
    ("kill another", (62, 129), (PID + 1, 9), EPERM),
    ("kill a group", (62, 129), (-PID, 9), EPERM),
    ("kill everybody", (62, 129), (-1, 9), EPERM),
    ("tgkill itself", (234, 131), (PID, PID, 6), ALLOW),
    ("tgkill another", (234, 131), (1, 1, 6), EPERM),
    ("rt_sigqueueinfo", (129, 138), (1, 6), EPERM),
    ("rt_tgsigqueueinfo", (297, 240), (1, 1, 6), EPERM),
    ("a thread", (56, 220), (THREAD,), ALLOW),
    ("a process", (56, 220), (17,), EPERM),
    ("a process in a namespace", (56, 220), (NAMESPACE | 17,), EPERM),
    ("its own limits", (302, 261), (0, 7), ALLOW),
    ("those of another", (302, 261), (1, 7), EPERM),
    ("fcntl F_GETFL", (72, 25), (3, 3), ALLOW),
    ("fcntl F_SETOWN", (72, 25), (3, 8), EPERM),
    ("fcntl F_SETOWN_EX", (72, 25), (3, 15), EPERM),
    ("fcntl F_SETSIG", (72, 25), (3, 10), EPERM),
    ("ioctl TCGETS", (16, 29), (3, 0x5401), ALLOW),
    ("ioctl TIOCSTI", (16, 29), (3, 0x5412), EPERM),
    ("ioctl TIOCSTI, with bits that the kernel does not read", (16, 29), (3, 1 << 32 | 0x5412), EPERM),
    ("ioctl TIOCLINUX", (16, 29), (3, 0x541C), EPERM),
    ("openat to read", (257, 56), (0, 0, os.O_RDONLY | os.O_CLOEXEC), ALLOW),
    ("openat to write", (257, 56), (0, 0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), ALLOW),
    ("openat to read, emptied", (257, 56), (0, 0, os.O_RDONLY | os.O_TRUNC), EPERM),
    ("memfd_create", (319, 279), (), ALLOW),
    ("cachestat, of Linux 6.5", (451, 451), (), ALLOW),
    ("fchmodat2, of Linux 6.6", (452, 452), (), ENOSYS),
    ("a call of x32", (0x40000029, 0x40000029), (), ENOSYS),
    ("no call at all", (0xFFFFFFFF, 0xFFFFFFFF), (), ENOSYS),
]


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize(("name", "numbers", "arguments", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_filter_decides(
    processor: str, name: str, numbers: tuple[int, int], arguments: tuple[int, ...], expected: int
) -> None:
    assert run(processor, numbers[PROCESSORS[processor][0]], *arguments) == expected


def test_on_x86_the_older_open_is_the_same() -> None:
    assert run("x86_64", 2, 0, os.O_RDONLY | os.O_TRUNC) == EPERM
    assert run("x86_64", 2, 0, os.O_RDONLY) == ALLOW
    assert run("aarch64", 2, 0, os.O_RDONLY | os.O_TRUNC) == ALLOW  # that is no open there


@pytest.mark.parametrize("processor", PROCESSORS)
def test_who_asks_as_another_processor_is_ended(processor: str) -> None:
    assert run(processor, 0, audit=0x40000003) == KILL


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_filter_is_short_enough_for_the_kernel(processor: str) -> None:
    assert len(seccomp.program(processor, PID)) / seccomp.INSTRUCTION.size < 4096


def test_another_processor_has_no_filter() -> None:
    assert seccomp.unavailable("riscv64") == "there is no filter of system calls for riscv64"
    assert seccomp.unavailable() == ""
