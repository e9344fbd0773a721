"""Run settings say how a program is run, and become one command."""

from copy import copy
from pathlib import Path

import numpy as np
import pytest

from smartensemble import RunSettings, Singularity
from smartensemble.errors import InputTypeError, InputValueError, MissingFileError
from smartensemble.settings.command import command_of
from smartensemble.settings.executable import find_program

ENV = find_program("env")


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


def test_a_copy_of_settings_shares_nothing() -> None:
    first = RunSettings("env", ["a"], "env", {"n": 1}, {"A": "1"})

    second = copy(first)
    second.add_exe_args("b")
    second.update_env({"A": 2})
    second.run_args["n"] = 2

    assert (first.exe_args, first.env_vars, first.run_args) == (["a"], {"A": "1"}, {"n": 1})


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
