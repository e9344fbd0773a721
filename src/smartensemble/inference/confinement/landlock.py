"""Which files a confined worker opens: by Landlock, see landlock(7). It holds for this thread, and for those that it starts.

Landlock has grown; its version says which rights a kernel knows. What an older one does not know, it does not refuse.
"""

import errno
import os
import struct
from collections.abc import Iterable

from smartensemble.inference.confinement.kernel import system_call

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  #: system calls, by the same numbers on all processors
GET_VERSION, PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIRECTORY, REMOVE_DIRECTORY, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIRECTORY, MAKE_FILE = 1 << 7, 1 << 8
MOVE, TRUNCATE, DEVICE_CONTROL = 1 << 13, 1 << 14, 1 << 15

READ = READ_FILE | READ_DIRECTORY
CHANGE = READ | WRITE_FILE | TRUNCATE | MAKE_FILE | MAKE_DIRECTORY | REMOVE_FILE | REMOVE_DIRECTORY | MOVE
USE = READ_FILE | WRITE_FILE | DEVICE_CONTROL
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE_CONTROL  #: the others are rights of directories

#: How many rights of files, and then of the network, and then of signals and abstract sockets, each version knows.
KNOWN = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}

RULE = struct.Struct("=Qi")  #: struct landlock_path_beneath_attr, which is packed


def version() -> int:
    """The version of this kernel's Landlock.

    :raises OSError: it has none, does not use it, or refuses it.
    """
    return system_call(CREATE_RULESET, None, 0, GET_VERSION)


def unavailable() -> str:
    """Why this kernel has no Landlock; nothing if it has."""
    try:
        version()
    except OSError as error:
        return reason(error.errno or 0)
    return ""


def reason(number: int) -> str:
    """What an error says of Landlock.

    >>> reason(errno.EOPNOTSUPP)
    'this kernel does not use its Landlock, which "landlock" among lsm= of its command line switches on'
    """
    if number == errno.ENOSYS:
        return "this kernel has no Landlock, which Linux has from 5.13 on"
    if number == errno.EOPNOTSUPP:
        return 'this kernel does not use its Landlock, which "landlock" among lsm= of its command line switches on'
    return f"Landlock is refused here ({os.strerror(number)}), perhaps by a container"


def handled(version: int) -> bytes:
    """A struct landlock_ruleset_attr: all rights that a version knows, which are then refused but for the rules."""
    files, network, scopes = KNOWN[min(version, max(KNOWN))]
    size = 8 * (1 + (network > 0) + (scopes > 0))
    return struct.pack("=QQQ", (1 << files) - 1, (1 << network) - 1, (1 << scopes) - 1)[:size]


def rule(rights: int, version: int, directory: bool, descriptor: int) -> bytes:
    """A struct landlock_path_beneath_attr: `rights` to a file, or to all below a directory, as far as a version knows them.

    >>> RULE.unpack(rule(USE, 1, False, 7)) == (READ_FILE | WRITE_FILE, 7)
    True
    """
    known = (1 << KNOWN[min(version, max(KNOWN))][0]) - 1
    return RULE.pack(rights & known & (-1 if directory else OF_FILES), descriptor)


def restrict(rights: Iterable[tuple[str, int]]) -> None:
    """Open from now on what `rights` name, as far as these go, and nothing else. Paths that do not exist are left out.

    :raises OSError: this kernel has no Landlock, or refuses it.
    """
    found = version()
    attributes = handled(found)
    ruleset = system_call(CREATE_RULESET, attributes, len(attributes), 0)
    for path, right in rights:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        attributes = rule(right, found, os.path.isdir(path), descriptor)
        system_call(ADD_RULE, ruleset, PATH_BENEATH, attributes, 0)
        os.close(descriptor)
    system_call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
