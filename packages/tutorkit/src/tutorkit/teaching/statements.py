"""Write a block of a page as statements that print what the page shows, wherever they run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tutorkit.reading.blocks import Block, Kind, Step

SHOW = "displayhook"  #: what prints a value as the prompt does: ``from sys import displayhook``
TRACEBACK = "Traceback (most recent call last)"
OPTION = re.compile(r"[ \t]*#\s*doctest:.*$", re.MULTILINE)
MAGIC = re.compile(r"^(\s*)([%!].*)$", re.MULTILINE)
PROMPT = re.compile(r"^\s*>>>", re.MULTILINE)
FUTURE = re.compile(r"^from __future__ import .*\n", re.MULTILINE)
LEAVES = re.compile(r"(SystemExit|KeyboardInterrupt|GeneratorExit)\b")  #: exceptions that are no ``Exception``

#: What holds statements, and what of it keeps their values to itself.
BODIES = (ast.stmt, ast.excepthandler, ast.match_case)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

SHELL = '''\
def shell(commands):
    """Run commands in one shell, and print what they print."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(["bash", "-c", commands], env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end="")
'''


class Part(NamedTuple):
    """Statements of a block."""

    source: str
    steps: tuple[int, ...] = ()  #: the numbers of the steps whose outputs they print


def parts(block: Block, *, prompt: bool = False) -> list[Part]:
    """The statements of a block; with `prompt`, a last expression is left to what prints it, which a notebook does.

    >>> steps = (Step(1, "x = 2\\n", ""), Step(2, "x, 3\\n", "(2, 3)\\n"))
    >>> parts(Block("a.rst", "a-1", 1, Kind.DOCTEST, "", "", steps))
    [Part(source='x = 2\\n', steps=()), Part(source='displayhook((x, 3))\\n', steps=(1,))]
    """
    if block.kind is Kind.FILE:
        written = file(block.name, block.steps[0].source if block.steps else "")
        return [Part(silent(written) if prompt else written)]
    if block.kind is Kind.CONSOLE:
        return [Part(f"shell({literal(''.join(step.source for step in block.steps))})\n", tuple(range(len(block.steps))))]
    return [_part(block, number, step, prompt=prompt) for number, step in enumerate(block.steps)]


def _part(block: Block, number: int, step: Step, *, prompt: bool) -> Part:
    """The statements of one step of Python."""
    source = OPTION.sub("", step.source) if block.kind is Kind.DOCTEST else step.source
    said = (step.expected or "").strip()
    if said.startswith(TRACEBACK) or block.raises:
        return Part(caught(source, said), (number,))
    examples = block.kind is Kind.DOCTEST
    if examples and said:
        source = shown(source, but_last=prompt)
    elif block.kind is Kind.CELL and not prompt:
        source = last_shown(plain(source))
    elif block.kind is Kind.PYTHON and prompt:
        source = silent(source)
    return Part(source if prompt else plain(source), (number,) if said or not examples else ())


def shown(source: str, *, but_last: bool = False) -> str:
    """Statements, whose expressions print their values; with `but_last`, not what ends them, whose value a notebook shows.

    >>> shown("a; print(b)"), shown("f(x)  # why"), shown("a; b", but_last=True)
    ('displayhook(a); print(b)', 'displayhook(f(x))  # why', 'displayhook(a); b')
    """
    tree = _parsed(source)
    found = list(_expressions(tree.body)) if tree else []
    if tree and but_last and tree.body and tree.body[-1] in found:
        found.remove(tree.body[-1])
    for statement in reversed(found):
        start, end = _span(source, statement)
        source = source[:start] + _call(source[start:end], statement.value) + source[end:]
    return source


def last_shown(source: str) -> str:
    """A cell, whose last expression prints its value, unless a semicolon ends it.

    >>> last_shown("a\\nb\\n"), last_shown("a\\nb;\\n")
    ('a\\ndisplayhook(b)\\n', 'a\\nb;\\n')
    """
    tree = _parsed(source)
    last = tree.body[-1] if tree and tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        return source
    start, _ = _span(source, last)
    return source[:start] + shown(source[start:])


def _expressions(found: Iterable[ast.AST]) -> Iterator[ast.Expr]:
    """The statements whose values the prompt prints, in order: those of functions and classes are none."""
    for node in found:
        if isinstance(node, ast.Expr) and not _prints(node.value):
            yield node
        elif isinstance(node, BODIES) and not isinstance(node, DEFINITIONS):
            yield from _expressions(ast.iter_child_nodes(node))


def silent(source: str) -> str:
    """Statements, of which a notebook does not print the value of the last."""
    tree = _parsed(source)
    if tree is None or not tree.body or source.rstrip().endswith(";"):
        return source
    last = tree.body[-1]
    if not isinstance(last, ast.Expr) or _prints(last.value):
        return source
    _, end = _span(source, last)
    return f"{source[:end]};{source[end:]}"


def _call(segment: str, value: ast.expr) -> str:
    """A call that shows a value: a tuple without parentheses gets some."""
    call = f"{SHOW}({segment})"
    tree = _parsed(call)
    made = tree.body[0].value if tree and isinstance(tree.body[0], ast.Expr) else None
    one = isinstance(made, ast.Call) and not made.keywords and [ast.dump(each) for each in made.args] == [ast.dump(value)]
    return call if one else f"{SHOW}(({segment}))"


def _span(source: str, statement: ast.stmt) -> tuple[int, int]:
    """Where a statement begins and ends; Python counts bytes of a line."""
    lines = source.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        return sum(len(each) for each in lines[: line - 1]) + len(lines[line - 1].encode()[:column].decode())

    return place(statement.lineno, statement.col_offset), place(statement.end_lineno or 0, statement.end_col_offset or 0)


def _prints(value: ast.expr) -> bool:
    """It is a call of ``print``, whose value nobody wants to see."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def plain(source: str) -> str:
    """A cell without what only a notebook understands: its magic commands are comments."""
    if _parsed(source) is not None:
        return source
    if source.lstrip().startswith("%%"):
        return commented(source)
    without = MAGIC.sub(r"\1# \2", source)
    return without if _parsed(without) is not None else source


def caught(source: str, said: str) -> str:
    """What must fail, as its page shows: its exception is printed, and the script goes on.

    >>> print(caught("int('x')\\n", "Traceback (most recent call last):\\nValueError: no"))
    try:
        int('x')
    except Exception as error:
        print(*format_exception_only(error), sep="", end="")
    <BLANKLINE>
    """
    kind = "BaseException" if LEAVES.match(said.splitlines()[-1] if said else "") else "Exception"
    body = indented(source) if _parsed(source) is not None else f"    exec({literal(source)})\n"
    return f'try:\n{body}except {kind} as error:\n    print(*format_exception_only(error), sep="", end="")\n'


def indented(source: str) -> str:
    """Statements four spaces to the right, and their texts of several lines as they were."""
    inside = {
        number
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)))
        for number in range(node.lineno + 1, (node.end_lineno or 0) + 1)
    }
    lines = source.rstrip("\n").split("\n")
    return "".join(f"{'' if number in inside or not line else '    '}{line}\n" for number, line in enumerate(lines, 1))


def file(name: str, content: str) -> str:
    """Write a file, which can be read as it is."""
    folder = f"Path({name!r}).parent.mkdir(parents=True, exist_ok=True)\n" if "/" in name else ""
    return f"{folder}Path({name!r}).write_text({literal(content)}, encoding='utf-8')\n"


def literal(text: str) -> str:
    """A text as Python writes it, in lines, between three quotes.

    >>> print(literal("a\\nb\\n"))
    \"\"\"\\
    a
    b
    \"\"\"
    >>> literal("a"), literal("\\r")
    ("'a'", "'\\\\r'")
    """
    if "\n" not in text:
        return repr(text)
    if PROMPT.search(text):  # which IPython would take away, also between quotes
        return "".join(["(\n", *(f"    {line!r}\n" for line in text.splitlines(keepends=True)), ")"])
    for quotes in ('"""', "'''"):
        body = text.replace("\\", "\\\\")
        written = f"{quotes}\\\n{body}{quotes}"
        tree = _parsed(written)
        if tree is not None and text.replace("\n", "").replace("\t", "").isprintable() and ast.literal_eval(written) == text:
            return written
    return repr(text)


def commented(source: str) -> str:
    """Lines that are not run."""
    return "".join(f"# {line}".rstrip() + "\n" for line in source.rstrip("\n").split("\n"))


def imports(source: str) -> Iterator[str]:
    """What the statements that are made here need, where `source` has some."""
    shell = re.search(r"^shell\(", source, re.MULTILINE)
    if shell:
        yield "import os\nimport subprocess\nimport sys\n"
    if re.search(r"^Path\(", source, re.MULTILINE):
        yield "from pathlib import Path\n"
    if f"{SHOW}(" in source:
        yield f"from sys import {SHOW}  # it prints a value as the prompt does\n"
    if "format_exception_only(error)" in source:
        yield "from traceback import format_exception_only\n"
    if shell:
        yield f"\n\n{SHELL}"
