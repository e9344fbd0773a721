"""How a run ended: from the supervisor's words to a status, and a cause that a person can act on."""

import os
import re
import signal
from pathlib import Path

from smartensemble.command import Command
from smartensemble.status import Run, Status

#: What a terminal obeys, by ECMA-48: control sequences, control strings up to their end, and other escapes.
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[]P^_X]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]?"
)
LAST_LINES = 3  #: lines of a failed member's output that are kept


def settle(run: Run, command: Command, outcome: str, detail: int | str | None, when: float) -> None:
    """Record the end of a run.

    An outcome is "exit" (detail: the code), "signal" (its number), "failed" (why it could not start), "unknown" (where we
    looked for its end), "limit" or "cancelled" (by whom, if not by us).
    """
    number = detail if isinstance(detail, int) else None
    run.ended = when
    run.exit_code = number if outcome == "exit" else None
    run.signal = number if outcome == "signal" else None
    run.cause = cause(run, command, outcome, detail)
    if run.cause and outcome in ("exit", "signal", "limit"):
        run.last_lines, run.last_lines_file = last_lines(command)
        run.cause += misplaced(command) + ("" if run.last_lines else "; it wrote nothing")
    if outcome in ("cancelled", "unknown"):
        run.status = Status.CANCELLED if outcome == "cancelled" else Status.UNKNOWN
    else:
        run.status = Status.COMPLETED if run.exit_code == 0 else Status.FAILED


def cause(run: Run, command: Command, outcome: str, detail: int | str | None) -> str:
    """Why a command is not Completed; nothing if it is."""
    if outcome in ("failed", "unknown") or (outcome == "cancelled" and detail):
        return str(detail)
    if outcome == "cancelled":
        return "stopped" if run.started else "stopped before it started"
    if outcome == "limit":
        return f"ended at its time limit of {command.time_limit:g} s"
    if outcome == "signal":
        names = {number.value: number.name for number in signal.Signals}
        return f"ended by {names.get(run.signal or 0, f'signal {detail}')}"
    return f"exit code {detail}" if detail else ""


def misplaced(command: Command) -> str:
    """A hint about an argument that names a file in the driver's directory, while the program runs in its own."""
    for word in command.argv[1:]:
        if os.path.isfile(word) and not (command.cwd / word).exists():
            return f"; {word!r} is in {os.getcwd()} and not in the directory that it runs in: attach it, or give its whole path"
    return ""


def last_lines(command: Command) -> tuple[tuple[str, ...], str]:
    """The last lines that a program wrote, and their file: its standard error or, if that is empty, its standard output."""
    for path in (command.err, command.out):
        if lines := tail(path):
            return lines, path.name
    return (), ""


def tail(path: Path, lines: int = LAST_LINES) -> tuple[str, ...]:
    """The last lines of a file that are not blank; none if there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple([line for line in map(printable, text.splitlines()) if line][-lines:])


def printable(line: str) -> str:
    r"""`line` without what a terminal would obey: a program's output is shown in messages, and must not change a terminal.

    >>> printable("\x1b[1;31mERROR\x1b[0m: \x1b]0;title\x07lost\batoms\t3")
    'ERROR: lostatoms 3'
    """
    shown = (each if each.isprintable() else " " if each.isspace() else "" for each in ESCAPES.sub("", line))
    return "".join(shown).rstrip()
