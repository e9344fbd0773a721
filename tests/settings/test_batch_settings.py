"""What no scheduler understands is an error when batch settings are made.

Tests batch.
"""

import pytest

from smartensemble import BatchSettings
from smartensemble.errors import InputTypeError, InputValueError, ParameterError
from smartensemble.settings.batch import portable_options


def test_batch_settings_without_anything_ask_for_nothing() -> None:
    settings = BatchSettings(time="", queue="", account="", batch_args={})

    assert not any(portable_options(settings).values())
    assert settings.time_limit is None
    assert repr(settings) == "BatchSettings()"


def test_batch_settings_by_position_are_in_the_order_of_smartsim() -> None:
    settings = BatchSettings(2, "01:00:00", "debug", "mine", {"exclusive": None})

    assert portable_options(settings) == {
        "nodes": 2, "time": "01:00:00", "queue": "debug", "account": "mine", "--exclusive": None
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
