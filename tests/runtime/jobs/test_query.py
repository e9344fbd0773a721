"""A scheduler's program that fails has failed, also where the kernel forgets how children end.

Its answers are tested with a scheduler.
"""

import subprocess
from collections.abc import Callable

import pytest

from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize("before", ["true", "trap '' CHLD"])
def test_a_failure_is_known_where_sigchld_is_ignored(before: str, driver: Driver) -> None:
    process = driver(
        """
        from smartensemble.errors import StateError
        from smartensemble.runtime.jobs.query import Question, query
        print(repr(query(["printf", "12 RUNNING\\\\n"])))
        print(repr(query(["false"], "instead")))
        try:
            query(["sh", "-c", "echo no such job >&2; exit 3"])
        except StateError as error:
            print(error)
        for argv in (["printf", "12\\\\n"], ["sh", "-c", "echo 12; exit 3"]):
            question = Question(argv, ["12"])
            while not question.ended:
                time.sleep(0.01)
            print(question.read())
        """,
        wrapper=["bash", "-c", f'{before}; exec "$@"', "bash"],
    )

    said, _ = process.communicate(timeout=PATIENCE_S)

    assert said.splitlines() == [
        repr("12 RUNNING\n"), repr("instead"), "sh: no such job", "(True, '12\\n', '')", "(False, '12\\n', '')"
    ]  # fmt: skip
