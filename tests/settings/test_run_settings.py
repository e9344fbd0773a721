"""Settings are checked when they are made: what a program, a shell or a scheduler would choke on never gets there."""

import shlex
import sys
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble import BatchSettings, RunSettings, Singularity
from smartensemble.duration import seconds
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError, NotExecutableError, ParameterError
from smartensemble.settings.arguments import arguments
from smartensemble.settings.batch import portable_options
from smartensemble.settings.command import command_of, spelled
from smartensemble.settings.container import inside
from smartensemble.settings.executable import find_program

ENV = find_program("env")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a program, a file that is none, and a directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("melt", "bin/melt", "my melt"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "in.melt").touch(0o644)
    return tmp_path


@pytest.mark.parametrize("exe", ["melt", "./melt", "bin/melt", "bin/../melt", "my melt", Path("melt")])
def test_a_program_is_found_below_the_working_directory(home: Path, exe: str | Path) -> None:
    assert RunSettings(exe).exe == str((home / exe).resolve())


def test_a_program_on_path_is_found_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "bin")

    assert RunSettings("melt").exe == f"{home}/bin/melt"


@pytest.mark.parametrize(
    ("exe", "error", "message"),
    [
        ("nope", MissingFileError, "nope: no such program on PATH; give its path, or install it"),
        ("./nope", MissingFileError, "./nope: no such program; give the path of one that is there"),
        (
            "melt -in x",
            MissingFileError,
            "melt -in x: no such program on PATH; give its name alone, and its arguments as exe_args",
        ),
        ("in.melt", NotExecutableError, "in.melt: may not be executed; run chmod +x in.melt"),
        ("bin", NotExecutableError, "bin: is a directory; give the program in it"),
        ("", InputValueError, "exe: '' is no program; give its name or path"),
        (" ", InputValueError, "exe: ' ' is no program; give its name or path"),
        ("a\0b", InputValueError, "exe: 'a\\x00b' holds a NUL character, which no program can receive; take it out"),
        *(
            (exe, InputTypeError, f"exe: {exe!r} is no program; give its name or path, and its arguments as exe_args")
            for exe in (None, 1, True, b"melt", ["melt"], [])
        ),
    ],
)
def test_a_program_that_cannot_run_is_an_error_at_once(exe: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        RunSettings(exe)

    assert str(caught.value) == message


def test_a_program_beside_this_python_is_pointed_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "bin" / "python"))
    (home / "melt").unlink()

    with pytest.raises(FileNotFoundError, match=r"there is .*/bin/melt: give that, or activate the environment"):
        RunSettings("melt")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_text_is_split_as_the_shell_would_and_lists_are_not_split(given: list[str]) -> None:
    assert arguments("exe_args", shlex.join(given)) == arguments("exe_args", given) == given


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        (["-n", 4, 0.5, Path("a b")], ["-n", "4", "0.5", "a b"]),
        (("a",), ["a"]),
        ((str(number) for number in range(2)), ["0", "1"]),
        (np.array([1, 2]), ["1", "2"]),
        ([np.float32(0.1)], ["0.1"]),
    ],
)
def test_arguments_are_text_numbers_and_paths(given: list[str], expected: list[str]) -> None:
    assert RunSettings("env", given).exe_args == expected


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("a 'b", InputValueError, 'exe_args: "a \'b" cannot be split (No closing quotation); give a list of arguments'),
        (["a\0"], InputValueError, "exe_args: 'a\\x00' holds a NUL character, which no program can receive; take it out"),
        *(
            (bad, InputTypeError, f"exe_args: {bad!r} is no list of arguments; for example ['-in', 'in.melt']")
            for bad in (1, 0, b"x", {"a": 1}, {"a"}, Path("x"))
        ),
        *(
            ([bad], InputTypeError, f"exe_args: {bad!r} is neither text nor a number; give one of these")
            for bad in (None, [1], b"x", {"a": 1})
        ),
    ],
)
def test_what_is_no_argument_is_an_error(given: list[str], error: type[Exception], message: str) -> None:
    for act in (lambda: RunSettings("env", given), lambda: RunSettings("env").add_exe_args(given)):
        with pytest.raises(error) as caught:
            act()

        assert str(caught.value) == message


def test_environment_variables_are_added_changed_and_taken_back() -> None:
    settings = RunSettings("env", env_vars={"A": 1, "B": "x y", "C": None})

    settings.update_env({"A": None, "B": np.int64(2), "_d1": Path("/p")})

    assert settings.env_vars == {"B": "2", "_d1": "/p"}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        *(
            (bad, InputTypeError, "is no dictionary; for example {'OMP_NUM_THREADS': 1}")
            for bad in (1, 0, "x", "", b"x", ["A"], [])
        ),
        *(
            ({bad: 1}, InputValueError, f"env_vars: {bad!r} is no name of an environment variable; use letters, digits and _")
            for bad in ("1A", "A=", "", "A B", "A\n", "é", 1, None, b"A")
        ),
        ({"A": [1]}, InputTypeError, "env_vars['A']: [1] is neither text nor a number"),
        ({"A": "\0"}, InputValueError, "env_vars['A']: '\\x00' holds a NUL character"),
    ],
)
def test_what_is_no_environment_is_an_error(given: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=r"^env_vars") as caught:
        RunSettings("env", env_vars=given)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"n": 2}, ["-n", "2"]),
        ({"map-by": "core"}, ["--map-by=core"]),
        ({"oversubscribe": None}, ["--oversubscribe"]),
        ({"x": None}, ["-x"]),
        ({"-np": 2}, ["-np", "2"]),
        ({"--tag": "a b"}, ["--tag=a b"]),
        ({"b": 1, "a": 2}, ["-b", "1", "-a", "2"]),
    ],
)
def test_options_are_spelled_by_the_length_of_their_names(given: dict[str, object], expected: list[str]) -> None:
    assert spelled(given) == expected
    assert command_of(RunSettings("melt", run_command="env", run_args=given), "m", "/tmp").argv[1:-1] == tuple(expected)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        *(
            (bad, InputTypeError, f"run_args: {bad!r} is no dictionary; for example {{'n': 2}}")
            for bad in (1, "n=2", ["n"], b"n")
        ),
        *(
            ({bad: 2}, InputValueError, f"run_args: {bad!r} is no name of an option; for example {{'n': 2}}")
            for bad in (1, "", "--", "a\n", None)
        ),
        ({"n": [1]}, InputTypeError, "run_args['n']: [1] is neither text nor a number; give one of these"),
        ({"n": "\0"}, InputValueError, "run_args['n']: '\\x00' holds a NUL"),
    ],
)
def test_what_is_no_option_is_an_error(given: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        RunSettings("env", run_command="env", run_args=given)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("run_command", [None, "", "auto"])
def test_options_without_a_run_command_are_not_dropped(run_command: str | None) -> None:
    with pytest.raises(
        InputValueError, match=r"run_args: {'n': 2} without a run_command to take them; give run_command='mpirun'"
    ):
        RunSettings("env", run_command=run_command, run_args={"n": 2})


def test_a_bad_run_command_is_named_as_such() -> None:
    with pytest.raises(InputTypeError, match=r"^run_command: 1 is no program"):
        RunSettings("env", run_command=1)  # type: ignore[arg-type]
    with pytest.raises(MissingFileError, match=r"^env -n 2: no such program on PATH; .* its arguments as run_args$"):
        RunSettings("env", run_command="env -n 2")


def test_a_command_is_run_command_container_program_and_arguments_in_this_order() -> None:
    image = Singularity("a.sif", args="--nv", mount="/scratch", working_directory="/w")
    settings = RunSettings("lmp", ["-in"], "env", {"n": 2}, {"A": 1}, image, time_limit="00:01:00")

    command = command_of(settings, "melt_0", "/tmp", ["-T", "1"])

    assert command.argv[:3] == (ENV, "-n", "2")
    assert command.argv[4:] == ("exec", "--nv", "--bind", "/scratch", "--pwd", "/w", "a.sif", "lmp", "-in", "-T", "1")
    assert (command.cwd, command.env, command.name, command.time_limit) == (Path("/tmp"), {"A": "1"}, "melt_0", 60.0)


@pytest.mark.parametrize(
    ("mount", "bind"),
    [
        ((), ()),
        ("/a", ("--bind", "/a")),
        (["/a", "/b"], ("--bind", "/a,/b")),
        ({"/a": "/x", "/b": None}, ("--bind", "/a:/x,/b")),
    ],
)
def test_directories_are_mounted_in_a_container_every_time(mount: list[str], bind: tuple[str, ...]) -> None:
    image = Singularity("a.sif", mount=iter(mount) if isinstance(mount, list) else mount)

    for _ in range(2):
        assert inside(image, ["lmp"])[1:] == ("exec", *bind, "a.sif", "lmp")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Singularity(1.5j),  # type: ignore[arg-type]
        lambda: Singularity("a.sif", args=1),  # type: ignore[arg-type]
        lambda: Singularity("a.sif", mount=1),  # type: ignore[arg-type]
        lambda: RunSettings("lmp", container="a.sif"),  # type: ignore[arg-type]
        lambda: RunSettings(None, container=Singularity("a.sif")),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_a_container_is_a_type_error_at_once(make: Callable[[], object]) -> None:
    with pytest.raises(InputTypeError, match=r"^(image|args|mount|container|exe): .*; (for example|give) "):
        make()


def test_a_copy_of_settings_shares_nothing() -> None:
    first = RunSettings("env", ["a"], "env", {"n": 1}, {"A": "1"})

    second = copy(first)
    second.add_exe_args("b")
    second.update_env({"A": 2})
    second.run_args["n"] = 2

    assert (first.exe_args, first.env_vars, first.run_args) == (["a"], {"A": "1"}, {"n": 1})


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (60, 60.0),
        (0.5, 0.5),
        (timedelta(hours=1), 3600.0),
        ("00:00:01", 1.0),
        ("1:30:00", 5400.0),
        ("100:00:00", 360000.0),
        ("1-00:00:00", 86400.0),
        (np.int64(5), 5.0),
        (np.float32(0.5), 0.5),
        (10**400, 1e300),
    ],
)
def test_a_duration_is_seconds_a_timedelta_or_a_clock(duration: float, expected: float) -> None:
    assert seconds("time", duration) == expected
    assert RunSettings("env", time_limit=duration).time_limit == expected
    assert BatchSettings(time=duration).time_limit == expected


@pytest.mark.parametrize("duration", [0, -1, 0.0, float("nan"), "0:00:00", timedelta(0), timedelta(-1)])
def test_a_duration_is_above_zero(duration: float) -> None:
    for make in (lambda: RunSettings("env", time_limit=duration), lambda: BatchSettings(time=duration)):
        with pytest.raises(InputValueError, match=r"^time(_limit)?: .* is not above zero; leave it out for no limit$"):
            make()


@pytest.mark.parametrize("duration", ["x", "10", "1:2", "1:60:00", "00:00:60", "1:1:1:1", " 1:00:00", "1:00:00\n", "-1:00:00"])
def test_text_that_is_no_duration_is_a_value_error(duration: str) -> None:
    with pytest.raises(InputValueError) as caught:
        seconds("time", duration)

    assert str(caught.value) == f"time: {duration!r} is no duration; give 'HH:MM:SS' or seconds"


@pytest.mark.parametrize("duration", [True, b"1", [], None, 1j])
def test_what_is_no_duration_is_a_type_error(duration: float) -> None:
    with pytest.raises(InputTypeError, match=r"^time: .* is no duration; give 'HH:MM:SS' or seconds$"):
        seconds("time", duration)


def test_batch_settings_without_anything_ask_for_nothing() -> None:
    settings = BatchSettings(time="", queue="", account="", batch_args={})

    assert not any(portable_options(settings).values())
    assert settings.time_limit is None
    assert repr(settings) == "BatchSettings()"


def test_batch_settings_by_position_are_in_the_order_of_smartsim() -> None:
    settings = BatchSettings(2, "01:00:00", "debug", "mine", {"exclusive": None})

    assert portable_options(settings) == {
        "nodes": 2, "time": "01:00:00", "queue": "debug", "account": "mine", "batch_args": {"exclusive": None}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("preamble", "lines"),
    [("", []), ("a\nb\n", ["a", "b"]), (["a", "b c"], ["a", "b c"]), ((line for line in "ab"), ["a", "b"]), ([], [])],
)
def test_a_preamble_is_text_or_lines_and_grows(preamble: list[str], lines: list[str]) -> None:
    settings = BatchSettings(preamble=preamble)

    settings.add_preamble("last")

    assert settings.preamble == [*lines, "last"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"nodes": 0}, ParameterError, "nodes: 0 is not a whole number above zero; for example nodes=4"),
        ({"nodes": "2"}, InputTypeError, "nodes: '2' is not a whole number above zero; for example nodes=4"),
        ({"nodes": True}, ParameterError, "nodes: True is not a whole number above zero; for example nodes=4"),
        ({"queue": 1}, InputTypeError, "queue: 1 is no text; give its name"),
        ({"account": ["a"]}, InputTypeError, "account: ['a'] is no text; give its name"),
        ({"queue": "a\n#b"}, InputValueError, "queue: 'a\\n#b' is more than a line of text; give its name"),
        ({"batch_args": "x"}, InputTypeError, "batch_args: 'x' is no dictionary; for example {'n': 2}"),
        ({"batch_args": {"comment": "a\nb"}}, InputValueError, "batch_args['comment']: 'a\\nb' is more than a line of text"),
        ({"batch_args": {1: 2}}, InputValueError, "batch_args: 1 is no name of an option; for example {'n': 2}"),
        *(
            ({"preamble": bad}, InputTypeError, f"preamble: {bad!r} is no text and no list of lines")
            for bad in (1, None, b"x", {"a"}, {"a": 1})
        ),
        ({"preamble": [1]}, InputTypeError, "preamble: [1] holds what is no text; give lines of shell"),
        ({"preamble": ["\0"]}, InputValueError, "preamble: '\\x00' holds a NUL"),
        (
            {"tim": 1},
            InputTypeError,
            "BatchSettings: no argument 'tim'; did you mean 'time'? "
            "There are nodes, time, queue, account, batch_args, preamble",
        ),
    ],
)
def test_what_no_scheduler_understands_is_an_error(given: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        BatchSettings(**given)  # type: ignore[arg-type]

    assert str(caught.value).startswith(message)


def test_a_misspelt_keyword_of_run_settings_is_answered_with_the_right_one() -> None:
    with pytest.raises(TypeError, match=r"^RunSettings: no argument 'env_var'; did you mean 'env_vars'\?"):
        RunSettings("env", env_var={})  # type: ignore[call-arg]


def test_lines_before_a_members_program_are_run_by_a_shell() -> None:
    settings = RunSettings("echo", ["a b"])
    settings.add_preamble("module load lammps")
    settings.add_preamble(["export N=1"])

    command = command_of(settings, "m", "/")

    assert (command.preamble, command.argv[1:]) == (("module load lammps", "export N=1"), ("a b",))
    assert command.whole.argv[:3] == ("/bin/bash", "-c", 'module load lammps\nexport N=1\nexec "$0" "$@"')
