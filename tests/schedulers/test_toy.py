"""A scheduler costs one record, and one line that names it: a toy, which runs jobs at once, on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartensemble.errors import StateError, UnsupportedError
from smartensemble.experiment import Experiment
from smartensemble.schedulers import SCHEDULERS
from smartensemble.schedulers.base import Control, Partition, Plan, Scheduler, States
from smartensemble.status import Status

#: The programs of the toy. A job's number is that of its process.
PROGRAMS = {
    "toysub": """
        if grep -q "^#TOY -q none" "$1"; then echo "no such queue" >&2; exit 1; fi
        setsid bash "$1" > /dev/null 2>&1 & echo $!""",
    "toystat": 'for job; do kill -0 "$job" 2> /dev/null && echo "$job"; done; true',
    "toydel": 'for job; do kill -- "-$job"; done',
}


def read(answer: str) -> States:
    return dict.fromkeys(answer.split(), (Status.RUNNING, ""))


def body(plan: Plan) -> str:
    return f"printf '%s\\0' \"${{members[@]}}\" | xargs -0 -n 1 -P {plan.at_once or 2} bash -c 'bash \"$0\" || exit 1'\n"


TOY = Scheduler(
    "toy",
    "#TOY",
    {"name": "-N {}", "time": "-l {seconds}", "queue": "-q {}", "account": ""},
    body=body,
    control=Control(
        submit=("toysub",),
        job=str.strip,
        cancel=("toydel",),
        query=lambda jobs: ("toystat", *jobs),
        read=read,
        partitions=("echo", "all"),
        read_partitions=lambda answer: [Partition(name, 1, 2, default=True) for name in [*answer.split(), "none"]],
    ),
)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    monkeypatch.setitem(SCHEDULERS, "toy", TOY)
    for name, line in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    experiment = Experiment("study", launcher="toy")
    yield experiment
    experiment.stop()


def test_it_runs_ensembles_and_says_how_they_ended(toy: Experiment) -> None:
    batch = toy.create_batch_settings(time=60)
    ens = toy.create_ensemble("ens", None, batch, toy.create_run_settings("bash", ["-c", "exit ${PWD##*_}"]), 3)

    toy.start(ens, progress=False)

    assert [member.run.exit_code for member in ens] == [0, 1, 2]
    assert Path(ens.path, "ens.sh").read_text().splitlines()[1:3] == ["#TOY -N ens", "#TOY -l 60"]


def test_it_stops_them_and_knows_when_they_vanish(toy: Experiment, eventually: Callable[[Callable[[], object]], None]) -> None:
    long = toy.create_run_settings("sleep", ["1000"])
    first, second = (toy.create_ensemble(name, None, toy.create_batch_settings(), long, 2) for name in ("first", "second"))
    toy.start(first, second, block=False)
    eventually(lambda: toy.get_status(first, second) == [Status.RUNNING] * 4)

    toy.stop(first)

    assert toy.get_status(first, second) == [Status.CANCELLED] * 2 + [Status.RUNNING] * 2


def test_what_it_cannot_express_is_an_error_that_lists_what_it_can(toy: Experiment) -> None:
    batch = toy.create_batch_settings(array=True)
    with pytest.raises(
        UnsupportedError, match="ens: toy cannot express 'array'; it understands name, time, queue, account, and"
    ):
        toy.start(toy.create_ensemble("ens", None, batch, toy.create_run_settings("true"), 2))


def test_what_it_refuses_is_told_in_its_words(toy: Experiment) -> None:
    batch = toy.create_batch_settings(queue="none")
    with pytest.raises(StateError, match="ens: was refused by toy: toysub: no such queue"):
        toy.start(toy.create_ensemble("ens", None, batch, toy.create_run_settings("true"), 2))
