"""Any thread may start and wait; a forked process keeps its hands off.

Tests protocol.
"""

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from smartensemble.command import Command
from smartensemble.errors import StateError
from smartensemble.experiment import Experiment
from smartensemble.runtime.local.launcher import Local, local
from smartensemble.runtime.local.protocol import Launcher
from smartensemble.settings.run import RunSettings
from smartensemble.status import Run, Status
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]


def test_any_number_of_threads_may_start_and_wait(tmp_path: Path) -> None:
    launcher: Launcher = Local()
    big = {"BIG": "x" * 100_000}  # larger than one write to the socket

    def work(name: int, ends: list[Status]) -> None:
        jobs = [(Command(("/bin/true",), tmp_path, big, f"{name}-{number}"), Run()) for number in range(10)]
        launcher.start(jobs, tmp_path / "journal.tsv")
        launcher.wait(lambda: all(run.status.final for _, run in jobs), PATIENCE_S)
        ends += [run.status for _, run in jobs]

    ends: list[Status] = []
    threads = [threading.Thread(target=work, args=(name, ends)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert ends == [Status.COMPLETED] * 80


def test_threads_that_start_first_share_one_supervisor(driver: Driver) -> None:
    process = driver("""
        from smartensemble.runtime.local.launcher import local
        barrier, found = threading.Barrier(8), []
        def first():
            barrier.wait()
            found.append(local())
        threads = [threading.Thread(target=first) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(found), len(set(map(id, found))))
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "8 1\n"


def test_a_wait_in_one_thread_ends_when_another_thread_reads_the_news(exp: Experiment) -> None:
    short = exp.create_model("short", exp.create_run_settings("sleep", ["0.3"]))
    long = exp.create_model("long", exp.create_run_settings("sleep", ["1000"]))
    exp.start(short, long, block=False)
    ended: list[bool] = []

    reader = threading.Thread(target=lambda: ended.append(exp.wait(long, timeout=PATIENCE_S)))
    reader.start()

    assert exp.wait(short, timeout=PATIENCE_S)
    exp.stop(long)
    reader.join(PATIENCE_S)
    assert ended == [True]


def test_wait_returns_false_when_the_time_is_over(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("sleep", ["1000"]))
    exp.start(model, block=False)

    assert not exp.wait(timeout=0)
    assert not exp.wait(model, timeout=0.1)


def test_a_wait_may_last_for_years(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("sleep", ["0.1"]))
    exp.start(model, block=False)

    assert exp.wait(timeout=1e12)


def test_a_fork_takes_no_news_from_its_parent(driver: Driver) -> None:
    process = driver("""
        ens = exp.create_ensemble("ens", replicas=20, run_settings=settings("true"))
        exp.start(ens, block=False, max_running=4)
        child = os.fork()
        if child == 0:
            for _ in range(20000): exp.get_status(ens)
            os._exit(0)
        os.waitpid(child, 0)
        print(exp.wait(timeout=PATIENCE_S), {str(status) for status in exp.get_status(ens)})
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "True {'Completed'}\n"


def test_a_fork_that_waits_for_its_parents_members_is_told_so(driver: Driver) -> None:
    process = driver("""
        from smartensemble.errors import StateError
        model = exp.create_model("model", settings("sleep", "1000"))
        exp.start(model, block=False)
        child = os.fork()
        if child == 0:
            for act in exp.wait, exp.stop:
                try:
                    act()
                except StateError as error:
                    print(str(error).replace(str(os.getppid()), "PARENT"), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(model.status.active)
    """)

    told = "launcher 'local': its members belong to process PARENT, which this one is a fork of; ask there\n"
    assert process.communicate(timeout=PATIENCE_S)[0] == 2 * told + "True\n"


def test_a_fork_starts_its_own_and_leaves_those_of_its_parent(driver: Driver) -> None:
    process = driver("""
        theirs = exp.create_model("theirs", settings("sleep", "1000"))
        exp.start(theirs, block=False)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            other = Experiment("other")
            mine = other.create_model("mine", settings("true"))
            other.start(mine, progress=False)
            print(mine.status, flush=True)
            sys.exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), theirs.status.active)
    """)

    assert process.communicate(timeout=PATIENCE_S)[0] == "Completed\n0 True\n"


def test_a_stop_of_what_a_fork_inherited_is_refused(exp: Experiment) -> None:
    launcher = local()
    child = os.fork()
    if child == 0:
        try:
            launcher.stop([], 0)
        except StateError:
            os._exit(7)
        os._exit(1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_lines_of_shell_run_before_a_member(exp: Experiment) -> None:
    settings = RunSettings("bash", ["-c", 'echo "$GREETING" "$0"', "it's me"])
    settings.add_preamble("export GREETING=${PWD##*/}")
    model = exp.create_model("melt", settings)

    exp.start(model, progress=False)

    assert Path(model.path, "melt.out").read_text() == "melt it's me\n"
