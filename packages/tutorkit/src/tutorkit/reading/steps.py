"""What of a block is run at once: each doctest example, each command, or the whole block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from doctest import DocTestParser, register_optionflag

from tutorkit.errors import PageError
from tutorkit.reading.blocks import Kind, Step
from tutorkit.reading.lines import Line, joined

NUMBER = register_optionflag("NUMBER")  #: numbers agree as far as they are written


def steps(kind: Kind, lines: Sequence[Line], page: str) -> tuple[Step, ...]:
    """What is run, one after the other."""
    if not lines or kind in (Kind.DISPLAY, Kind.UNKNOWN):
        return ()
    if kind is Kind.DOCTEST:
        return tuple(examples(lines, page))
    if kind is Kind.CONSOLE:
        return tuple(commands(lines))
    after = lines[-1].end
    return (Step(lines[0].number, joined(lines), None, after, after, indent=lines[0].indent),)


def examples(lines: Sequence[Line], page: str) -> Iterator[Step]:
    """Doctest examples."""
    try:
        found = DocTestParser().get_examples(joined(lines), page)
    except ValueError as error:
        raise PageError(f"{page}:{lines[0].number}: {error}; write examples as the prompt shows them") from error
    for example in found:
        first = example.lineno + example.source.count("\n")
        want = lines[first : first + example.want.count("\n")]
        start = lines[first - 1].end
        flags, off = (sum(flag for flag, on in example.options.items() if on is wanted) for wanted in (True, False))
        end = want[-1].end if want else start
        if any(line.start < 0 for line in want):
            start = end = -1
        at = lines[example.lineno]
        yield Step(at.number, example.source, example.want, start, end, indent=at.indent, flags=flags, off=off)


def commands(lines: Sequence[Line]) -> Iterator[Step]:
    """Commands and their outputs."""
    starts = [number for number, line in enumerate(lines) if line.text.startswith("$ ")]
    for begin, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        command = list(_command(lines[begin:end]))
        output = list(lines[begin + len(command) : end])
        while output and not output[-1].text.strip():
            output.pop()
        start = lines[begin + len(command) - 1].end
        source = "".join(f"{line}\n" for line in command)
        at = lines[begin]
        after = output[-1].end if output else start
        yield Step(at.number, source, joined(output), start, after, indent=at.indent)


def _command(lines: Sequence[Line]) -> Iterator[str]:
    """The lines of a command: those that a backslash or ``>`` continue too."""
    command = lines[0].text[2:]
    yield command
    for line in lines[1:]:
        if not (command.endswith("\\") or line.text.startswith("> ")):
            return
        command = line.text.removeprefix("> ")
        yield command
