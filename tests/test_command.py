"""A command is a value that prints as a shell would read it."""

import shlex
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble.command import Command

ECHO = Command(("/bin/echo", "a b"), Path("/tmp/melt"), {"N": "1"}, "melt_0", 60)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_the_text_of_a_command_splits_into_its_words_again(words: list[str]) -> None:
    assert shlex.split(str(Command(tuple(words), Path("/tmp")))) == words


def test_its_output_goes_to_files_of_its_name_where_it_runs() -> None:
    assert (ECHO.out, ECHO.err) == (Path("/tmp/melt/melt_0.out"), Path("/tmp/melt/melt_0.err"))


def test_a_changed_copy_leaves_the_first_one() -> None:
    other = replace(ECHO, name="melt_1")

    assert (ECHO.name, other.name, other.argv) == ("melt_0", "melt_1", ECHO.argv)
    assert other != ECHO


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ECHO.name = "other"  # type: ignore[misc]


def test_two_commands_do_not_share_their_environment() -> None:
    first, second = Command(("a",), Path("/")), Command(("a",), Path("/"))

    first.env["N"] = "1"

    assert second.env == {}
    assert first.time_limit is None
