"""A small program that runs the members on this machine, and lets none of them outlive their driver.

It is started by its path, once for each driver, with nothing but the standard library, and is two processes:

    driver ── sentinel ── supervisor ── member, member, member, ...

The *supervisor* starts members, waits for them, and ends them. It is a single thread that sleeps in ``poll`` until the
driver sends a request, a process ends (SIGCHLD) or a time limit is reached. No descriptor is held for a member: its
end is learnt from ``waitpid``, and its output files are opened by the child itself.

It is a *subreaper*: a process whose parent ended, also one that called ``setsid`` and forked twice, becomes its
child. So all that members ever started is below it, and it is done when it has no children left.

The *sentinel* is a subreaper as well, and only waits. When the supervisor is killed, it inherits all that was below,
kills it, and ends.

Everything is ended when the driver ends, however it ends: the socket to the driver then reads as closed, and the
driver's process descriptor as ready.

A *detached* supervisor is nobody's child, and goes on when its driver ends, until its members have ended.

What becomes of a member is appended to its journal (see ``journal.py``) as it happens, and told to the driver if there is one.

Requests and events are values in ``marshal``, each behind its length in four bytes; the same interpreter is at both ends:

.. display-only: the messages, which are no code

::

    ("launch", at_once, environ, journal, [(id, number, name, argv, cwd, env, out, err, time_limit), ...], service)
    ("stop", token, [id, ...], grace)

    ("started", id, pid, time)    ("ended", id, outcome, detail, time)    ("stopped", token, [pid that did not end, ...])

An outcome is "exit" (detail: the code), "signal" (its number), "failed" (why it could not be started), "limit" or
"cancelled" (nothing). Another process asks by a file beside the journal, and SIGUSR1.

See prctl(2), PR_SET_CHILD_SUBREAPER; credentials(7) for process groups.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import select
import signal
import sys
import time
from collections import deque
from heapq import heappop, heappush

TYPE_CHECKING = False  # importing typing would cost a third of the time that this program takes to start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MARK = "SMARTENSEMBLE_MEMBER"  #: in the environment of all that a member starts
GRACE = 5.0  #: seconds between SIGTERM and SIGKILL when the driver ended
PATIENCE = 5.0  #: seconds after SIGKILL before a process is given up
LONGEST = 86_400_000.0  #: milliseconds of one sleep; poll refuses more than 24 days
DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)

#: A member to run: id, its number in the journal, name, argv, cwd, env, out, err, time_limit.
Work = tuple[int, int, str, tuple[str, ...], str, dict[str, str], str, str, float | None]


def main(channel: int, driver: int, detached: bool) -> None:
    """Split into sentinel and supervisor."""
    if detached and os.fork():
        os._exit(0)  # the driver waits for this one; what goes on is nobody's child
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    sentinel = os.getpid()
    supervisor = os.fork()
    if supervisor:
        os.close(channel)
        watch_over(supervisor)
    else:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != sentinel:
            os._exit(1)
        Supervisor(channel, driver, detached).serve()
    os._exit(0)


def watch_over(supervisor: int) -> None:
    """Wait for the supervisor's end; then kill all that it left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while os.wait()[0] != supervisor:
        pass
    while True:
        for pid in below([os.getpid()], tree()):
            if pid != os.getpid():
                send(pid, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def tree() -> dict[int, tuple[int, int, bool]]:
    """The parent and the group of every process of this machine, and whether it lives. See proc_pid_stat(5)."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                state, parent, group, *fields = stat(entry)
            except OSError:  # it ended meanwhile
                continue
            # A zombie that has threads is a program whose main thread alone has ended.
            found[int(entry)] = (int(parent), int(group), state not in (b"Z", b"X") or int(fields[14]) > 1)
    return found


def stat(pid: int | str) -> list[bytes]:
    """What the kernel says of a process, from its state on."""
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)  # open() takes twice as long, and there may be thousands
    try:
        return os.read(descriptor, 4096).rpartition(b")")[2].split()
    finally:
        os.close(descriptor)


def below(roots: Iterable[int], processes: dict[int, tuple[int, int, bool]]) -> list[int]:
    """The living processes below `roots`, parents first, and `roots` themselves."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _, _) in processes.items():
        children.setdefault(parent, []).append(pid)
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return [pid for pid in found if pid in processes and processes[pid][2]]


def send(pid: int, number: int) -> None:
    """Send a signal; a process that ended meanwhile, or became another user's, is no error."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def marked(pid: int) -> int | None:
    """The member that process `pid` belongs to, by the mark in its environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            marks = [line for line in file.read().split(b"\0") if line.startswith(MARK.encode() + b"=")]
        return int(marks[0].rpartition(b":")[2])
    except (OSError, IndexError, ValueError):
        return None


class Ending:
    """Processes that are being ended: first by SIGTERM; by SIGKILL what is left after the grace."""

    def __init__(self, members: set[int] | None, grace: float, token: int | None) -> None:
        self.members = members  #: whose processes; None for everybody's
        self.token = token  #: what the driver calls it; None if it did not ask
        self.number = signal.SIGTERM if grace > 0 else signal.SIGKILL
        self.due = time.monotonic() + (grace if grace > 0 else PATIENCE)  #: when it takes the next step
        self.signalled: set[int] = set()  #: what was sent this signal already
        self.awaited: set[int] = set()  #: our own children among them: nothing is looked at before they have ended


class Launch:
    """Members that were asked for together: those that wait, how many more may run, and the journal that tells of them."""

    def __init__(
        self, at_once: int | None, environ: dict[str, str], journal: str, works: list[Work], service: bool = False
    ) -> None:
        self.waiting: deque[Work] = deque()
        self.environ = environ
        self.free = at_once or 0
        self.unlimited = at_once is None
        self.journal = journal
        self.service = service  #: it leaves no orphans, so that those of others are still known
        self.ids: dict[int, int] = {}  #: number in the journal -> id
        self.lines: list[str] = []  #: for the journal, not written yet
        self.add(works)

    def add(self, works: list[Work]) -> None:
        """Members that were asked for later, while their directories were being written."""
        self.waiting += works
        self.free += len(works) * self.unlimited
        self.ids.update((work[1], work[0]) for work in works)

    def note(self, number: int, name: str, event: str, detail: object = "") -> None:
        """A line for the journal."""
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        self.lines.append(f"{stamp}\t{number}\t{name}\t{event}\t{' '.join(str(detail).split())}\n")

    def write(self) -> None:
        """Append the lines. What a full disk does not take is written when there is something to write again."""
        text = "".join(self.lines).encode(errors="surrogateescape")
        try:
            descriptor = os.open(self.journal, os.O_WRONLY | os.O_APPEND)
            try:
                whole = os.write(descriptor, text) == len(text)
            finally:
                os.close(descriptor)
        except OSError:
            whole = False
        # A line that was cut ends here, so that the next one is whole.
        self.lines = [] if whole else ["\n", *(line for line in self.lines if line != "\n")]


class Supervisor:
    """The members that run, those that wait, and those that are being ended."""

    def __init__(self, channel: int, driver: int, detached: bool) -> None:
        self.channel = channel
        self.driver = driver
        self.detached = detached
        self.alone = False  #: detached, and without a driver by now
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.flushed = 0.0
        self.launches: list[Launch] = []  #: those that have members waiting
        self.members: dict[int, int] = {}  #: pid of a running member -> its id
        self.launched: dict[int, tuple[Launch, Work]] = {}  #: id of a running member -> where it comes from
        self.noted: set[Launch] = set()  #: launches that have lines for their journals
        self.limits: list[tuple[float, int]] = []  #: a heap of time limits; members that have ended may be in it
        self.verdicts: dict[int, str] = {}  #: id -> the outcome of a member that we end
        self.endings: list[Ending] = []
        self.childless = True
        self.closing = False
        self.terminated = False
        self.asked = False  #: somebody has written a request beside a journal

    # --- the loop -----------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Work until the driver is gone and nothing is left below."""
        wake, wakes = os.pipe()
        for descriptor in (self.channel, wake, wakes):
            os.set_blocking(descriptor, False)
        for descriptor in (self.channel, self.driver):  # passed on to us, but not to the members
            if descriptor >= 0:
                os.set_inheritable(descriptor, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "terminated", True))
        signal.signal(signal.SIGUSR1, lambda *_: setattr(self, "asked", True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.poll = select.poll()
        for descriptor in (wake, self.channel, self.driver):
            if descriptor >= 0:
                self.poll.register(descriptor, select.POLLIN)
        while not (self.closing and not self.endings):
            for ready, events in self.poll.poll(self.timeout()):
                if ready == wake:
                    os.read(wake, 4096)
                elif ready == self.driver:
                    self.close()
                elif events & ~select.POLLOUT and not self.closing:
                    self.receive()
            if self.terminated:
                self.close()
            if self.asked:
                self.take_requests()
            self.reap()
            self.start_one()
            self.end_overdue()
            self.flush()
            if self.alone and not (self.launches or self.launched or self.endings):
                self.close()

    def startable(self) -> Launch | None:
        """A launch that may start a member now."""
        return next((launch for launch in self.launches if launch.free), None)

    def timeout(self) -> float | None:
        """Milliseconds until something is to be done without being woken; None for never."""
        if self.startable():
            return 0
        while self.limits and self.limits[0][1] not in self.launched:
            heappop(self.limits)
        due = [ending.due for ending in self.endings] + [limit for limit, _ in self.limits[:1]]
        return min(max(0.0, (min(due) - time.monotonic()) * 1000 + 1), LONGEST) if due else None

    # --- talking with the driver --------------------------------------------------------------------------------

    def receive(self) -> None:
        """Read and do what the driver asks; nothing to read means that it closed."""
        try:
            data = os.read(self.channel, 1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data and self.detached:
            self.alone = True
            self.poll.unregister(self.channel)
        elif not data:
            self.close()
        self.inbox += data
        requests: dict[str, Callable[..., None]] = {"launch": self.launch, "stop": self.stop}
        for name, *values in unpack(self.inbox):
            requests[name](*values)

    def tell(self, *event: object) -> None:
        """Queue an event for the driver. A driver that does not read never holds us up."""
        self.outbox += pack(event)

    def flush(self) -> None:
        """Write journals and send events; a few at a time while members are being started, not one by one."""
        if self.startable() and time.monotonic() < self.flushed + 0.02:
            return
        self.flushed = time.monotonic()
        for launch in self.noted:
            launch.write()
        self.noted = {launch for launch in self.noted if launch.lines}
        try:
            while self.outbox:
                del self.outbox[: os.write(self.channel, self.outbox[: 1 << 18])]
        except BlockingIOError:
            pass
        except OSError:  # the driver is gone
            self.outbox.clear()
        if not self.closing and not self.alone:
            self.poll.modify(self.channel, select.POLLIN | (select.POLLOUT if self.outbox else 0))

    # --- requests -----------------------------------------------------------------------------------------------

    def launch(
        self, at_once: int | None, environ: dict[str, str], journal: str, works: list[Work], service: bool = False
    ) -> None:
        """Queue members; at most `at_once` of them run at a time. A service is a server that runs beside them."""
        launch = next((launch for launch in self.known() if launch.journal == journal and at_once is None), None)
        if launch:
            launch.add(works)
        else:
            launch = Launch(at_once, environ, journal, works, service)
            began = stat("self")[19].decode()
            launch.note(0, "-", "supervisor", f'{{"pid": {os.getpid()}, "host": "{os.uname().nodename}", "began": {began}}}')
            self.noted.add(launch)
        if works and launch not in self.launches:
            self.launches.append(launch)

    def stop(self, token: int, members: list[int], grace: float) -> None:
        """End members: those that wait, those that run, and what those that ended left behind."""
        self.end(set(members), grace, "cancelled", token)

    def known(self) -> set[Launch]:
        """The launches of which members wait or run."""
        return {*self.launches, *(launch for launch, _ in self.launched.values())}

    def take_requests(self) -> None:
        """End the members that another process has named beside a journal."""
        self.asked = False
        for launch in self.known():
            request = launch.journal.removesuffix(".tsv") + ".stop"
            try:
                with open(request) as file:
                    grace, *numbers = file.read().split()
                os.unlink(request)
            except (OSError, ValueError):
                continue
            self.end({launch.ids[int(number)] for number in numbers if int(number) in launch.ids}, float(grace), "cancelled")

    def close(self) -> None:
        """End everything, and then this process."""
        if not self.closing:
            self.closing = True
            if not self.alone:
                self.poll.unregister(self.channel)
            if self.driver >= 0:
                self.poll.unregister(self.driver)
            self.end(None, GRACE, "cancelled")

    # --- starting and ending one member --------------------------------------------------------------------------

    def start_one(self) -> None:
        """Start one member that waits: one, so that requests and ends are never kept waiting for long."""
        if (launch := self.startable()) is None:
            return
        work = launch.waiting.popleft()
        member, number, name, *_, limit = work
        if not launch.waiting:
            self.launches.remove(launch)
        try:
            pid = spawn(work, launch.environ)
        except (OSError, ValueError) as error:  # ValueError: text that no program can receive
            self.tell_end(launch, work, "failed", why(error, work))
            return
        launch.free -= 1
        self.members[pid] = member
        self.launched[member] = launch, work
        self.childless = False
        if limit is not None:
            heappush(self.limits, (time.monotonic() + limit, member))
        launch.note(number, name, "started", pid)
        self.noted.add(launch)
        self.tell("started", member, pid, time.time())

    def reap(self) -> None:
        """Take the ends of members, and of orphans that came to us."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                for ending in self.endings:
                    ending.awaited.discard(found[0])
                if found[0] in self.members:
                    self.ended(*found)
        except ChildProcessError:
            self.childless = True

    def ended(self, pid: int, status: int) -> None:
        """A member's program ended: say so, and let another one start."""
        member = self.members.pop(pid)
        launch, work = self.launched.pop(member)
        launch.free += 1
        if verdict := self.verdicts.pop(member, None):
            self.tell_end(launch, work, verdict)
        elif os.WIFSIGNALED(status):
            self.tell_end(launch, work, "signal", os.WTERMSIG(status))
        else:
            self.tell_end(launch, work, "exit", os.WEXITSTATUS(status))

    def tell_end(self, launch: Launch, work: Work, outcome: str, detail: int | str | None = None) -> None:
        """Tell the journal and the driver how a member ended."""
        launch.note(work[1], work[2], outcome, "" if detail is None else detail)
        self.noted.add(launch)
        self.tell("ended", work[0], outcome, detail, time.time())

    # --- ending many --------------------------------------------------------------------------------------------

    def end(self, members: set[int] | None, grace: float, verdict: str, token: int | None = None) -> None:
        """Cancel those of `members` that wait, and begin to end those that run."""
        for launch in self.launches:
            waiting, launch.waiting = launch.waiting, deque()
            for work in waiting:
                if members is None or work[0] in members:
                    self.tell_end(launch, work, "cancelled")
                else:
                    launch.waiting.append(work)
        self.launches = [launch for launch in self.launches if launch.waiting]
        for member in self.launched:
            if members is None or member in members:
                self.verdicts.setdefault(member, verdict)
        self.endings.append(Ending(members, grace, token))
        self.pursue(self.endings[-1])

    def end_overdue(self) -> None:
        """End members at their time limit, and go on with what is being ended."""
        now = time.monotonic()
        overdue = set()
        while self.limits and self.limits[0][0] <= now:
            overdue.add(heappop(self.limits)[1])
        if overdue := overdue & self.launched.keys():
            self.end(overdue, GRACE, "limit")
        for ending in list(self.endings):
            if now >= ending.due:
                self.step_up(ending)
            elif not ending.awaited:
                self.pursue(ending)

    def step_up(self, ending: Ending) -> None:
        """The grace is over: SIGKILL. So is the patience after that: give up, which only the kernel can be the cause of."""
        if ending.number == signal.SIGKILL:
            self.done(ending, self.victims(ending.members))
            return
        ending.number = signal.SIGKILL
        ending.due = time.monotonic() + PATIENCE
        ending.signalled.clear()
        self.pursue(ending)

    def pursue(self, ending: Ending) -> None:
        """Signal every process of an ending that was not signalled yet. When none is left, it is done."""
        # A process that forks and ends just while the table is read shows neither itself nor its child: read it again.
        victims = self.victims(ending.members) or self.victims(ending.members)
        for pid in victims.keys() - ending.signalled:
            ending.signalled.add(pid)
            send(pid, ending.number)
            send(pid, signal.SIGCONT)  # a stopped process cannot obey
        ending.awaited = {pid for pid, parent in victims.items() if parent == os.getpid()}
        running = not self.childless if ending.members is None else bool(ending.members & self.launched.keys())
        if not victims and not running:
            self.done(ending, {})

    def done(self, ending: Ending, left: dict[int, int]) -> None:
        """Tell who asked, with the processes that even SIGKILL did not end."""
        self.endings.remove(ending)
        if ending.token is not None:
            self.tell("stopped", ending.token, sorted(left))

    def victims(self, members: set[int] | None) -> dict[int, int]:
        """The living processes of `members` with their parents: below their programs, and below the orphans they left."""
        processes, ours = tree(), os.getpid()
        roots = [pid for pid, (parent, _, _) in processes.items() if parent == ours]
        if members is not None:
            roots = [pid for pid in roots if self.belongs(pid, processes[pid][1], members)]
        return {pid: processes[pid][0] for pid in below(roots, processes)}

    def belongs(self, child: int, group: int, members: set[int]) -> bool:
        """Whether a child of ours belongs to `members`: by its process group, or by the mark in its environment.

        An orphan that has got rid of both is nobody else's when no other members run.
        """
        owner = self.members.get(child) or self.members.get(group) or marked(child)
        if owner:
            return owner in members
        return {member for member, (launch, _) in self.launched.items() if not launch.service} <= members


def spawn(work: Work, environ: dict[str, str]) -> int:
    """Start a member in a process group of its own, and return its pid."""
    member, _, name, argv, cwd, env, out, err, _ = work
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    os.chdir(cwd)
    return os.posix_spawn(
        argv[0],
        argv,
        {**environ, **env, MARK: f"{name}:{member}"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, out, write, 0o666),
            (os.POSIX_SPAWN_OPEN, 2, err, write, 0o666),
        ],
        setpgroup=0,
        setsigmask=[],
        setsigdef=DEFAULT_SIGNALS,
    )


def why(error: OSError | ValueError, work: Work) -> str:
    """What kept a program from starting, and what to do about it."""
    _, _, _, (program, *_), cwd, _, out, err, _ = work
    if isinstance(error, ValueError):
        return f"program {program} could not be started: {error}; look at its arguments and variables"
    words = os.strerror(error.errno or 0)
    if not os.path.isdir(cwd):
        return f"directory {cwd} is not there; generate the ensemble again"
    if not os.path.exists(program):
        return f"program {program} is not there any more; install it again"
    if not os.access(program, os.X_OK):
        return f"program {program} may not be executed; run chmod +x on it"
    if error.errno == errno.ENOEXEC:
        return f"program {program} is no program for this machine; a script begins with a line such as #!/bin/sh"
    for path in (out, err):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
        except OSError as reason:
            return f"output file {path} cannot be written: {reason.strerror}"
    if error.errno == errno.ENOENT:
        return f"program {program} needs a program that is not there: look at its first line, or run ldd on it"
    return f"program {program} could not be started: {words}; with too many processes at once, set max_running="


def pack(message: tuple[Any, ...]) -> bytes:
    """A message behind its length."""
    data = marshal.dumps(message)
    return len(data).to_bytes(4, "little") + data


def unpack(buffer: bytearray) -> Iterator[tuple[Any, ...]]:
    """The whole messages in `buffer`, which are taken out of it."""
    while len(buffer) >= 4 and len(buffer) >= 4 + (size := int.from_bytes(buffer[:4], "little")):
        yield marshal.loads(buffer[4 : 4 + size])  # noqa: S302 - from our own process, over a private socket
        del buffer[: 4 + size]  # only now: a message that Ctrl-C interrupts is read again


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["detached"])
