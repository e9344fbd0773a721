"""Who is alive: containers, other machines, restarts.

Tests process and life.
"""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest

from smartensemble import Experiment, Status
from smartensemble.errors import StateError
from smartensemble.runtime.journal.journal import FOLDER
from smartensemble.runtime.journal.life import LEASE_S, Evidence, Life, SignLock, life
from smartensemble.runtime.journal.process import Process
from smartensemble.runtime.standalone import procfs
from smartensemble.runtime.standalone.journal_lines import Sign

Driver = Callable[..., "Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]

IN_A_CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")
UNDER_ANOTHER_NAME = ("unshare", "--user", "--map-root-user", "--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh")
OLD, FRESH = 2 * LEASE_S, LEASE_S / 2


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        # What this process sees decides, whatever the sign looks like.
        (Evidence(runs=True, lock=SignLock.NO_FILE), Life.SEEN),
        (Evidence(runs=False, lock=SignLock.HELD), Life.GONE),
        # On one machine the kernel's lock decides, however old the sign is.
        (Evidence(None, SignLock.HELD, OLD, same_boot=True), Life.SEEN),
        (Evidence(None, SignLock.FREE, FRESH, same_boot=True), Life.GONE),
        (Evidence(None, SignLock.UNTOLD, FRESH, same_boot=True), Life.HEARD),
        (Evidence(None, SignLock.UNTOLD, OLD, same_boot=True), Life.SILENT),
        # Elsewhere its age does: a lock there may be of that machine alone, or left by a machine that is gone.
        (Evidence(None, SignLock.FREE, FRESH), Life.HEARD),
        (Evidence(None, SignLock.HELD, OLD), Life.SILENT),
        (Evidence(None, SignLock.FREE, OLD), Life.SILENT),
        # Who was declared dead, or ran before its machine was restarted, is gone.
        (Evidence(None, SignLock.NO_FILE, FRESH), Life.GONE),
        (Evidence(None, SignLock.FREE, FRESH, restarted=True), Life.GONE),
        (Evidence(None, restarted=True), Life.GONE),
        # Nothing is known without a sign.
        (Evidence(), Life.UNTOLD),
        (Evidence(same_boot=True), Life.UNTOLD),
    ],
)
def test_what_is_known_says_whether_a_process_lives(evidence: Evidence, expected: Life) -> None:
    assert evidence.life is expected


def test_what_may_be_run_by_others_is_what_nobody_runs() -> None:
    assert {known for known in Life if known.over} == {Life.SILENT, Life.GONE}


def test_a_process_is_known_by_more_than_its_number(tmp_path: Path) -> None:
    me = Process.this()
    others = {
        "a number that was given again": replace(me, began=me.began + 1),
        "its machine was restarted": replace(me, boot="0" * 36),
        "it ran in a container": replace(me, namespace="pid:[1]", sign="alive-x"),
        "a record of version 0.1.0, and the number was given again": Process(me.pid, me.host, me.began + 1),
    }

    assert life(me, tmp_path) is Life.SEEN
    assert life(Process(me.pid, me.host, me.began), tmp_path) is Life.SEEN
    assert {what: life(other, tmp_path) for what, other in others.items()} == dict.fromkeys(others, Life.GONE)
    assert life(Process(1, "elsewhere", 1), tmp_path) is Life.UNTOLD
    assert procfs.began(2**22 + 1) is None


def test_the_name_of_a_machine_may_change(tmp_path: Path) -> None:
    me = Process.this()

    assert life(replace(me, host="renamed"), tmp_path) is Life.SEEN
    assert life(replace(me, host="renamed", began=1), tmp_path) is Life.GONE


def seen_from_another_machine(folder: Path, name: str) -> Process:
    """The process that wrote the sign `name`, as if that had happened elsewhere."""
    path = folder / name
    record = json.loads(path.read_text()) | {"host": "elsewhere", "boot": "0" * 36}
    path.write_text(json.dumps(record))
    return Process.read(record)


def test_a_sign_of_another_machine_holds_as_long_as_it_is_renewed(tmp_path: Path) -> None:
    sign = Sign(str(tmp_path), "alive-x")
    process = seen_from_another_machine(tmp_path, "alive-x")

    assert life(process, tmp_path) is Life.HEARD
    os.utime(sign.path, (1, 1))  # as for a reader that begins to look now
    assert life(process, tmp_path) is Life.HEARD  # it was written while we watched
    os.rename(sign.path, tmp_path / "alive-y")
    assert life(replace(process, sign="alive-y"), tmp_path) is Life.SILENT
    assert life(process, tmp_path) is Life.GONE
    sign.close()


def test_on_two_mounts_of_one_file_system_a_free_lock_tells_nothing(tmp_path: Path) -> None:
    sign = Sign(str(tmp_path), "alive-x")
    sign.close()
    in_a_container = replace(Process.read(json.loads(Path(sign.path).read_text())), namespace="pid:[1]")
    assert life(in_a_container, tmp_path) is Life.GONE

    record = json.loads(Path(sign.path).read_text())
    Path(sign.path).write_text(json.dumps(record | {"device": record["device"] + 1}))

    assert life(in_a_container, tmp_path) is Life.HEARD


@pytest.mark.parametrize("shared", [True, False])
def test_a_driver_renews_its_sign_where_other_machines_may_look(shared: bool, tmp_path: Path, driver: Driver) -> None:
    """Elsewhere it would be for nothing, and a thread of the user's process."""
    process = driver(f"""
        import threading
        from smartensemble.runtime.journal import lock
        lock.RENEW_S, lock.unshared = 0.01, lambda folder: {not shared}
        right = lock.Lock(Path("journal"))
        right.acquire("study")
        sign = Path("journal", right.name)
        os.utime(sign, (0, 0))
        while {shared} and not sign.stat().st_mtime:
            pass
        print(threading.active_count(), sign.stat().st_mtime > 0)
    """)

    assert process.communicate()[0].split() == (["2", "True"] if shared else ["1", "False"])


def test_who_was_forked_or_started_does_not_hold_a_sign(exp: Experiment, driver: Driver) -> None:
    process = driver("""
        exp.start(exp.create_model("model", settings("ls", "-l", "/proc/self/fd")), progress=False)
        exp.start(exp.create_model("sleeper", settings("sleep", "1000")), block=False)
        if os.fork():
            os.wait()
        print(*(os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()), flush=True)
        os._exit(0)
    """)

    forked, forking = process.communicate()[0].splitlines()[-2:]

    assert "/lock-" in forking
    assert "/lock-" not in forked
    output = Path(exp.exp_path, "model", "model.out").read_text()
    assert output
    assert "/alive-" not in output


@pytest.mark.needs("namespaces")
def test_members_in_a_container_of_the_same_name_are_seen_and_stopped_and_never_run_twice(
    exp: Experiment, driver: Driver, eventually: Eventually
) -> None:
    process = driver(
        """
        ens = exp.create_ensemble("ens", replicas=2, run_settings=settings("sh", "-c", "echo >> ran; exec sleep 1000"))
        exp.start(ens, block=False)
        exp.wait()
        print(*exp.get_status(ens))
        """,
        wrapper=IN_A_CONTAINER,
    )
    settings = exp.create_run_settings("sh", ["-c", "echo >> ran"])
    ens = exp.create_ensemble("ens", replicas=2, run_settings=settings)
    eventually(lambda: exp.get_status(ens) == [Status.RUNNING] * 2)

    with pytest.raises(StateError, match=r"ens_0: runs in .*; wait for it or stop it first$"):
        exp.start(ens)
    with pytest.raises(StateError, match=r"pid 1 on .* generates or starts in .*; wait until it has ended$"):
        exp.start(exp.create_model("other", settings))
    with pytest.raises(StateError, match=r"ens_0: is run by pid \d+ on .*, which lives; stop it instead"):
        exp.abandon(ens)
    exp.stop(ens)

    assert exp.get_status(ens) == [Status.CANCELLED] * 2
    assert [Path(member.path, "ran").read_text() for member in ens] == ["\n"] * 2
    assert process.communicate()[0].splitlines()[-1] == "Cancelled Cancelled"


@pytest.mark.needs("namespaces")
def test_a_container_that_was_killed_is_in_nobodys_way(exp: Experiment, driver: Driver, eventually: Eventually) -> None:
    process = driver(
        """
        exp.start(exp.create_model("night", settings("sleep", "1000")), detach=True, block=False)
        exp.start(exp.create_model("day", settings("sleep", "1000")), block=False)
        exp.wait()
        """,
        wrapper=IN_A_CONTAINER,
    )
    models = [exp.create_model(name, exp.create_run_settings("true")) for name in ("day", "night")]
    eventually(lambda: exp.get_status(*models) == [Status.RUNNING] * 2)

    process.kill()  # and with it all processes of its namespace

    eventually(lambda: all(status.final for status in exp.get_status(*models)))
    assert models[1].status is Status.FAILED
    assert "is gone and left no word; start it again" in models[1].run.reason
    exp.start(*models, progress=False)
    assert exp.get_status(*models) == [Status.COMPLETED] * 2
    assert len(list(Path(exp.exp_path, FOLDER).glob("alive-*"))) == 1  # the one of our own supervisor


@pytest.mark.needs("namespaces")
def test_the_name_of_a_machine_that_is_gone_keeps_nothing(exp: Experiment, driver: Driver, eventually: Eventually) -> None:
    process = driver(
        """
        exp.start(exp.create_model("model", settings("sleep", "1000")), block=False)
        print("started", flush=True)
        exp.wait()
        """,
        wrapper=UNDER_ANOTHER_NAME,
    )
    assert process.stdout
    assert process.stdout.readline() == "started\n"
    model = exp.create_model("model", exp.create_run_settings("true"))
    assert exp.get_status(model)[0].active
    with pytest.raises(StateError, match=rf"model: runs in {model.path}; wait for it or stop it first$"):
        exp.start(model)

    os.kill(process.pid, signal.SIGKILL)

    eventually(lambda: exp.get_status(model) == [Status.CANCELLED])
    exp.start(model, progress=False)
    assert model.status is Status.COMPLETED


@pytest.mark.needs("namespaces")
def test_where_proc_is_of_another_namespace_nothing_is_started(exp: Experiment, driver: Driver) -> None:
    process = driver("""exp.start(exp.create_model("model", settings("true")))""", wrapper=IN_A_CONTAINER[:-1])

    assert "launcher 'local': /proc shows the processes of another PID namespace" in process.communicate()[0]
    assert not Path("study").exists()
