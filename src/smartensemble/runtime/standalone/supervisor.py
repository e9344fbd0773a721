"""A small program that runs the members on this machine, and never lets one outlive its driver.

It is started once for each driver, with nothing but the standard library, and is two processes:

    driver ── sentinel ── supervisor ── member, member, member, ...

The *supervisor* starts members, waits for them, and ends them. It is a single thread that sleeps in ``poll`` until the
driver sends a request, a process ends (SIGCHLD) or a time limit is reached. No descriptor is held for a member: its
end comes from ``waitpid``, and its output files are opened by the child itself.

It is a *subreaper*: a process whose parent ended, also one that called ``setsid`` and forked twice, becomes its
child. So everything that members ever started is below it, and it is done when it has no children left.

The *sentinel* is a subreaper as well, and only waits. If the supervisor is killed, it inherits everything below,
kills it, and ends.

Everything is ended when the driver ends, however it ends: the socket to the driver then reads as closed, and the
driver's process descriptor as ready.

A *detached* supervisor is nobody's child, and goes on when its driver ends, until its members have ended.

The supervisor appends each event of a member to its journal (see ``journal.py``) as it happens, and sends it to the driver
if there is one.

Requests and events are values in ``marshal``, each behind its length in four bytes; the same interpreter is at both ends:

.. display-only: the messages, which are no code

::

    ("launch", max_running, environ, journal,
     [(member, number, name, argv, cwd, env, out, err, time_limit, restart), ...], service, more)
    ("stop", token, [member, ...], grace)

    ("started", member, pid, time)    ("ended", member, outcome, detail, time)    ("stopped", token, [pid that lives, ...])

An outcome is "exit" (detail: the code), "signal" (its number), "failed" (why it could not be started), "limit" or
"cancelled" (nothing). Another process sends requests by files beside the journal, see ``stop_requests.py``, and SIGUSR1.
Without the signal, as from another machine, they are found a few seconds later.

The sentinel writes to its standard output, which the driver reads when the supervisor is gone: "up MARK PID", with its own
number, when the supervisor is there, "failed WHY" if it cannot be started, and "ended" when everything that it has left has
ended.

See prctl(2), PR_SET_CHILD_SUBREAPER; credentials(7) for process groups.
"""

from __future__ import annotations

import os
import select
import signal
import time

from .errors import FLUSH_INTERVAL_S, LONGEST_SLEEP_MS, RETRY_S, TERM_GRACE_S
from .inheritance import put_right
from .messages import Channel, unpack
from .prctl import adopt_orphans, end_with
from .procfs import began, below, send, tree
from .supervision import stop_requests
from .supervision.endings import Endings
from .supervision.mark import mark_of_supervisor
from .supervision.members import Members
from .supervision.spawn import Work

TYPE_CHECKING = False  # importing typing would cost a third of the time that a program here takes to start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def main(arguments: list[str]) -> None:
    """Split into sentinel and supervisor."""
    channel, driver, *detached = arguments
    put_right()
    os.chdir("/")  # a directory in which a process stays cannot be unmounted
    try:
        if detached and os.fork():
            os._exit(0)  # the driver waits for this one; what goes on is nobody's child
        adopt_orphans()
        sentinel = os.getpid()
        supervisor = os.fork()
    except OSError as error:
        say(f"failed {error.strerror}")
        os._exit(1)
    if supervisor:
        os.close(int(channel))
        say(f"up {mark_of_supervisor(supervisor, began(supervisor))} {sentinel}")
        watch_over(supervisor)
        say("ended")
    else:
        os.dup2(0, 1)  # what the sentinel says ends with the sentinel
        adopt_orphans()
        if not end_with(sentinel, signal.SIGTERM):
            os._exit(1)
        served = Supervisor(int(channel), int(driver), bool(detached))
        served.serve()
        served.members.signs.remove()
    os._exit(0)


def say(line: str) -> None:
    """Tell the driver, if it is there."""
    try:
        os.write(1, f"{line}\n".encode())
    except OSError:
        pass


def watch_over(supervisor: int) -> None:
    """Wait for the supervisor's end; then kill everything that it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.wait()[0] != supervisor:
        pass
    try:
        while True:
            if not os.waitpid(-1, os.WNOHANG)[0]:  # something is there, and lives
                for pid in below([os.getpid()], tree()):
                    if pid != os.getpid():
                        send(pid, signal.SIGKILL)
                os.wait()
    except ChildProcessError:
        return


class Supervisor:
    """The loop: what wakes the supervisor, and what it does then."""

    def __init__(self, channel: int, driver: int, detached: bool) -> None:
        self.channel = Channel(channel)
        self.driver = driver  #: the driver's process descriptor; -1 if there is none
        self.detached = detached
        self.members = Members(self.channel.tell)
        self.endings = Endings(self.members, self.channel.tell)
        self.alone = False  #: detached, and without a driver by now
        self.closing = False
        self.terminated = False  #: SIGTERM has come
        self.requested = False  #: SIGUSR1 has come: somebody has written a request beside a journal
        self.flushed = 0.0  #: when events were last sent, by the monotonic clock
        self.wake, self.wakes = os.pipe()
        self.poll = select.poll()

    def serve(self) -> None:
        """Work until the driver has ended and no process is left below."""
        self.watch()
        while not (self.closing and not self.endings.open):
            for descriptor, events in self.poll.poll(self.timeout()):
                self.take(descriptor, events)
            if self.terminated:
                self.close()
            if self.members.active and time.monotonic() >= self.members.signs.due():
                self.look_around()
            if self.requested:
                self.take_requests()
            self.reap()
            self.members.revive()
            self.members.start_one()
            if overdue := self.members.overdue():
                self.endings.begin(overdue, TERM_GRACE_S, "limit")
            self.endings.advance()
            self.flush()
            if self.alone and not (self.members.active or self.endings.open):
                self.close()

    def watch(self) -> None:
        """Let signals and descriptors end a sleep."""
        for descriptor in (self.channel.descriptor, self.wake, self.wakes):
            os.set_blocking(descriptor, False)
        for descriptor in (self.channel.descriptor, self.driver):  # passed on to us, but not to the members
            if descriptor >= 0:
                os.set_inheritable(descriptor, False)
        signal.set_wakeup_fd(self.wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "terminated", True))
        signal.signal(signal.SIGUSR1, lambda *_: setattr(self, "requested", True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for descriptor in (self.wake, self.channel.descriptor, self.driver):
            if descriptor >= 0:
                self.poll.register(descriptor, select.POLLIN)

    def timeout(self) -> float | None:
        """Milliseconds until the next work that nothing else announces; None for never."""
        if self.members.startable():
            return 0
        limit = self.members.next_limit()
        due = [ending.due for ending in self.endings.open] + ([] if limit is None else [limit]) + self.members.restarts()
        due += [self.members.signs.due()] * self.members.active
        due += [time.monotonic() + RETRY_S] * bool(self.members.noted)  # a full disk did not take their lines
        return milliseconds(due, time.monotonic())

    def take(self, descriptor: int, events: int) -> None:
        """Handle a descriptor that is ready."""
        if descriptor == self.wake:
            os.read(self.wake, 4096)
        elif descriptor == self.driver:
            self.close()
        elif events & ~select.POLLOUT and not self.closing:
            self.receive()

    # --- requests -----------------------------------------------------------------------------------------------

    def receive(self) -> None:
        """Read requests of the driver, and do them."""
        if not self.channel.read():
            if self.detached:
                self.alone = True
                self.poll.unregister(self.channel.descriptor)
            else:
                self.close()
        requests: dict[str, Callable[..., None]] = {"launch": self.launch, "stop": self.stop}
        for name, *values in unpack(self.channel.inbox):
            requests[name](*values)

    def launch(
        self,
        max_running: int | None,
        environ: dict[str, str],
        journal: str,
        works: list[tuple[Any, ...]],
        service: bool = False,
        more: bool = False,
    ) -> None:
        """Queue members, which come as the values of :class:`Work`."""
        self.members.launch(max_running, environ, journal, [Work(*values) for values in works], service, more)

    def stop(self, token: int, members: list[int], grace: float) -> None:
        """End members: those that wait, those that run, and what those that ended left behind."""
        self.endings.begin(set(members), grace, "cancelled", token)

    def look_around(self) -> None:
        """Show that this process lives, and see what others have left for it without a signal."""
        lost = self.members.signs.renew()
        for launch in self.members.known():
            if launch.sign in lost and not launch.abandoned and os.path.exists(launch.journal):
                launch.abandoned = True
                self.endings.begin(set(launch.ids.values()), TERM_GRACE_S, "cancelled")
        self.take_requests()

    def take_requests(self) -> None:
        """End the members that other processes have named beside a journal."""
        self.requested = False
        launches = {launch.journal: launch for launch in self.members.known()}
        for journal, grace, numbers in stop_requests.take(launches):
            launch = launches[journal]
            launch.stopped.update(numbers)
            named = {launch.ids[number] for number in launch.stopped & launch.ids.keys()}
            self.endings.begin(named, grace, "cancelled")

    def close(self) -> None:
        """End everything, and then this process."""
        if not self.closing:
            self.closing = True
            if not self.alone:
                self.poll.unregister(self.channel.descriptor)
            if self.driver >= 0:
                self.poll.unregister(self.driver)
            self.endings.begin(None, TERM_GRACE_S, "cancelled")

    # --- what happens below, and its reports ------------------------------------------------------------------------

    def reap(self) -> None:
        """Handle the ends of members, and of orphans that became our children."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG | os.WUNTRACED))[0]:
                pid, status = found
                if os.WIFSTOPPED(status):
                    self.members.take_stop(pid)
                    continue
                self.endings.reaped(pid)
                self.members.take_end(pid, status)
        except ChildProcessError:
            self.members.childless = True

    def flush(self) -> None:
        """Write journals and send events; a few at a time while members are being started, not one by one."""
        if self.members.startable() and time.monotonic() < self.flushed + FLUSH_INTERVAL_S:
            return
        self.flushed = time.monotonic()
        self.members.write_journals()
        self.channel.write()
        if not self.closing and not self.alone:
            self.poll.modify(self.channel.descriptor, select.POLLIN | (select.POLLOUT if self.channel.outbox else 0))


def milliseconds(due: Iterable[float], now: float) -> float | None:
    """How long to sleep until the first time in `due`; None for ever.

    >>> milliseconds([12.5, 11.0], 10.0), milliseconds([9.0], 10.0), milliseconds([], 10.0)
    (1001.0, 0.0, None)
    """
    return min((min(max(0.0, (each - now) * 1000 + 1), LONGEST_SLEEP_MS) for each in due), default=None)
