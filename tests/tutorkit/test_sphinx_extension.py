"""On the site each block shows what came of it; what tutorkit does not know is a warning; the build runs nothing.

Tests directives, record.shelf, record.stamp, sphinx_blocks, sphinx_failures, sphinx_outputs, sphinx_reference and sphinx_stamp.
"""

import json
import re
import subprocess
from html import unescape

import pytest

from tutorkit.config import Config
from worlds.projects import CONF, Build, Command, Write, settings

pytestmark = pytest.mark.needs("sphinx")

PAGE = """
# Title

```python
print("said", 1 + 1)
```

```pycon
>>> import os
>>> print("pid", os.getpid(), "of", "a < b")  # doctest: +ELLIPSIS
pid ... of a < b
>>> print("a\\n\\nb")
a
<BLANKLINE>
b
>>> int("x7")
Traceback (most recent call last):
  ...
ValueError: invalid literal for int() ...
```

```console
$ echo "at $(pwd)"; exit_code() { return 3; }; exit_code
at /home/...
[3]
```

```python
print("shown", 7)
```

```{output}
shown ...
```

% needs: gpu

```python
1 / 0
```

% needs: gpu

```python
2 / 0
```

```{code-cell}
:tags: [raises-exception]
1 / 0
```

% display-only: a picture

```text
a -> b
```
"""
NOTEBOOK = """
---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---

# Book

```{code-cell} ipython3
from pathlib import Path
print(Path.cwd())
```

```{code-cell} ipython3
:tags: [hide-input]
Path("in.txt").read_text()
```

```{output}
'hell...'
```
"""


def test_a_page_shows_what_came_of_its_blocks_and_what_they_really_printed(write: Write, built: Build, project: Config) -> None:
    """And not the pattern that it was compared with; what differs from run to run is marked."""
    write(PAGE, "docs/index.md")

    text, said = built("index.html")

    assert said == ""
    assert 'print("said", 1 + 1) said 2' in text
    assert 'print("shown", 7) shown 7 ' in text
    assert "1 / 0 Not run: needs a GPU." in text
    assert "2 / 0 Not run, for the reason above." in text
    assert "ZeroDivisionError: division by zero" in text
    assert re.search(r"Title¶ 5 of 7 blocks ran on \d+ \w+ 20\d\d with Python 3\.\d+ on Linux; 2 were skipped Versions: ", text)
    assert re.search(r" Time: \d+\.\d s; finished at \d\d:\d\d UTC on \d+ ", text)
    assert (
        "Skipped: needs a GPU (2 blocks) For display only: a picture (1 block) What you need for 2 of 7 blocks: a GPU print("
        in text
    )
    assert "Take it along: script, notebook." in text

    html = (project.root / "out" / "index.html").read_text()
    varies = re.findall(r'<span class="tutorkit-varies" title="differs from run to run">([^<]*)</span>', html)
    pid, *rest = map(unescape, varies)
    assert re.fullmatch(r"\d+", pid)
    assert "".join(rest) == "  File \"<stdin>\", line 1, in <module>with base 10: 'x7'you7"
    assert f'print("pid", os.getpid(), "of", "a &lt; b") pid {pid} of a &lt; b >>> print("a\\n\\nb") a b >>> int' in text
    assert 'int("x7") Traceback (most recent call last): File' in text
    assert "at /home/you [3]" in text
    assert "..." not in text[: text.index("Take it along")]
    assert html.count('class="tutorkit-mark" role="img" aria-label="passed in ') == 5

    index = (project.root / "out" / "searchindex.js").read_text()
    assert '"titl"' in index
    assert '"gpu"' not in index  # what tutorkit says is not what the page is about


def test_without_a_record_a_block_says_that_it_was_not_run(write: Write, built: Build, project: Config) -> None:
    write("# T\n\n```python\nprint(1)\n```\n", "docs/index.md")
    before, _ = built("index.html", test=False)
    built("index.html")
    write("# T\n\n```python\nprint(2)\n```\n", "docs/index.md")
    after, _ = built("index.html", test=False)

    assert "print(1) Not run: not run yet." in before
    assert "print(2) Not run: changed since it was run." in after


def test_a_page_has_its_mark_only_when_all_of_it_has_run(write: Write, built: Build, project: Config) -> None:
    block = "```python\nprint(1)\n```\n"
    marks = []
    for text, test in ((f"# T\n\n{block}", True), (f"# T\n\n{block}\nMore.\n\n```python\nprint(2)\n```\n", False)):
        write(text, "docs/index.md")
        built("index.html", test=test)
        marks.append("tutorkit-ran" in (project.root / "out" / "index.html").read_text())

    assert marks == [True, False]


def test_a_block_that_nobody_knows_is_a_warning_with_its_line(write: Write, built: Build) -> None:
    write("# T\n\n```ruby\nputs 1\n```\n", "docs/index.md")

    _, said = built("index.html")

    assert "docs/index.md:4: is ruby, which is not run; make it a file (:caption: its name)" in said


def test_a_page_outside_of_the_settings_is_a_warning(write: Write, built: Build, project: Config) -> None:
    write("# T\n\n```{toctree}\nsub/other\n```\n", "docs/index.md")
    write("# Other\n\n```python\nx\n```\n", "docs/sub/other.md")

    _, said = built("index.html")

    assert "tutorkit does not read this page, and it has blocks; add it to pages or docstrings" in said
    assert "docs/sub/other.md:3" in said


def test_a_notebook_is_executed_by_the_tests_and_shown_by_the_build(write: Write, built: Build, project: Config) -> None:
    (project.root / "docs" / "in.txt").write_text("hello\n")
    write("# T\n\n```{toctree}\nbook\n```\n", "docs/index.md")
    page = write(NOTEBOOK, "docs/book.md")

    text, said = built("book.html")

    assert said == ""
    assert "/home/you" in text
    assert "'hello\\n'" in text
    html = (project.root / "out" / "book.html").read_text()
    assert re.findall(r'<span class="tutorkit-varies"[^>]*>(.*?)</span>', html) == ["o\\n"]
    assert "All 2 blocks ran on " in text
    record = json.loads((project.root / "build/ledger/docs/book.md.json").read_text())
    assert [entry["output"] for entry in record["blocks"]] == ["/home/you\n", "'hello\\n'\n"]
    assert page.notebook


def test_a_cell_that_fails_is_told_with_its_line(write: Write, command: Command, project: Config) -> None:
    (project.root / "pyproject.toml").write_text('[tool.tutorkit]\npages = ["docs/*.md"]\nsource = ["."]\n')
    write(NOTEBOOK.replace("print(Path.cwd())", "print(1)\n1 / 0"), "docs/book.md")

    done = command("pytest", "-q", "docs")

    assert "docs/book.md:13: " in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert "was not run: the cell at docs/book.md:11 failed" in done.stdout


# --- what failed -------------------------------------------------------------------------------------------------------

FAILING = """
# Title

```python
x = 1
```

```python
print(x)
```

```{output}
2
```

```python
while True: pass
```

```python
y = 2
```

% display-only: a picture

```text
a -> b
```
"""


def test_a_site_is_built_whatever_failed(write: Write, built: Build, project: Config) -> None:
    """With a mark at each block that failed, a line at the top, and no warning."""
    write(FAILING, "docs/index.md")
    settings(project, "time_limit = 0.5\n")

    text, said = built("index.html")

    html = (project.root / "out" / "index.html").read_text()
    assert said == ""
    assert 'href="#failed-1">line 8</a>' in html
    assert "2 of 4 blocks on this page failed when they last ran: first at line 8. 1 of 4 blocks passed on " in text
    assert "; 2 failed; 1 was not reached Versions: " in text
    assert "Not run: the page ended at docs/index.md:16 (1 block)" in text
    assert "print(x) Failed: docs/index.md:8: the output differs from the page --- expected +++ got" in text
    assert "while True: pass Failed: docs/index.md:16: used " in text
    assert "y = 2 Not reached: the page ended at line 16." in text
    assert html.index('<div class="tutorkit-failed docutils container" id="failed-1">') < html.index("print")


def test_what_a_page_leaves_behind_is_shown_at_its_top(write: Write, built: Build) -> None:
    write("# T\n\n```python\nimport os\nos.environ['T'] = '1'\n```\n", "docs/index.md")

    text, said = built("index.html")

    assert said == ""
    assert "The page as a whole failed: leaves behind environment variables: T. The block ran on " in text


def test_a_notebook_whose_cell_failed_shows_what_ran_before(write: Write, built: Build, project: Config) -> None:
    write("# T\n\n```{toctree}\nbook\n```\n", "docs/index.md")
    write(NOTEBOOK.replace('Path("in.txt").read_text()', "1 / 0") + "\n```{code-cell}\ny = 2\n```\n", "docs/book.md")

    text, said = built("book.html")

    assert said == ""
    assert "/home/you" in text
    assert "1 of 3 blocks on this page failed when it last ran: first at line 17." in text
    assert "Failed: docs/book.md:17: raised ZeroDivisionError: division by zero" in text
    assert "ZeroDivisionError Traceback (most recent call last)" in text
    assert "y = 2 Not reached: the page ended at line 17." in text


def test_an_exercise_and_a_docstring_that_failed_are_marked(write: Write, built: Build, project: Config) -> None:
    write(
        "# T\n\n::::{exercise} Double\n:name: double\n\nDouble it.\n\n:::{starter}\ndef double(x): ...\n:::\n\n"
        ":::{checks}\n>>> double(2)\n4\n:::\n\n:::{solution}\ndef double(x): return x\n:::\n::::\n",
        "docs/index.md",
    )
    write("R\n=\n\n.. automodule:: shapes\n   :members:\n", "docs/reference.rst")
    write('def area(a):\n    """Square it.\n\n    >>> area(2)\n    5\n    """\n    return a * a\n', "shapes.py")
    settings(project, 'docstrings = ["shapes.py"]\n')
    (project.root / "docs" / "conf.py").write_text(
        CONF.replace('["', '["sphinx.ext.autodoc", "', 1) + "import sys\nsys.path.append('.')\n"
    )

    text, said = built("index.html", "docs", "shapes.py")
    reference, _ = built("reference.html", test=False)

    assert "reference.rst: WARNING: document isn't included in any toctree" in said
    assert said.count("WARNING") == 1
    assert "1 of 1 exercise on this page failed when it last ran: first at line 3." in text
    assert "Exercise: Double Failed: docs/index.md:18: the solution does not pass" in text
    assert "1 of 1 block on this page failed when it last ran: first at shapes.py:4." in reference
    assert "Failed: shapes.py:4: the output differs from the page" in reference


def test_a_page_that_cannot_be_read_is_one_warning_and_the_rest_is_built(write: Write, built: Build, project: Config) -> None:
    write("# T\n\n```{toctree}\nbad\n```\n\n```{tutorkit-status}\n```\n\n```python\nx = 1\n```\n", "docs/index.md")
    (project.root / "docs" / "bad.md").write_text("# Bad\n\n```python\nx\n```\n\n```python\n1\n")

    text, said = built("index.html", "docs/index.md")

    assert said.count("WARNING") == 1
    assert "docs/bad.md:7: the fence ```python is not closed" in said
    assert "The block ran on " in text
    assert (project.root / "out" / "bad.html").exists()


def test_exercises_show_their_task_and_hide_what_is_to_be_found(write: Write, built: Build, project: Config) -> None:
    write(
        "# T\n\n```{lesson}\n:learn: to **double**\n:need: `int`\n:time: 2 minutes\n```\n\n```python\nassert 1 + 1 == 2\n```\n\n"
        "::::{exercise} Double\n:name: double\n\nDouble it.\n\n:::{starter}\ndef double(x): ...\n:::\n\n"
        ":::{checks}\n:hint: Add it to itself.\n>>> double(2)\n4\n:::\n\n:::{solution}\ndef double(x): return x + x\n:::\n\n"
        ":::{wrong} squares\n:hint: Add\ndef double(x): return x ** 3\n:::\n::::\n",
        "docs/index.md",
    )

    text, said = built("index.html")

    assert said == ""
    lesson = r"You will learn ?to double ?You need ?int ?It takes ?2 minutes, with 1 exercise\. The code runs in \d+\.\d s\."
    assert re.search(lesson, text)
    assert "Exercise: Double" in text
    assert "Double it." in text
    assert "Solutiondef double(x): return x + x" in text
    assert "x ** 3" not in text
    starter = project.root / "out" / "_downloads" / "tutorkit" / "double.py"
    assert "# exercise: double" in starter.read_text()


def test_a_lesson_says_all_three_things(write: Write, built: Build) -> None:
    write("# T\n\n```{lesson}\n:learn: to double\n:time: 2 minutes\n```\n", "docs/index.md")

    _, said = built("index.html", test=False)

    assert "docs/index.md:3: ERROR: lesson: no :need:; give it in words" in said


def test_two_builds_of_one_record_are_equal(write: Write, built: Build, project: Config) -> None:
    write(PAGE, "docs/index.md")
    built("index.html")
    first = (project.root / "out" / "index.html").read_bytes()
    subprocess.run(["rm", "-r", str(project.root / "out")], check=True)
    built("index.html", test=False)

    assert (project.root / "out" / "index.html").read_bytes() == first


BLOCK = "```pycon\n>>> import shapes\n>>> shapes.a()\n1\n```\n"


@pytest.fixture
def reference(write: Write, project: Config) -> Config:
    """A project with a reference, and pages that run what is in it."""
    (project.root / "shapes.py").write_text('def a():\n    """The first."""\n    return 1\n\ndef b():\n    """The second."""\n')
    pages = "   toctree::\n\n   p\n   r\n   q\n"
    write(
        f"Reference\n=========\n\n..{pages[2:]}\n.. autofunction:: shapes.a\n\n.. autofunction:: shapes.b\n", "docs/index.rst"
    )
    paths = f"import sys\nsys.path.insert(0, {str(project.root)!r})\n"
    (project.root / "docs" / "conf.py").write_text(paths + CONF.replace('"myst_nb"', '"sphinx.ext.autodoc", "myst_nb"'))
    settings(project, 'api = ["shapes"]\n')
    return project


def test_an_entry_of_the_reference_links_to_the_blocks_that_run_it(write: Write, built: Build, reference: Config) -> None:
    write(f"# P\n\n## Round `a`\n\n{BLOCK}", "docs/p.md")
    write(f"# Q\n\n{BLOCK}", "docs/q.md")
    write("# R\n", "docs/r.md")

    text, said = built("index.html")

    assert said == ""
    assert "The first. Examples: P: Round a, Q shapes.b()" in text
    assert "All" not in text
    links = re.findall(r'href="([pq].html#block-[\w-]+)"', (reference.root / "out" / "index.html").read_text())
    assert [link.partition("#")[0] for link in links] == ["p.html", "q.html"]
    page, _, anchor = links[0].partition("#")
    assert f'id="{anchor}"' in (reference.root / "out" / page).read_text()


def test_beyond_three_examples_open_in_the_order_of_the_site(write: Write, built: Build, reference: Config) -> None:
    write(f"# P\n\n## Round\n\n{BLOCK}\nMore.\n\n{BLOCK}\n## Flat\n\n{BLOCK}", "docs/p.md")
    write(f"# Q\n\n{BLOCK}\n## Deep\n\n{BLOCK}", "docs/q.md")
    write(f"# R\n\n{BLOCK}", "docs/r.md")

    text, _ = built("index.html")

    assert "Examples: P: Round, R, Q All 5 examples P: Round, Flat R Q: Deep shapes.b()" in text
