"""What failed says why, in words that a person can act on."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime.outcome import printable, tail
from smartensemble.status import Status

Script = Callable[[str], str]


def run(exp: Experiment, program: str, *arguments: str) -> Model:
    """A model that ran `program`."""
    model = exp.create_model("model", exp.create_run_settings(program, list(arguments)))
    exp.start(model, progress=False)
    return model


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


def before(exp: Experiment, command: str) -> Model:
    """A member that does something to a program after the start has looked at it."""
    return exp.create_model("before", exp.create_run_settings("sh", ["-c", command]))


def test_a_program_that_is_deleted_after_its_settings_were_made_is_explained(exp: Experiment, script: Script) -> None:
    program = script("true")
    model = exp.create_model("model", exp.create_run_settings(program))

    exp.start(before(exp, f"rm {program}"), model, progress=False, max_running=1)

    assert (model.status, model.run.reason) == (
        Status.FAILED,
        f"program {program} is not there any more; install it again",
    )


def test_a_program_that_lost_its_x_bit_is_explained(exp: Experiment, script: Script) -> None:
    program = script("true")
    model = exp.create_model("model", exp.create_run_settings(program))

    exp.start(before(exp, f"chmod a-x {program}"), model, progress=False, max_running=1)

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
    assert "Argument list too long; its arguments and variables are too long; put long ones into a file" in ens[0].run.reason
    assert "max_running" not in ens[0].run.reason


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


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain, é漢😀\ttext", "plain, é漢😀 text"),
        ("\x1b[1;31mred\x1b[0m \x1b[38:5:1mred", "red red"),
        ("\x1b[2J\x1b[H\x1b[?1049hcleared", "cleared"),
        ("\x1b]0;a title\x07said \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "said link"),
        ("\x1bP1$r0m\x1b\\said\x1b]52;c;never ended", "said"),
        ("\x9b31mred \x9d0;title\x9csaid", "red said"),
        ("\x1bcreset \x1b(0box \x1b7saved\x1b", "reset box saved"),
        ("over\x08\x08ride\x00\x7f\x0e", "override"),
        ("evil\u202etxt.exe\u200b", "eviltxt.exe"),
        ("a\xa0b  ", "a b"),
        ("\x1b[0m", ""),
    ],
)
def test_output_in_a_message_tells_a_terminal_nothing(line: str, shown: str) -> None:
    assert printable(line) == shown


def test_the_reason_has_no_escape_codes_of_a_member(exp: Experiment) -> None:
    shell = exp.create_run_settings("bash", ["-c", r"printf '\e]0;title\a\e[31mERROR: lost atoms\e[0m\n\e[0m\n' >&2; exit 1"])
    model = exp.create_model("model", shell)

    exp.start(model, progress=False)

    assert model.run.last_lines == ("ERROR: lost atoms",)
    assert "\x1b" not in model.run.reason


def test_a_program_that_somebody_writes_to_is_explained(exp: Experiment) -> None:
    shutil.copy("/bin/true", "program")
    model = exp.create_model("model", exp.create_run_settings("./program"))

    with open("program", "ab"):
        exp.start(model, progress=False)

    assert "Text file busy; somebody writes to it now; start it again when" in model.run.reason
    assert "max_running" not in model.run.reason
