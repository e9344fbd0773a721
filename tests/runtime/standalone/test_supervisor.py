"""Whatever happens to a driver or its supervisor, no process of any member is left; what lives, lives undisturbed.

Tests journal_lines, prctl, procfs and supervision.members.
"""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from smartensemble.experiment import Experiment
from smartensemble.runtime.local.launcher import local
from smartensemble.runtime.standalone.procfs import tree
from smartensemble.status import Status
from worlds.drivers import Family, children, lives, output, sentinel_and_supervisor
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]

START = """
ens = exp.create_ensemble("ens", replicas=2, run_settings=settings({program!r}, env_vars={env!r}))
exp.start(ens, block=False)
while len(Path({log!r}).read_text().splitlines()) < 2 * {size}:
    time.sleep(0.01)
print("up", flush=True)
"""


def start(family: Family) -> str:
    """What a driver does to start two families and wait until all their processes are there."""
    return START.format(program=family.program, env=family.env, log=str(family.log), size=family.size)


def come_up(process: "subprocess.Popen[str]") -> None:
    """Wait until a driver says that it is up."""
    assert process.stdout is not None
    for line in process.stdout:
        if line == "up\n":
            return
    pytest.fail("the driver ended before it was up")


# --- ends of a driver -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        "",
        "raise ValueError('wrong')",
        "os._exit(3)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
def test_nothing_outlives_a_driver_however_it_ends(end: str, driver: Driver, family: Family, eventually: Eventually) -> None:
    process = driver(start(family) + end)
    output, _ = process.communicate(timeout=PATIENCE_S)

    assert "up" in output
    assert len(family.log.read_text().splitlines()) == 12
    eventually(lambda: not family.alive())


def test_a_driver_that_ended_left_nothing_for_later(driver: Driver, stubborn_family: Family) -> None:
    driver(start(stubborn_family)).communicate(timeout=PATIENCE_S)

    assert stubborn_family.alive() == []


def test_a_process_that_ignores_sigterm_outlives_no_killed_driver(
    driver: Driver, stubborn_family: Family, eventually: Eventually
) -> None:
    process = driver(start(stubborn_family) + "time.sleep(1000)")
    come_up(process)

    process.kill()

    eventually(lambda: not stubborn_family.alive())


def test_a_driver_that_is_killed_while_it_starts_members_leaves_none(
    driver: Driver, tmp_path: Path, eventually: Eventually
) -> None:
    process = driver("""
        ens = exp.create_ensemble("ens", replicas=500, run_settings=settings("sleep", "1234"))
        exp.start(ens, block=False)
        time.sleep(1000)
    """)
    eventually((tmp_path / "study/ens/ens_9/ens_9.out").exists)

    process.kill()

    eventually(lambda: not [pid for pid in tree() if command(pid) == ["sleep", "1234"] and lives(pid)])
    assert all((directory / "params.json").is_file() for directory in tmp_path.glob("study/ens/ens_*"))


def command(pid: int) -> list[str]:
    """The command line of a process."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [os.path.basename(words[0]), *words[1:]] if words else []


def test_a_driver_ends_while_a_process_that_it_forked_lives_on(driver: Driver, family: Family) -> None:
    process = driver(start(family) + "if os.fork() == 0: os.execvp('sleep', ['sleep', '1000'])\nprint('bye')")

    process.wait(timeout=PATIENCE_S)

    assert family.alive() == []
    os.killpg(process.pid, signal.SIGKILL)


def test_a_driver_ends_while_a_fork_that_holds_everything_open_lives_on(driver: Driver, family: Family) -> None:
    process = driver(start(family) + "if os.fork() == 0: time.sleep(1000)")

    process.wait(timeout=PATIENCE_S)

    assert family.alive() == []
    os.killpg(process.pid, signal.SIGKILL)


# --- ends of the supervisor and the sentinel ---------------------------------------------------------------------------


def test_a_killed_supervisor_takes_all_members_with_it_and_the_statuses_say_so(
    exp: Experiment, stubborn_family: Family
) -> None:
    model = stubborn_family.run(exp)

    os.kill(sentinel_and_supervisor()[1], signal.SIGKILL)
    exp.wait(timeout=PATIENCE_S)

    assert stubborn_family.alive() == []
    assert (model.status, model.run.reason) == (
        Status.FAILED,
        "the supervisor was killed, and every member with it; start it again",
    )


def test_after_the_supervisor_was_killed_a_new_start_works(exp: Experiment) -> None:
    sleeper = exp.create_model("sleeper", exp.create_run_settings("sleep", ["1000"]))
    exp.start(sleeper, block=False)
    os.kill(sentinel_and_supervisor()[1], signal.SIGKILL)
    exp.wait(timeout=PATIENCE_S)
    exp.stop()

    sleeper.run_settings.exe_args[:] = ["0"]
    exp.start(sleeper, progress=False)

    assert sleeper.status is Status.COMPLETED


def test_another_experiment_starts_though_nobody_noticed_the_killed_supervisor(exp: Experiment, eventually: Eventually) -> None:
    first = exp.create_model("first", exp.create_run_settings("sleep", ["1000"]))
    exp.start(first, block=False)
    sentinel, killed = sentinel_and_supervisor()
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: not lives(sentinel))

    other = Experiment("other")
    second = other.create_model("second", other.create_run_settings("true"))
    other.start(second, progress=False)

    assert (first.status, second.status) == (Status.FAILED, Status.COMPLETED)


def test_a_supervisor_that_is_killed_amid_requests_is_an_end_and_no_error(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=50, run_settings=exp.create_run_settings("sleep", ["1000"]))
    exp.generate(ens)
    local()
    _, killed = sentinel_and_supervisor()
    os.kill(killed, signal.SIGSTOP)

    exp.start(ens, block=False)
    os.kill(killed, signal.SIGKILL)

    assert exp.wait(timeout=PATIENCE_S)
    assert set(exp.get_status(ens)) == {Status.FAILED}


def test_without_its_sentinel_the_supervisor_ends_everything(
    exp: Experiment, stubborn_family: Family, eventually: Eventually
) -> None:
    model = stubborn_family.run(exp)
    sentinel, alone = sentinel_and_supervisor()

    os.kill(sentinel, signal.SIGKILL)
    exp.wait(timeout=PATIENCE_S)

    eventually(lambda: not lives(alone))
    assert stubborn_family.alive() == []
    assert model.status.final


# --- many -----------------------------------------------------------------------------------------------------------


def test_two_thousand_members_run_at_an_open_file_limit_of_256(driver: Driver) -> None:
    process = driver("""
        import resource
        from smartensemble.runtime.standalone.procfs import tree
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        ens = exp.create_ensemble("ens", replicas=2000, run_settings=settings("sleep", "1000"))
        exp.start(ens, block=False)
        exp._runner._launcher.wait(lambda: all(member.run.status.value == "Running" for member in ens), PATIENCE_S)
        sentinel = exp._runner._launcher.sentinel
        keeper = next(pid for pid, process in tree().items() if process.parent == sentinel)
        children = [pid for pid, process in tree().items() if process.parent == keeper]
        print(len(children), len(os.listdir(f"/proc/{keeper}/fd")) < 16)
        exp.stop()
        print({str(status) for status in exp.get_status(ens)}, [pid for pid in children if pid in tree()])
    """)

    output, _ = process.communicate(timeout=PATIENCE_S)

    assert output.splitlines()[-2:] == ["2000 True", "{'Cancelled'} []"]


def test_max_running_is_never_exceeded(exp: Experiment, tmp_path: Path, script: Callable[[str], str]) -> None:
    (tmp_path / "locks").mkdir()
    program = script(f"touch {tmp_path}/locks/$$; ls {tmp_path}/locks | wc -l; sleep 0.05; rm {tmp_path}/locks/$$")
    ens = exp.create_ensemble("ens", replicas=12, run_settings=exp.create_run_settings(program))

    exp.start(ens, max_running=3, progress=False)

    counts = [int(Path(member.path, f"{member.name}.out").read_text()) for member in ens]
    assert max(counts) <= 3
    assert set(exp.get_status(ens)) == {Status.COMPLETED}


def test_each_start_has_its_own_max_running(exp: Experiment) -> None:
    settings = exp.create_run_settings("sleep", ["1000"])
    one, two, free = (exp.create_ensemble(name, replicas=4, run_settings=settings) for name in ("one", "two", "free"))

    exp.start(one, block=False, max_running=1)
    exp.start(two, block=False, max_running=2)
    exp.start(free, block=False)

    local().wait(lambda: all(member.run.status is Status.RUNNING for member in free), PATIENCE_S)
    assert [exp.get_status(ens).count(Status.RUNNING) for ens in (one, two, free)] == [1, 2, 4]


def test_a_member_that_cannot_start_leaves_its_place_to_the_next(exp: Experiment, script: Callable[[str], str]) -> None:
    program = script("exit 0")
    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings(program))
    exp.generate(ens)
    Path(ens[0].path).rename("elsewhere")

    exp.start(ens, max_running=1, progress=False)

    assert exp.get_status(ens) == [Status.FAILED, Status.COMPLETED, Status.COMPLETED]


# --- what a driver keeps -------------------------------------------------------------------------------------------


def test_start_leaves_the_driver_as_it_was(exp: Experiment, eventually: Eventually) -> None:
    def seen() -> tuple[object, ...]:
        handlers = [signal.getsignal(number) for number in signal.Signals]
        threads = os.listdir("/proc/self/task")
        return dict(os.environ), os.getcwd(), handlers, threads, resource.getrlimit(resource.RLIMIT_NOFILE), os.umask(0o022)

    before = seen()

    assert output(exp, "true") == ""

    eventually(lambda: seen() == before)  # the kernel forgets a thread a moment after Python has


def test_a_handler_of_the_user_survives(exp: Experiment) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGCHLD, handler)

    assert output(exp, "echo", "done") == "done\n"

    assert signal.signal(signal.SIGCHLD, before) is handler


def test_no_zombies_are_left(exp: Experiment, script: Callable[[str], str]) -> None:
    program = script("for n in 1 2 3; do (setsid true &); done; true")
    ens = exp.create_ensemble("ens", replicas=10, run_settings=exp.create_run_settings(program))

    exp.start(ens, progress=False)
    exp.stop()

    assert children(sentinel_and_supervisor()[1]) == []
    assert children(sentinel_and_supervisor()[0]) == [sentinel_and_supervisor()[1]]


def test_a_time_limit_fails_a_member_with_all_that_it_started(exp: Experiment, family: Family) -> None:
    settings = exp.create_run_settings(family.program, env_vars=family.env, time_limit=1.5)
    model = exp.create_model("model", settings)

    exp.start(model, progress=False)
    exp.stop()

    assert family.alive() == []
    assert model.status is Status.FAILED
    assert model.run.reason.startswith("ended at its time limit of 1.5 s")


def test_a_time_limit_that_is_not_reached_changes_nothing(exp: Experiment) -> None:
    assert output(exp, "echo", "in time", time_limit="01:00:00") == "in time\n"


@pytest.mark.parametrize("limit", [3e7, 9e8])
def test_a_time_limit_may_be_years(limit: float, exp: Experiment) -> None:
    assert output(exp, "bash", "-c", "sleep 0.2; echo done", time_limit=limit) == "done\n"


def test_each_member_has_its_own_time_limit(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("sleep", ["1000"]))
    ens[0].run_settings.time_limit = 0.2

    exp.start(ens, block=False)
    exp.wait(ens[0], timeout=PATIENCE_S)

    assert exp.get_status(ens) == [Status.FAILED, Status.RUNNING]


def test_the_seconds_of_a_run_stand_still_after_its_end(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    before = time.time()
    exp.start(model, progress=False)

    first, second = model.run.seconds, model.run.seconds

    assert first == second is not None
    assert before - 1 < (model.run.started or 0) <= (model.run.ended or 0) <= time.time() + 1


@pytest.mark.parametrize("victim", ["driver", "supervisor"])
def test_five_hundred_members_that_detach_themselves_survive_nobody(
    victim: str, driver: Driver, tmp_path: Path, eventually: Eventually
) -> None:
    log = tmp_path / "log"
    escape = f"(setsid sh -c 'echo $$ >> {log}; exec sleep 1000' &); echo $$ >> {log}; exec sleep 1000"
    process = driver(f"""
        ens = exp.create_ensemble("ens", replicas=500, run_settings=settings("sh", "-c", {escape!r}))
        exp.start(ens, block=False)
        print(exp._runner._launcher.sentinel, flush=True)
        signal.pause()
    """)
    assert process.stdout
    sentinel = next(int(line) for line in process.stdout if line.strip().isdecimal())
    eventually(lambda: log.exists() and len(log.read_text().split()) == 1000)

    keeper = next(pid for pid, process in tree().items() if process.parent == sentinel)
    os.kill(process.pid if victim == "driver" else keeper, signal.SIGKILL)

    eventually(lambda: not any(lives(int(pid)) for pid in log.read_text().split()))
    assert len(log.read_text().split()) == 1000
