"""On the site each block shows what came of it; what tutorkit does not know is a warning; the build runs nothing.

Tests directives, record.shelf, record.stamp, sphinx_blocks, sphinx_failures, sphinx_reference and teaching.download.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.teaching import download
from worlds.projects import Command, Write, settings

pytestmark = pytest.mark.needs("sphinx")

CONF = 'project = "p"\nextensions = ["myst_nb", "tutorkit.sphinx_extension"]\nmyst_enable_extensions = ["colon_fence"]\nnb_execution_mode = "force"\nhtml_theme = "basic"\n'
PAGE = """
# Title

```python
print("said", 1 + 1)
```

```python
print("shown")
```

```{output}
shown
```

% needs: gpu

```python
1 / 0
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
'hello\\n'
```
"""


@pytest.fixture
def built(project: Config, command: Command) -> object:
    """Run the tests, build the site, and give a page's text without its tags; and what the build said."""
    (project.root / "docs" / "conf.py").write_text(CONF)
    (project.root / "pyproject.toml").write_text(
        '[tool.tutorkit.conditions]\ngpu = { program = "no-such", reason = "needs a GPU" }\n'
        '[tool.tutorkit]\npages = ["docs/*.md", "docs/*.rst"]\nsource = ["."]\ndisplay_only = 50\n'
    )

    def build(page: str, *tests: str, test: bool = True) -> tuple[str, str]:
        if test:
            command("pytest", "-q", *(tests or ["docs"]))
        done = command("sphinx", "-q", "docs", "out")
        html = (project.root / "out" / page).read_text()
        body = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html[html.index('role="main"') :]))
        return body.replace("&gt;", ">").replace("&#39;", "'"), done.stderr

    return build


def test_a_page_shows_what_came_of_its_blocks(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    write(PAGE, "docs/index.md")

    text, said = built("index.html")

    assert said == ""
    assert 'print("said", 1 + 1) said 2' in text
    assert text.count("shown") == 2  # the code, and the output once
    assert "1 / 0 Not run: needs a GPU." in text
    assert "ZeroDivisionError: division by zero" in text
    assert "3 blocks ran, 1 skipped: needs a GPU, 1 for display only; Python 3" in text
    assert "Take it along: script, notebook." in text
    assert "Some blocks need a GPU." in text


def test_without_a_record_a_block_says_that_it_was_not_run(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```python\nprint(1)\n```\n", "docs/index.md")
    before, _ = built("index.html", test=False)
    built("index.html")
    write("# T\n\n```python\nprint(2)\n```\n", "docs/index.md")
    after, _ = built("index.html", test=False)

    assert "print(1) Not run: not run yet." in before
    assert "print(2) Not run: changed since it was run." in after


def test_a_block_that_nobody_knows_is_a_warning_with_its_line(write: Write, built) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```ruby\nputs 1\n```\n", "docs/index.md")

    _, said = built("index.html")

    assert "docs/index.md:4: is ruby, which is not run; make it a file (:caption: its name)" in said


def test_a_page_outside_of_the_settings_is_a_warning(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```{toctree}\nsub/other\n```\n", "docs/index.md")
    write("# Other\n\n```python\nx\n```\n", "docs/sub/other.md")

    _, said = built("index.html")

    assert "tutorkit does not read this page, and it has blocks; add it to pages or docstrings" in said
    assert "docs/sub/other.md:3" in said


def test_a_notebook_is_executed_by_the_tests_and_shown_by_the_build(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    (project.root / "docs" / "in.txt").write_text("hello\n")
    write("# T\n\n```{toctree}\nbook\n```\n", "docs/index.md")
    page = write(NOTEBOOK, "docs/book.md")

    text, said = built("book.html")

    assert said == ""
    assert "/home/you" in text
    assert "'hello\\n'" in text
    assert "2 blocks ran" in text
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


def test_a_site_is_built_whatever_failed(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    """With a mark at each block that failed, a line at the top, and no warning."""
    write(FAILING, "docs/index.md")
    settings(project, "time_limit = 0.5\n")

    text, said = built("index.html")

    html = (project.root / "out" / "index.html").read_text()
    assert said == ""
    assert 'href="#failed-1">line 8</a>' in html
    assert "2 of 4 blocks on this page failed when they last ran: first at line 8. x = 1" in text
    assert "print(x) Failed: docs/index.md:8: the output differs from the page --- expected +++ got" in text
    assert "while True: pass Failed: docs/index.md:16: used " in text
    assert "y = 2 Not run: the page ended at docs/index.md:16." in text
    assert html.index('<div class="tutorkit-failed docutils container" id="failed-1">') < html.index("print")


def test_what_a_page_leaves_behind_is_shown_at_its_top(write: Write, built) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```python\nimport os\nos.environ['T'] = '1'\n```\n", "docs/index.md")

    text, said = built("index.html")

    assert said == ""
    assert "The page as a whole failed: leaves behind environment variables: T. import os" in text


def test_a_notebook_whose_cell_failed_shows_what_ran_before(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```{toctree}\nbook\n```\n", "docs/index.md")
    write(NOTEBOOK.replace('Path("in.txt").read_text()', "1 / 0") + "\n```{code-cell}\ny = 2\n```\n", "docs/book.md")

    text, said = built("book.html")

    assert said == ""
    assert "/home/you" in text
    assert "1 of 3 blocks on this page failed when it last ran: first at line 17." in text
    assert "Failed: docs/book.md:17: raised ZeroDivisionError: division by zero" in text
    assert "ZeroDivisionError Traceback (most recent call last)" in text
    assert "y = 2 Not run: the page ended at docs/book.md:17." in text


def test_an_exercise_and_a_docstring_that_failed_are_marked(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
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


def test_a_page_that_cannot_be_read_is_one_warning_and_the_rest_is_built(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```{toctree}\nbad\n```\n\n```{tutorkit-status}\n```\n\n```python\nx = 1\n```\n", "docs/index.md")
    (project.root / "docs" / "bad.md").write_text("# Bad\n\n```python\nx\n```\n\n```python\n1\n")

    text, said = built("index.html", "docs/index.md")

    assert said.count("WARNING") == 1
    assert "docs/bad.md:7: the fence ```python is not closed" in said
    assert "1 block ran" in text
    assert (project.root / "out" / "bad.html").exists()


def test_exercises_show_their_task_and_hide_what_is_to_be_found(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
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


def test_a_lesson_says_all_three_things(write: Write, built) -> None:  # type: ignore[no-untyped-def]
    write("# T\n\n```{lesson}\n:learn: to double\n:time: 2 minutes\n```\n", "docs/index.md")

    _, said = built("index.html", test=False)

    assert "docs/index.md:3: ERROR: lesson: no :need:; give it in words" in said


def test_two_builds_of_one_record_are_equal(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    write(PAGE, "docs/index.md")
    built("index.html")
    first = (project.root / "out" / "index.html").read_bytes()
    subprocess.run(["rm", "-r", str(project.root / "out")], check=True)
    built("index.html", test=False)

    assert (project.root / "out" / "index.html").read_bytes() == first


def test_what_is_taken_along_runs(write: Write, project: Config, tmp_path: Path) -> None:
    (project.root / "docs").mkdir(exist_ok=True)
    (project.root / "docs" / "P.txt").write_text("2.5\n")
    (project.root / "docs" / "P.bin").write_bytes(b"\xff")
    page = write(
        "<!-- files: P.txt P.bin -->\n\n# T\n\n```{code-block} text\n:caption: data/T.txt\n1.5\n```\n\n```pycon\n>>> from pathlib import Path\n"
        '>>> Path("data/T.txt").read_text()\n\'1.5\\n\'\n>>> int("x")\nTraceback (most recent call last):\n'
        "ValueError: ...\n```\n\n```console\n$ cat data/T.txt P.txt\n1.5\n2.5\n```\n\n```python\nprint('end')\n```\n",
        "docs/page.md",
    )
    folder = tmp_path / "elsewhere"
    script, notebook = download.write(page, project, folder)

    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, check=False)
    argv = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout", notebook]
    executed = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)

    assert done.stdout.split("\n") == ["ValueError: invalid literal for int() with base 10: 'x'", "1.5", "2.5", "end", ""]
    assert "# It needs P.bin beside it." in (folder / script).read_text()
    assert executed.returncode == 0 or "No module named" in executed.stderr or "nbconvert" in executed.stderr


def test_an_entry_of_the_reference_links_to_the_blocks_that_run_it(write: Write, built, project: Config) -> None:  # type: ignore[no-untyped-def]
    (project.root / "shapes.py").write_text('def a():\n    """The first."""\n    return 1\n\ndef b():\n    """The second."""\n')
    write("# P\n\n```pycon\n>>> from shapes import a\n>>> a()\n1\n```\n", "docs/page.md")
    write("Reference\n=========\n\n.. autofunction:: shapes.a\n\n.. autofunction:: shapes.b\n", "docs/index.rst")
    paths = f"import sys\nsys.path.insert(0, {str(project.root)!r})\n"
    (project.root / "docs" / "conf.py").write_text(paths + CONF.replace('"myst_nb"', '"sphinx.ext.autodoc", "myst_nb"'))
    settings(project, 'api = ["shapes"]\n')

    text, _ = built("index.html")

    assert "The first. Examples that run this: page.md:4. shapes.b()" in text
    assert text.count("Examples that run this") == 1
