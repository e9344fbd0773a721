"""A block as statements prints what its page shows, also where it is a script."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.teaching.download import script
from tutorkit.teaching.statements import indented, last_shown, literal, plain, shown, silent
from worlds.projects import Write

EXAMPLES = r"""
# Examples

```pycon
>>> from __future__ import annotations
>>> 1, "two"
(1, 'two')
>>> (3, 4); print("five"); None
(3, 4)
five
>>> print("printed")
printed
>>> "a text"  # doctest: +ELLIPSIS
'a text'
>>> [n for n in range(3)
...  if n]  # why
[1, 2]
>>> None
>>> "é" + "ü", "ß"
('éü', 'ß')
>>> for n in range(2):
...     n
0
1
>>> {}["key"]
Traceback (most recent call last):
  ...
KeyError: 'key'
>>> import subprocess
>>> subprocess.run(["false"], check=True)
Traceback (most recent call last):
  ...
subprocess.CalledProcessError: Command '['false']' returned non-zero exit status 1.
>>> raise SystemExit(3)
Traceback (most recent call last):
  ...
SystemExit: 3
>>> raise ValueError('''one
... two''')
Traceback (most recent call last):
  ...
ValueError: one
two
```

```{code-cell}
%matplotlib inline
x = 6
x, x
```

```{output}
(6, 6)
```

```{code-cell}
x + 1;
```

```{code-cell}
:tags: [raises-exception]
1 / 0
```

```{output}
ZeroDivisionError: division by zero
```

```console
$ mkdir -p deep && cd deep
$ export NAME=you
$ echo "$NAME in $(basename "$PWD")"
you in deep
$ echo wrong >&2; printf 'no end'
wrong
no end
```

```python
print("last")
```
"""
SHOWN = """(1, 'two')
(3, 4)
five
printed
'a text'
[1, 2]
('éü', 'ß')
0
1
KeyError: 'key'
subprocess.CalledProcessError: Command '['false']' returned non-zero exit status 1.
SystemExit: 3
ValueError: one
two
(6, 6)
ZeroDivisionError: division by zero
you in deep
wrong
no endlast
"""


def test_a_script_prints_what_its_page_shows(write: Write, project: Config, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    code = script(write(EXAMPLES, "docs/page.md"), project)

    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == (SHOWN, "", 0)


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("x = 1\n", "x = 1\n"),
        ("f(x)\n", "displayhook(f(x))\n"),
        ("a, b\n", "displayhook((a, b))\n"),
        ("(a, b)\n", "displayhook((a, b))\n"),
        ("(a, b), c\n", "displayhook(((a, b), c))\n"),
        ("*a, b\n", "displayhook((*a, b))\n"),
        ("(x for x in y)\n", "displayhook((x for x in y))\n"),
        ("(a\n + b)  # why\n", "displayhook((a\n + b))  # why\n"),
        ("print(a)\n", "print(a)\n"),
        ("'é' + b; c\n", "displayhook('é' + b); displayhook(c)\n"),
        (
            "if a:\n    b\nelif c:\n    d\nelse:\n    e\n",
            "if a:\n    displayhook(b)\nelif c:\n    displayhook(d)\nelse:\n    displayhook(e)\n",
        ),
        (
            "try:\n    a\nexcept E:\n    b\nfinally:\n    c\n",
            "try:\n    displayhook(a)\nexcept E:\n    displayhook(b)\nfinally:\n    displayhook(c)\n",
        ),
        ("match a:\n    case 1:\n        b\n", "match a:\n    case 1:\n        displayhook(b)\n"),
        ("def f():\n    a\n", "def f():\n    a\n"),
        ("with a:\n    b\n", "with a:\n    displayhook(b)\n"),
        ("not python at all\n", "not python at all\n"),
    ],
)
def test_an_expression_is_printed_as_the_prompt_does(source: str, printed: str) -> None:
    assert shown(source) == printed


def test_of_a_cell_the_last_expression_is_printed() -> None:
    assert last_shown("a\nb\n") == "a\ndisplayhook(b)\n"
    assert last_shown("a\nb;\n") == "a\nb;\n"


def test_in_a_notebook_the_last_expression_is_left_to_it() -> None:
    assert shown("a; b\n", but_last=True) == "displayhook(a); b\n"
    assert shown("for n in x:\n    n\n", but_last=True) == "for n in x:\n    displayhook(n)\n"


@pytest.mark.parametrize(
    ("source", "quiet"),
    [("f()  # why\n", "f();  # why\n"), ("print(1)\n", "print(1)\n"), ("x = 1\n", "x = 1\n"), ("f();\n", "f();\n"), ("", "")],
)
def test_a_notebook_shows_no_value_that_the_page_does_not(source: str, quiet: str) -> None:
    assert silent(source) == quiet


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("one\ntwo\n", '"""\\\none\ntwo\n"""'),
        ("one\ntwo", '"""\\\none\ntwo"""'),
        ('a "quoted"\nword"', "'''\\\na \"quoted\"\nword\"'''"),
        ('a """text"""\n', "'''\\\na \"\"\"text\"\"\"\n'''"),
        ("a\\nb\n\\\n", '"""\\\na\\\\nb\n\\\\\n"""'),
        (">>> 1\n1\n", "(\n    '>>> 1\\n'\n    '1\\n'\n)"),  # IPython takes prompts away, also between quotes
        ("one line", "'one line'"),
        ("", "''"),
    ],
)
def test_a_text_of_several_lines_can_be_read(text: str, written: str) -> None:
    assert literal(text) == written
    assert ast.literal_eval(written) == text


@pytest.mark.parametrize(
    "text", ["\r\n", "a\0b\nc", "\u2028\n", "'''\"\"\"\n", "\ufeffa\n", "\x1b[1m\n", "\t\n", "'''\n\"\"\"\n"]
)
def test_any_text_is_written_as_it_is(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text


def test_texts_of_several_lines_stay_where_they_are() -> None:
    source = 'x = """a\n  b\n"""\nif x:\n\n    y = f"""{x}\nc"""\n'

    assert indented(source) == '    x = """a\n  b\n"""\n    if x:\n\n        y = f"""{x}\nc"""\n'


@pytest.mark.parametrize(
    ("source", "without"),
    [
        ("%matplotlib inline\nx = 1\n", "# %matplotlib inline\nx = 1\n"),
        ("x = 1\n!ls\n", "x = 1\n# !ls\n"),
        ("%%bash\nls\n", "# %%bash\n# ls\n"),
        ("x = 5\\\n%2\n", "x = 5\\\n%2\n"),
    ],
)
def test_what_only_a_notebook_understands_is_a_comment(source: str, without: str) -> None:
    assert plain(source) == without
