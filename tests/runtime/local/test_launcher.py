"""What failed says why; any thread may start and wait; a forked process keeps its hands off."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.command import Command
from smartensemble.errors import StateError
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime.local.launcher import Local, local
from smartensemble.runtime.outcome import tail
from smartensemble.settings.run import RunSettings
from smartensemble.status import Run, Status
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]
Script = Callable[[str], str]


def run(exp: Experiment, program: str, *arguments: str) -> Model:
    """A model that ran `program`."""
    model = exp.create_model("model", exp.create_run_settings(program, list(arguments)))
    exp.start(model, progress=False)
    return model


# --- reasons --------------------------------------------------------------------------------------------------------


def test_success_needs_no_reason(exp: Experiment) -> None:
    model = run(exp, "true")

    assert (model.status, model.run.exit_code, model.run.signal, model.run.reason) == (Status.COMPLETED, 0, None, "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("exit 7", "exit code 7; it wrote nothing"),
        ("echo out; exit 7", "exit code 7; the end of model.out:\n  out"),
        ("echo out; echo err >&2; exit 7", "exit code 7; the end of model.err:\n  err"),
        ("printf '1\\n2\\n\\n3\\n4 \\n' >&2; exit 1", "exit code 1; the end of model.err:\n  2\n  3\n  4"),
        ("printf '\\xff\\n' >&2; exit 1", "exit code 1; the end of model.err:\n  \N{REPLACEMENT CHARACTER}"),
        ("rm model.err; exit 2", "exit code 2; it wrote nothing"),
    ],
)
def test_an_exit_code_comes_with_the_last_lines(line: str, reason: str, exp: Experiment) -> None:
    model = run(exp, "bash", "-c", line)

    assert (model.status, model.run.reason) == (Status.FAILED, reason)
    assert model.run.exit_code == int(reason.split(";")[0].split()[-1])


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGRTMIN"])
def test_a_signal_is_called_by_its_name(name: str, exp: Experiment) -> None:
    model = run(exp, "bash", "-c", f"ulimit -c 0; echo oh >&2; kill -{name[3:]} $$")

    assert model.run.reason == f"ended by {name}; the end of model.err:\n  oh"
    assert (model.status, model.run.exit_code, model.run.signal) == (Status.FAILED, None, signal.Signals[name])


def test_a_script_without_a_first_line_is_explained(exp: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "bare"
    path.write_text("echo hello\n")
    path.chmod(0o755)

    model = run(exp, str(path))

    assert "is no program for this machine; a script begins with a line such as #!/bin/sh" in model.run.reason
    assert (model.status, model.run.exit_code, model.run.seconds) == (Status.FAILED, None, None)


def test_a_script_whose_interpreter_is_not_there_is_explained(exp: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "windows"
    path.write_bytes(b"#!/bin/sh\r\necho hello\r\n")
    path.chmod(0o755)

    assert run(exp, str(path)).run.reason.endswith(
        "needs a program that is not there: look at its first line, or run ldd on it"
    )


def test_a_program_that_is_deleted_after_its_settings_were_made_is_explained(exp: Experiment, script: Script) -> None:
    program = script("true")
    model = exp.create_model("model", exp.create_run_settings(program))
    os.unlink(program)

    exp.start(model, progress=False)

    assert (model.status, model.run.reason) == (
        Status.FAILED,
        f"program {program} is not there any more; install it again",
    )


def test_a_program_that_lost_its_x_bit_is_explained(exp: Experiment, script: Script) -> None:
    program = script("true")
    model = exp.create_model("model", exp.create_run_settings(program))
    os.chmod(program, 0o644)

    exp.start(model, progress=False)

    assert model.run.reason == f"program {program} may not be executed; run chmod +x on it"


def test_a_directory_that_was_deleted_before_start_is_explained(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    exp.generate(model)
    os.rename(model.path, "elsewhere")

    exp.start(model, progress=False)

    assert model.run.reason == f"directory {model.path} is not there; generate the ensemble again"


def test_an_output_file_that_cannot_be_written_is_explained(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    exp.generate(model)
    Path(model.path, "model.out").mkdir()

    exp.start(model, progress=False)

    assert model.run.reason == f"output file {model.path}/model.out cannot be written: Is a directory"


def test_an_argument_that_no_program_can_receive_fails_one_member_only(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    ens[0].run_settings.exe_args += ["\ud800"]

    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.FAILED, Status.COMPLETED]
    assert "look at its arguments" in ens[0].run.reason


def test_more_arguments_than_the_system_takes_fail_one_member_only(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=exp.create_run_settings("true"))
    ens[0].run_settings.exe_args += ["x" * 3_000_000]

    exp.start(ens, progress=False)

    assert exp.get_status(ens) == [Status.FAILED, Status.COMPLETED]
    assert "Argument list too long" in ens[0].run.reason


def test_the_tail_of_a_huge_file_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 40)
        file.write(b"\nlast\n")

    assert tail(path)[-1] == "last"
    path.unlink()


def test_there_is_no_tail_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert tail(tmp_path / "missing") == ()


# --- threads and forks ------------------------------------------------------------------------------------------------


def test_any_number_of_threads_may_start_and_wait(tmp_path: Path) -> None:
    launcher = Local()
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
