"""The rules of a database's users are text. What a server makes of them is in ``runtime/servers/test_rights.py``."""

import pytest

from smartensemble.databases.users import GRANTED, OWNER_USER, USER, WORKER_COMMANDS, WORKER_USER, Secrets, users


@pytest.mark.parametrize(
    ("secrets", "starts"),
    [
        (
            Secrets("one", "two"),
            [
                "default on nopass ~* &* +@all",
                f"{WORKER_USER} on >two ~* resetchannels -@all",
                f"{OWNER_USER} on >one ~* &* +@all",
            ],
        ),
        (
            Secrets("one", "two", "three"),
            [
                *["default off", f"{USER} on >three ~* &* +@all"],
                *[f"{WORKER_USER} on >two ~* resetchannels -@all", f"{OWNER_USER} on >one ~* &* +@all"],
            ],
        ),
    ],
    ids=["open", "password"],
)
def test_there_are_members_workers_and_the_owner(secrets: Secrets, starts: list[str]) -> None:
    lines = users(secrets)

    assert [line.startswith(f"user {start}") for line, start in zip(lines, starts, strict=True)] == [True] * len(starts)


def test_what_is_denied_is_denied_before_what_is_granted_and_workers_commands_last() -> None:
    members, workers, _ = (line.split() for line in users(Secrets("one", "two")))

    first, last = members.index(f"+{GRANTED[0]}"), members.index(f"+{GRANTED[-1]}")
    assert max(members.index(each) for each in ("+@all", "-@admin", "-@dangerous", "-script")) < first
    assert members[last + 1 :] == [f"-{name}" for name in WORKER_COMMANDS]
    assert workers[-4:] == ["+get", *(f"+{name}" for name in WORKER_COMMANDS)]
