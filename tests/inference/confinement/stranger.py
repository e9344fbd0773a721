"""What a stranger's model may try, as a native program would: it prints the error of each attempt, as JSON.

Its arguments are the directory of an owner, a process of theirs, a port of theirs, and whether to be ``confined`` or ``free``.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from smartensemble.inference.confinement import confine, seccomp

HOME, VICTIM, PORT, HOW = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
SECRET, MACHINE = HOME / "secret", os.uname().machine
Attempts = dict[str, Callable[[], object]]

libc = ctypes.CDLL(None, use_errno=True)
libc.memmem.restype = ctypes.c_void_p


def call(number: int, *arguments: object) -> None:
    if libc.syscall(ctypes.c_long(number), *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


def by_number(name: str, *arguments: object) -> Callable[[], None]:
    """An attempt of a system call that the filter refuses."""
    return lambda: call((seccomp.REFUSED | seccomp.UNKNOWN)[name][seccomp.PROCESSORS[MACHINE][0]], *arguments)


def in_a_thread(act: Callable[[], object]) -> None:
    errors: list[OSError] = []

    def attempt() -> None:
        try:
            act()
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def fork() -> None:
    if not os.fork():
        os._exit(0)


def copies_of_the_password() -> int:
    """How many there are in the memory of this process."""
    text = bytes(reversed(b"renwo eht fo drowssap eht"))
    needle = ctypes.create_string_buffer(text)
    found = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        start, end = (int(each, 16) for each in span.split("-"))
        while rights.startswith("rw") and start < end:
            at = libc.memmem(ctypes.c_void_p(start), ctypes.c_size_t(end - start), needle, ctypes.c_size_t(len(text))) or end
            ours = at in range(id(text), id(text) + sys.getsizeof(text)) or at == ctypes.addressof(needle)
            found += at < end and not ours
            start = at + 1
    return found


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tcp = socket.create_connection(("127.0.0.1", PORT))
_, terminal = os.openpty()

#: They succeed, unless this process is confined.
POSSIBLE: Attempts = {
    "read a file": SECRET.read_text,
    "read a file in a thread": lambda: in_a_thread(SECRET.read_text),
    "list a directory": lambda: os.listdir(HOME),
    "load a library": lambda: ctypes.CDLL(str(HOME / "library.so")),
    "link to a file": lambda: os.link(SECRET, "linked"),
    "make a file": lambda: (HOME / "new").touch(),
    "write into a file": lambda: SECRET.write_text("the secret"),
    "truncate a file": lambda: os.truncate(SECRET, 5),
    "make a directory": lambda: (HOME / "made").mkdir(),
    "move a file in": lambda: os.rename("mine", HOME / "moved"),
    "move a file out": lambda: os.rename(HOME / "moved", "mine"),
    "remove a file": lambda: (HOME / "new").unlink(),
    "change a mode": lambda: os.chmod(HOME, 0o700),
    "change a time": lambda: os.utime(SECRET),
    "change an owner": lambda: os.chown(HOME, os.getuid(), -1),
    "watch a directory": by_number("inotify_init1", 0),
    "read variables of a process": lambda: Path(f"/proc/{VICTIM}/environ").read_bytes(),
    "see where a process is": lambda: os.readlink(f"/proc/{VICTIM}/cwd"),
    "read its own variables": lambda: Path("/proc/self/environ").read_bytes(),
    "signal a process": lambda: os.kill(VICTIM, 0),
    "signal a thread": lambda: call({"x86_64": 234, "aarch64": 131}[MACHINE], VICTIM, VICTIM, 0),
    "signal what a descriptor names": lambda: signal.pidfd_send_signal(os.pidfd_open(VICTIM), 0),
    "have a process signaled": lambda: fcntl.fcntl(udp, seccomp.SETOWN, VICTIM),
    "limit a process": lambda: resource.prlimit(VICTIM, resource.RLIMIT_NOFILE),
    "slow a process down": lambda: os.setpriority(os.PRIO_PROCESS, VICTIM, 19),
    "connect to a unix socket": lambda: socket.socket(socket.AF_UNIX).connect(str(HOME / "socket")),
    "connect to a port": lambda: socket.create_connection(("127.0.0.1", PORT)),
    "send to a port": lambda: udp.sendto(b"x", ("127.0.0.1", PORT)),
    "connect a socket that it has": lambda: udp.connect(("127.0.0.1", PORT)),
    "send what a structure describes": lambda: tcp.sendmsg([b"x"]),
    "make two sockets": socket.socketpair,
    "start a process": fork,
    "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
}
#: Whether these succeed in a process that is not confined depends on the system, and on the user.
ALSO_REFUSED: Attempts = {
    "read passwords": lambda: Path("/etc/shadow").read_bytes(),
    "read memory of a process": lambda: os.open(f"/proc/{VICTIM}/mem", os.O_RDONLY),
    "become a program": lambda: os.execv("/bin/true", ["true"]),
    "make a symbolic link": lambda: os.symlink(HOME, "link"),
    "make a named pipe": lambda: os.mkfifo("pipe"),
    "empty a file that it may read": lambda: os.open(seccomp.__file__, os.O_RDONLY | os.O_TRUNC),
    "type into a terminal": lambda: fcntl.ioctl(terminal, seccomp.TIOCSTI, b"x"),
    "set an attribute": lambda: os.setxattr(SECRET, "user.x", b""),
    "clone into a namespace": lambda: call({"x86_64": 56, "aarch64": 220}[MACHINE], 0x10000000 | signal.SIGCHLD, None),
    "call what comes with a later kernel": lambda: call(seccomp.LAST + 1),
    "clone3": by_number("clone3", None, 0),
    "openat2": by_number("openat2", -100, b"mine", None, 0),
    "ptrace": by_number("ptrace", 16, VICTIM, None, None),
    "process_vm_readv": by_number("process_vm_readv", VICTIM, None, 0, None, 0, 0),
    "process_vm_writev": by_number("process_vm_writev", VICTIM, None, 0, None, 0, 0),
    "pidfd_getfd": by_number("pidfd_getfd", -1, 0, 0),
    "unshare": by_number("unshare", 0x10000000),
    "setns": by_number("setns", -1, 0),
    "mount": by_number("mount", None, None, None, 0, None),
    "open_by_handle_at": by_number("open_by_handle_at", -1, None, 0),
    "io_uring_setup": by_number("io_uring_setup", 1, None),
    "bpf": by_number("bpf", 0, None, 0),
    "perf_event_open": by_number("perf_event_open", None, 0, -1, -1, 0),
    "userfaultfd": by_number("userfaultfd", 0),
    "add_key": by_number("add_key", b"user", b"x", b"x", ctypes.c_size_t(1), -3),
    "keyctl": by_number("keyctl", 0, -3, 0),
    "shmget": by_number("shmget", 0, ctypes.c_size_t(1), 0o600),
}
#: A confined process needs these.
NEEDED: Attempts = {
    "read modules": lambda: Path(seccomp.__file__).read_text(),
    "make a directory of its own": lambda: os.mkdir("directory"),
    "move a file of its own": lambda: os.rename("mine", "directory/mine"),
    "write into a file of its own": lambda: Path("directory/mine").write_text("x"),
    "remove a file of its own": lambda: os.unlink("directory/mine"),
    "remove a directory of its own": lambda: os.rmdir("directory"),
    "write into its temporary directory": tempfile.mkstemp,
    "have threads": lambda: in_a_thread(os.getpid),
    "have memory": lambda: os.memfd_create("x"),
    "send over its connection": lambda: tcp.sendall(b"x"),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "throw away": lambda: Path(os.devnull).write_text("x"),
}


def error(act: Callable[[], object]) -> str:
    """The name of its error; nothing if it succeeds."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""


before = copies_of_the_password()
own = tempfile.mkdtemp(dir=HOME.parent)
if HOW == "confined":
    confine(own, [udp.fileno(), tcp.fileno(), terminal])
os.chdir(own)
Path("mine").touch()
tables = {"possible": POSSIBLE, **({} if HOW == "free" else {"also refused": ALSO_REFUSED, "needed": NEEDED})}
errors = {title: {name: error(act) for name, act in table.items()} for title, table in tables.items()}
print(json.dumps(errors | {"copies": {"before": before, "after": copies_of_the_password()}}))
