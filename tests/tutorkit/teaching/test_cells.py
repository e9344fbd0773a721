"""What a reader takes along has the words of its page, its tasks and its outputs, and runs elsewhere."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tutorkit.config import Config
from worlds.projects import Build, Write

pytestmark = pytest.mark.needs("sphinx")

TAKEN = """
<!-- files: P.txt P.bin -->

# Taken along

Some *words* before a file:

```{code-block} text
:caption: data/T.txt
1.5
two
```

```pycon
>>> from pathlib import Path
>>> Path("data/T.txt").read_text()
'1.5...'
>>> int("x")
Traceback (most recent call last):
ValueError: ...
>>> Path("P.bin").read_bytes()
b'\\xff'
```

## A second section

- in a list

  ```console
  $ cd data
  $ cat T.txt ../P.txt
  1.5
  two
  2.5
  ```

% needs: gpu

```python
raise RuntimeError("no GPU")
```

```python
print('end')
```

::::{exercise} Double
:name: double

Double *it*.

:::{starter}
def double(x):
    return x
:::

:::{checks}
:hint: Add it to itself.
>>> double(2)
4
:::

:::{solution}
def double(x): return x + x
:::
::::

Last words.
"""


def test_what_is_taken_along_has_words_outputs_and_tasks_and_runs(
    write: Write, built: Build, project: Config, tmp_path: Path
) -> None:
    (project.root / "docs" / "P.txt").write_text("2.5\n")
    (project.root / "docs" / "P.bin").write_bytes(b"\xff")
    write(TAKEN, "docs/index.md")

    import nbformat
    from nbclient import NotebookClient

    _, said = built("index.html")

    assert said == ""
    folder = project.root / "out" / "_downloads" / "tutorkit"
    book = nbformat.read(folder / "docs-index.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(book)
    words = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    for text in ("# Taken along", "Some *words* before a file:", "## A second section", "- in a list", "**Exercise: Double**",
                 "Double *it*.", "Add it to itself.", "def double(x): return x + x", "Last words."):  # fmt: skip
        assert text in words
    assert "ran on" not in words
    assert "Not run" not in words
    told = printed(book)
    away = tmp_path / "away"
    away.mkdir()
    NotebookClient(book, resources={"metadata": {"path": str(away)}}).execute()
    assert [line for line in told if line] == [
        "'1.5\\ntwo\\n'",
        "ValueError: invalid literal for int() with base 10: 'x'",
        "b'\\xff'",
        "1.5\ntwo\n2.5",
        "end",
    ]
    checked = printed(book)
    assert [line for line in checked if line and "Failed example" not in line] == [line for line in told if line]
    assert "double(2)" in "".join(checked)  # the answer is not there yet

    code = (folder / "docs-index.py").read_text()
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("".join(f"{line}\n" for line in told if line), "")
    assert '# Not run on its page: needs a GPU.\n# raise RuntimeError("no GPU")\n' in code
    assert 'Path(\'data/T.txt\').write_text("""\\\n1.5\ntwo\n"""' in code


def printed(book: Any) -> list[str]:
    """What each cell of a notebook has printed."""
    cells = (cell for cell in book.cells if cell.cell_type == "code")
    return ["".join(output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.outputs).strip()
            for cell in cells]  # fmt: skip
