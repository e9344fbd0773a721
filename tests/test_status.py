"""A status says whether anything will still happen; a run says how long it took."""

import time

import pytest

from smartensemble.errors import InputValueError
from smartensemble.status import Run, Status


@pytest.mark.parametrize(
    ("status", "active", "final"),
    [
        (Status.NEW, False, False),
        (Status.QUEUED, True, False),
        (Status.RUNNING, True, False),
        (Status.COMPLETED, False, True),
        (Status.FAILED, False, True),
        (Status.CANCELLED, False, True),
    ],
)
def test_a_status_is_new_or_active_or_final(status: Status, active: bool, final: bool) -> None:
    assert (status.active, status.final) == (active, final)


def test_the_table_above_has_every_status() -> None:
    assert [status.name for status in Status] == ["NEW", "QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "UNKNOWN"]


@pytest.mark.parametrize("status", Status)
def test_a_status_prints_as_one_word(status: Status) -> None:
    assert str(status) == f"{status}" == status.name.capitalize()


def test_a_run_that_was_not_started_has_no_seconds() -> None:
    assert Run().seconds is None
    assert Run(ended=5.0).seconds is None


def test_a_run_that_ended_has_the_seconds_between() -> None:
    assert Run(Status.COMPLETED, started=100.0, ended=102.5).seconds == 2.5


def test_a_run_that_goes_on_is_measured_up_to_now() -> None:
    run = Run(Status.RUNNING, started=time.time() - 1000)

    seconds = run.seconds

    assert seconds is not None
    assert seconds >= 999


def test_a_clock_that_was_set_back_makes_no_negative_seconds() -> None:
    assert Run(Status.FAILED, started=100.0, ended=90.0).seconds == 0
    assert Run(Status.RUNNING, started=time.time() + 1000).seconds == 0


def test_a_run_refuses_a_misspelt_fact() -> None:
    with pytest.raises(AttributeError):
        Run().exitcode = 1  # type: ignore[attr-defined]


def test_runs_are_themselves_and_equal_no_other() -> None:
    first, second = Run(), Run()

    assert first != second
    assert {first: "first", second: "second"}[first] == "first"


@pytest.mark.parametrize("value", ["completed", None, 3, [], "\ud800"])
def test_what_is_no_status_is_an_error_that_lists_them(value: object) -> None:
    with pytest.raises(InputValueError, match=r"^Status: there is no .*; there are New, Queued, Running, Completed, "):
        Status(value)
