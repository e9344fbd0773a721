"""What a program or a shell would choke on is an error when it is given."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble import RunSettings
from smartensemble.errors import InputTypeError, InputValueError
from smartensemble.settings.arguments import arguments
from smartensemble.settings.command import command_of, spelled


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
    assert command_of(RunSettings("true", run_command="env", run_args=given), "m", "/tmp").argv[1:-1] == tuple(expected)
