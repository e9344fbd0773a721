"""The command runs pages, mends them, checks answers, and says how the site stands.

Tests __main__, errors, fix and record.site.
"""

import re
import subprocess
from pathlib import Path

from tutorkit.config import Config
from worlds.projects import Command, Write

PAGE = """
# Means

```python
x = 1
```

```pycon
>>> x + 1
3
>>> print("a b\\n\\nc")
a ...
...
d
```

```console
$ echo $((1 + 1)); exit_with() { return $1; }
3
$ exit_with 4
```
"""


def test_run_says_what_became_of_each_block(write: Write, command: Command) -> None:
    write(PAGE, "docs/page.md")

    done = command("tutorkit", "run", "docs/page.md")

    assert done.returncode == 1
    assert re.search(r"docs/page.md:4 means-1: passed in 0.\d\d s\ndocs/page.md:8 means-2: failed", done.stdout)
    assert "docs/page.md:8: the output differs from the page\n--- expected\n+++ got\n@@ -1 +1 @@\n-3\n+2\n" in done.stdout


def test_to_block_and_last_failed_choose(write: Write, command: Command) -> None:
    write(PAGE, "docs/page.md")

    to = command("tutorkit", "run", "docs/page.md", "--to", "7")
    block = command("tutorkit", "run", "docs/page.md", "--block", "means-2")
    failed = command("tutorkit", "run", "docs/page.md", "--last-failed")
    wrong = command("tutorkit", "run", "docs/page.md", "--block", "no")

    assert (to.returncode, to.stdout.count("means-")) == (0, 1)
    assert block.stdout.count(" means-") == 2
    assert failed.stdout.count(" means-") == 2
    assert (wrong.returncode, wrong.stderr) == (2, "docs/page.md: no block 'no'; there are means-1, means-2, means-3\n")


def test_fix_writes_the_outputs_and_keeps_the_ellipses_that_agree(write: Write, command: Command, project: Config) -> None:
    page = write(PAGE.replace("\n", "\r\n"), "docs/page.md")

    done = command("tutorkit", "run", "docs/page.md", "--fix")

    fixed = page.path.read_bytes().decode()
    assert done.returncode == 1
    assert "-3\n+2" in done.stdout
    assert fixed.count("\n") == fixed.count("\r\n")
    shown = fixed.replace("\r\n", "\n")
    assert ">>> x + 1\n2\n" in shown
    assert '>>> print("a b\\n\\nc")\na ...\n<BLANKLINE>\nc\n' in shown
    assert "$ echo $((1 + 1)); exit_with() { return $1; }\n2\n$ exit_with 4\n[4]\n```\n" in shown
    assert command("tutorkit", "run", "docs/page.md").returncode == 0


def test_fix_refuses_a_file_with_changes_that_are_not_committed(write: Write, command: Command, project: Config) -> None:
    page = write(PAGE, "docs/page.md")
    before = page.path.read_text()
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)

    done = command("tutorkit", "run", "docs/page.md", "--fix")

    assert done.returncode == 2
    assert "docs/page.md: has changes that are not committed; commit them" in done.stderr
    assert page.path.read_text() == before


def test_status_says_what_was_not_run(write: Write, command: Command) -> None:
    write("# A\n\n```python\nx = 1\n```\n", "docs/a.md")
    write("# B\n\n```python\nx = 1\n```\n", "docs/b.md")
    command("tutorkit", "run", "docs/a.md")

    done = command("tutorkit", "status")
    failed = command("tutorkit", "status", "--failed")

    assert done.returncode == 1
    assert done.stdout == "docs/b.md:4: not run yet\n2 pages, 2 blocks: 1 not run, 1 passed\n"
    assert (failed.returncode, failed.stdout) == (0, "2 pages, 2 blocks: 1 not run, 1 passed\n")


def test_status_says_what_failed_each_once(write: Write, command: Command, project: Config) -> None:
    exercise = (
        "# C\n\n::::{exercise} One\n:::{starter}\nx = 0\n:::\n:::{checks}\n>>> x\n1\n:::\n:::{solution}\nx = 2\n:::\n::::\n"
    )
    write(PAGE.replace("a ...\n...\nd", "a b\n...\nc").replace("[4]", ""), "docs/a.md")
    write("# B\n\n```python\nimport os\nos._exit(3)\n```\n\n```python\ny = 1\n```\n\n```python\nz = 1\n```\n", "docs/b.md")
    write(exercise, "docs/c.md")
    write("# D\n\n```python\nimport os\nos.environ['D'] = ''\n```\n", "docs/d.md")
    command("pytest", "-q", "docs")
    (project.root / "docs" / "e.md").write_text("# E\n\n```python\n")

    done = command("tutorkit", "status")

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "docs/a.md:8: the output differs from the page",
        "docs/a.md:17: the output differs from the page",
        "docs/b.md:4: ended the process that the page runs in, with code 3",
        "docs/c.md:12: the solution does not pass",
        "docs/d.md: leaves behind environment variables: D",
        "docs/e.md:3: the fence ```python is not closed; write ``` below its last line",
        "docs/b.md:9: the page ended at docs/b.md:4; the same for 1 more after it",
        "4 pages, 7 blocks: 3 failed, 2 not run, 2 passed",
    ]


def test_a_page_that_is_not_there_is_an_error(command: Command) -> None:
    done = command("tutorkit", "run", "docs/no.md")

    assert done.returncode == 2
    assert "is not there; give the path" in done.stderr


def test_without_settings_a_page_runs_all_the_same(command: Command, project: Config) -> None:
    (project.root / "pyproject.toml").unlink()
    Path(project.root, "a.md").write_text("# A\n\n```python\nprint(1)\n```\n")

    done = command("tutorkit", "run", "a.md")

    assert (done.returncode, done.stdout.startswith("a.md:4 a-1: passed")) == (0, True)


def test_fix_leaves_alone_what_passes(write: Write, command: Command, project: Config) -> None:
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text() + 'normalize = ["paths", "times"]\n')
    text = (
        "# A\n\n```pycon\n>>> 1 / 0\nTraceback (most recent call last):\n  ...\nZeroDivisionError: division by zero\n"
        ">>> print('took 3 s')\ntook 5 s\n>>> 1 + 1\n3\n```\n"
    )
    page = write(text, "docs/page.md")

    command("tutorkit", "run", "docs/page.md", "--fix")

    assert page.path.read_text() == text.replace("\n3\n", "\n2\n")


def test_run_fails_for_a_block_that_nobody_runs(write: Write, command: Command) -> None:
    write("# A\n\n```bash\nfalse\n```\n", "docs/page.md")

    done = command("tutorkit", "run", "docs/page.md")

    assert done.returncode == 1
    assert "docs/page.md:4: is bash, which is not run; call it console" in done.stdout
