"""Each block is found, in every spelling, with its exact line and place; what is no block is not.

Tests collect, docstrings, lines, markdown, rest and steps.
"""

import textwrap
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Kind
from tutorkit.reading.pages import read
from worlds.projects import Write

REST = {
    "code-block": ".. code-block:: python\n\n   x = 1\n",
    "py": ".. code-block:: py\n\n   x = 1\n",
    "python3": ".. code:: python3\n\n   x = 1\n",
    "sourcecode": ".. sourcecode:: python\n   :linenos:\n\n   x = 1\n",
    "in a note": ".. note::\n\n   Text.\n\n   .. code-block:: python\n\n      x = 1\n",
    "in a list": "- Text.\n\n  .. code-block:: python\n\n     x = 1\n",
    "in a bullet": "* - .. code-block:: python\n\n         x = 1\n",
}
MARKDOWN = {
    "python": "```python\nx = 1\n```\n",
    "py": "```py\nx = 1\n```\n",
    "python3": "~~~python3\nx = 1\n~~~\n",
    "directive": "```{code-block} python\n:linenos:\n\nx = 1\n```\n",
    "in a note": ":::{note}\nText.\n\n```python\nx = 1\n```\n:::\n",
    "in a deep note": "::::{note}\n:::{tip}\n:class: x\n\n```python\nx = 1\n```\n:::\n::::\n",
    "in a list": "- Text.\n\n  ```python\n  x = 1\n  ```\n",
    "in a quote": "> ```python\n> x = 1\n> ```\n",
    "in reStructuredText": "```{eval-rst}\n.. code-block:: python\n\n   x = 1\n```\n",
}
CELLS = {
    "python": "```{code-cell} python\nx = 1\n```\n",
    "ipython3": "```{code-cell} ipython3\nx = 1\n```\n",
    "bare": "```{code-cell}\nx = 1\n```\n",
    "colons": ":::{code-cell}\nx = 1\n:::\n",
    "a tag": "```{code-cell} python\n:tags: [hide-input]\nx = 1\n```\n",
    "two options": "```{code-cell} ipython3\n:tags: [hide-input]\n:name: here\nx = 1\n```\n",
    "YAML": "```{code-cell} ipython3\n---\ntags: [hide-input]\n---\nx = 1\n```\n",
    "long YAML": "```{code-cell}\n---\ntags:\n  - hide-input\n  - wide\n---\nx = 1\n```\n",
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [("page.rst", Kind.PYTHON, text) for text in REST.values()]
    + [("page.md", Kind.PYTHON, text) for text in MARKDOWN.values()]
    + [("page.md", Kind.CELL, text) for text in CELLS.values()],
    ids=[*(f"rst {name}" for name in REST), *(f"md {name}" for name in MARKDOWN), *(f"cell {name}" for name in CELLS)],
)
def test_every_spelling_is_found_with_its_exact_line(
    tmp_path: Path, name: str, kind: Kind, text: str, mark: str, ending: str
) -> None:
    title = "Title\n=====\n\n" if name.endswith("rst") else "# Title\n\n"
    whole = mark + (title + text).replace("\n", ending)
    (tmp_path / name).write_bytes(whole.encode())

    (block,) = read(tmp_path / name, tmp_path).blocks

    assert (block.kind, block.source) == (kind, "x = 1\n")
    assert "x = 1" in whole.split(ending)[block.line - 1]
    assert whole[: block.steps[0].start].endswith(f"x = 1{ending}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.rst", ".. A comment::\n\n   >>> 1\n   2\n\n   ::\n\n      x\n"),
        ("page.rst", ".. math::\n\n   a = b\n"),
        ("page.rst", ".. _a target: https://example.org\n\nText with ``>>> 1`` in it.\n"),
        ("page.rst", "A definition\n   Its text. Not code:: this\n"),
        ("page.md", "% a comment\n\n<!-- another\n```python\nx\n```\n-->\n"),
        ("page.md", "Text with `code`.\n"),
    ],
)
def test_what_is_no_block_is_left_alone(write: Write, name: str, text: str) -> None:
    assert write(text, f"docs/{name}").blocks == ()


def test_the_expected_output_of_each_step_has_its_place(write: Write) -> None:
    page = write(
        """
        Title
        =====

        >>> for i in range(2):
        ...     print(i)
        0
        1
        >>> x = 3
        >>> x  # doctest: +NUMBER
        3

        .. code-block:: console

           $ echo a
           a
           $ echo b \\
           >   c
           b c

           $ true

        .. code-block:: python

           print(4)

        .. output::

           4
        """
    )

    shown = [(page.text[step.start : step.end], step.expected) for block in page.blocks for step in block.steps]

    assert shown == [
        ("0\n1\n", "0\n1\n"),
        ("", ""),
        ("3\n", "3\n"),
        ("   a\n", "a\n"),
        ("   b c\n", "b c\n"),
        ("", ""),
        ("   4\n", "4\n"),
    ]
    assert [step.line for block in page.blocks for step in block.steps] == [4, 8, 9, 14, 16, 20, 24]
    assert [bool(step.flags) for step in page.blocks[0].steps] == [False, False, True]


def test_blocks_are_called_by_their_section_and_keep_their_names(write: Write) -> None:
    page = write(
        "# Größe & Co\n\n```py\n1\n```\n\n```py\n2\n```\n\n## A\n\n```{code-block} py\n:name: mine\n3\n```\n\n## A\n\n```py\n4\n```\n",
        "docs/a.md",
    )

    assert [block.id for block in page.blocks] == ["groe-co-1", "groe-co-2", "mine", "a-2-1"]


def test_needs_are_those_of_the_page_and_of_the_block(write: Write) -> None:
    page = write(
        """
        % needs: lmp mpirun
        % files: ../data.txt

        # Title

        % needs: gpu

        ```python
        1
        ```

        <!-- needs: torch -->

        ```python
        2
        ```

        ```python
        3
        ```
        """,
        "docs/page.md",
    )

    assert [block.needs for block in page.blocks] == [("lmp", "mpirun", "gpu"), ("lmp", "mpirun", "torch"), ("lmp", "mpirun")]
    assert page.files == ("../data.txt",)


def test_docstrings_have_the_lines_of_their_module(write: Write) -> None:
    text = '''
    """A module.

    >>> area(2)
    4
    """

    class Shape:
        """A shape."""

        def area(self):
            """Its area, in \\\\m.

            >>> print("a\\\\tb")
            a    b
            """
    '''
    page = write(text, "area.py")

    assert [(block.id, block.line) for block in page.blocks] == [("Shape.area-1", 13), ("module-1", 3)]
    assert page.text[page.blocks[1].steps[0].start : page.blocks[1].steps[0].end] == "4\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"# A\n\n```python\nx = 1\n", "docs/page.md:3: the fence ```python is not closed; write ``` below its last line"),
        (b"# A\n\n:::{note}\n```python\nx\n:::\n", "docs/page.md:4: the fence ```python is not closed"),
        (b"# A\n\nGr\xfc\xdfe\n", "docs/page.md:3: is not UTF-8; save the page as UTF-8"),
        (
            b"```{code-cell}\n:name: a\n1\n```\n\n```{code-cell}\n:name: a\n2\n```\n",
            "docs/page.md:8: two blocks are called 'a', the other",
        ),
        (b"```pycon\n>>>1\n```\n", "docs/page.md:2: "),
        (b":::{starter}\nx\n:::\n", "docs/page.md:1: starter stands outside of an exercise"),
        (b":::{exercise} A\n:::\n", "docs/page.md:1: exercise 'A': has 0 of starter; give it one"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(project: Config, data: bytes, message: str) -> None:
    path = project.root / "docs" / "page.md"
    path.write_bytes(data)

    with pytest.raises(PageError) as raised:
        read(path, project.root)

    assert str(raised.value).startswith(message)


def test_a_front_matter_with_a_kernel_makes_a_notebook(write: Write) -> None:
    text = textwrap.dedent("---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# A\n\n```{code-cell}\n1\n```\n")

    assert write(text, "docs/a.md").notebook
    assert not write("# A\n\n```{code-cell}\n1\n```\n", "docs/b.md").notebook


def test_a_kernel_that_myst_nb_would_overlook_is_an_error(write: Write) -> None:
    with pytest.raises(PageError, match=r"docs/a.md:1: has a kernelspec, .*; add file_format: mystnb to its header"):
        write("---\nkernelspec:\n  name: python3\n---\n\n# A\n", "docs/a.md")


def test_markdown_knows_blocks_that_nobody_runs(write: Write) -> None:
    page = write("# A\n\n``` {.python}\nx = 1\n```\n\n<pre>\nx = 1\n</pre>\n\n```{testcode}\nx = 1\n```\n", "docs/a.md")

    assert [block.kind for block in page.blocks] == [Kind.UNKNOWN, Kind.UNKNOWN, Kind.PYTHON]


@pytest.mark.parametrize("text", ["% needs: gpu\n\nText.\n\n## B\n", "% display-only: a tree\n\nText.\n"])
def test_a_comment_that_steers_nothing_is_an_error(write: Write, text: str) -> None:
    with pytest.raises(PageError, match=r"docs/a.md:3: no block of its section follows the comment '.*'; put it right before"):
        write(f"# A\n\n{text}\n", "docs/a.md")


def test_an_output_below_an_empty_block_is_told(write: Write) -> None:
    page = write("# A\n\n```python\n```\n\n```{output}\n1\n```\n", "docs/a.md")

    assert "no Python block stands before it" in page.blocks[1].reason


@pytest.mark.needs("sphinx")
def test_docutils_finds_the_same_literal_blocks_on_our_own_pages() -> None:
    from docutils import nodes
    from docutils.core import publish_doctree

    root = Path(__file__).parents[3]
    page = read(root / "docs" / "howto" / "files.rst", root)
    settings = {"report_level": 5, "halt_level": 5}
    tree = publish_doctree(page.text, str(page.path), settings_overrides=settings)
    theirs = [node.astext().strip() for node in tree.findall(nodes.doctest_block)]

    assert theirs == [block.source.strip() for block in page.blocks if block.kind is Kind.DOCTEST]
