"""What is done with a block, by its language, its caption and the comment before it; and whether its result is checked.

Tests blocks and rest.
"""

import pytest

from tutorkit.config import Config
from tutorkit.reading.blocks import Kind
from worlds.projects import Write


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (".. code-block:: console\n\n   $ ls\n", Kind.CONSOLE, ""),
        (".. code-block:: pycon\n\n   >>> 1\n   1\n", Kind.DOCTEST, ""),
        (">>> 1\n1\n", Kind.DOCTEST, ""),
        (".. code-block:: c\n   :caption: a.c\n\n   int a;\n", Kind.FILE, ""),
        (".. code-block:: c\n\n   int a;\n", Kind.UNKNOWN, "is c, which is not run; make it a file (:caption: its name)"),
        ("Text::\n\n   tree\n", Kind.UNKNOWN, "is in no language"),
        (".. parsed-literal::\n\n   tree\n", Kind.UNKNOWN, "is in no language"),
        (".. code-block:: console\n\n   ls\n", Kind.UNKNOWN, "has no '$ ' before its commands"),
        (".. code-block:: bash\n\n   ls\n", Kind.UNKNOWN, "is bash, which is not run; call it console"),
        (".. code-cell:: python\n   :tags: skip-execution\n\n   x\n", Kind.UNKNOWN, "say what it needs, in a comment"),
        (".. display-only: a tree\n\n::\n\n   tree\n", Kind.DISPLAY, "a tree"),
        (".. display-only: a\n   long reason\n\n.. code-block:: text\n\n   tree\n", Kind.DISPLAY, "a long reason"),
        (".. display-only: no\n\n.. code-block:: python\n\n   x = 1\n", Kind.UNKNOWN, "is python, which is run"),
        (".. display-only: no\n\n.. code-block:: console\n\n   $ ls\n", Kind.UNKNOWN, "is console, which is run"),
        (".. output::\n\n   1\n", Kind.UNKNOWN, "no Python block stands before it"),
        (".. testcode::\n\n   x = 1\n", Kind.PYTHON, ""),
        (".. doctest:: group\n\n   >>> 1\n   1\n", Kind.DOCTEST, ""),
        (".. Code-Block:: Python\n\n   x = 1\n", Kind.PYTHON, ""),
        (".. ipython::\n\n   In [1]: x\n", Kind.UNKNOWN, "is ipython, which is not run; make it a code-block"),
        (".. testoutput::\n\n   1\n", Kind.UNKNOWN, "is testoutput, which is not run"),
        ("Quoted::\n\n> x = 1\n> y = 2\n\nText.\n", Kind.UNKNOWN, "is in no language"),
        ("+---------+\n| >>> 1   |\n+---------+\n", Kind.UNKNOWN, "stands in a table that is drawn"),
        (".. include:: other.inc\n", Kind.UNKNOWN, "includes other.inc, whose blocks are not run; make it a page"),
        (".. display-only: no\n\n.. code-block:: Bash\n\n   ls\n", Kind.UNKNOWN, "is Bash, which is run"),
        (".. display-only: no\n\n.. code-block:: console\n\n   ls\n", Kind.UNKNOWN, "is console, which is run"),
        (
            ".. display-only: no\n\n.. code-cell:: python\n   :tags: skip-execution\n\n   x\n",
            Kind.UNKNOWN,
            "is python, which is run",
        ),
    ],
)
def test_what_is_done_with_a_block(write: Write, project: Config, text: str, kind: Kind, reason: str) -> None:
    (project.root / "docs" / "other.inc").write_text("Text::\n\n   tree\n")
    (block,) = write(f"Title\n=====\n\n{text}").blocks

    assert block.kind is kind
    assert reason in block.reason


@pytest.mark.parametrize(
    ("code", "checked"),
    [
        ("assert x == 1", True),
        ("np.testing.assert_allclose(x, 1)", True),
        ("with pytest.raises(ValueError):\n    x", True),
        ("x = 1  # we assert nothing", False),
        ("x = 'assert'", False),
    ],
)
def test_a_block_is_checked_if_it_asserts(write: Write, code: str, checked: bool) -> None:
    assert write(f"# A\n\n```python\n{code}\n```\n", "docs/a.md").blocks[0].checked is checked


def test_an_ellipsis_alone_checks_nothing(write: Write) -> None:
    assert not write("# A\n\n```pycon\n>>> print(1)\n...\n```\n", "docs/a.md").blocks[0].checked
