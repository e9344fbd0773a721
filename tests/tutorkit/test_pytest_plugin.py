"""Under pytest: each block is a test, runs once, fails with its place, and is on record."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.record import ledger
from worlds.projects import Command, Write

PAGE = """
# Title

```python
x = 1
```

```python
print(x)
```

```{output}
1
```

```pycon
>>> x + 1
2
```
"""


@pytest.fixture
def test(command: Command) -> Callable[..., tuple[int, str]]:
    """Run pytest on the pages; its exit code and what it printed."""

    def test(*options: str, **env: str) -> tuple[int, str]:
        done = command("pytest", "-q", "-p", "no:hypothesispytest", *options, **env)
        return done.returncode, done.stdout + done.stderr

    return test


Test = Callable[..., tuple[int, str]]


def settings(project: Config, text: str) -> None:
    """Add to the project's settings."""
    with (project.root / "pyproject.toml").open("a") as file:
        file.write(text)


def test_each_block_is_a_test_and_on_record(write: Write, project: Config, test: Test) -> None:
    page = write(PAGE, "docs/page.md")

    code, _ = test("docs")

    record = ledger.load(project.root / "build" / "ledger", "docs/page.md")
    assert code == 0
    assert record is not None
    assert [(entry.id, entry.line, entry.result, entry.output) for entry in record.blocks] == [
        ("title-1", 4, "passed", ""),
        ("title-2", 8, "passed", "1\n"),
        ("title-3", 16, "passed", "2\n"),
    ]
    assert [entry.digest for entry in record.blocks] == [block.digest for block in page.blocks]
    assert record.python
    assert record.platform


def test_one_block_is_run_after_those_before_it(write: Write, test: Test) -> None:
    write(PAGE, "docs/page.md")

    code, said = test("docs/page.md::title-3")

    assert (code, "1 passed" in said) == (0, True)


def test_the_last_failed_are_run_again_with_what_they_need(write: Write, test: Test) -> None:
    write(PAGE.replace("\n2\n", "\n3\n"), "docs/page.md")
    assert test("docs")[0] == 1

    code, said = test("docs", "--lf")

    assert code == 1
    assert "1 failed" in said
    assert "docs/page.md:16: put out something else than the page shows" in said
    assert "-3\n+2" in said


def test_pages_on_several_workers_stay_whole(write: Write, project: Config, test: Test) -> None:
    for number in range(4):
        write(PAGE, f"docs/page{number}.md")

    code, said = test("docs", "-n", "2")

    assert (code, "12 passed" in said) == (0, True)
    assert len(list(ledger.load_all(project.root / "build" / "ledger"))) == 4


def test_a_missing_condition_skips_with_its_reason_or_fails_where_all_is_required(
    write: Write, project: Config, test: Test
) -> None:
    settings(project, '[tool.tutorkit.conditions]\ngpu = { program = "no-such", reason = "needs a GPU" }\n')
    write("# T\n\n% needs: gpu\n\n```python\n1 / 0\n```\n", "docs/page.md")

    code, said = test("docs", "-rs")
    required, why = test("docs", REQUIRE_ALL="1")

    assert (code, "docs/page.md:6: needs a GPU" in said) == (0, True)
    assert (required, "docs/page.md:6: needs a GPU, and REQUIRE_ALL=1 asks for it" in why) == (1, True)


def test_a_test_is_marked_with_the_same_conditions(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.tutorkit.conditions]\ngpu = { program = "no-such", reason = "needs a GPU" }\n')
    (project.root / "test_it.py").write_text(
        "import pytest\n@pytest.mark.needs('gpu')\ndef test_gpu(): assert 0\n@pytest.mark.needs('tpu')\ndef test_tpu(): pass\n"
    )

    code, said = test("test_it.py", "-rs")

    assert code == 1
    assert "test_it.py::test_gpu: needs a GPU" in said
    assert "test_it.py::test_tpu: no condition 'tpu'; [tool.tutorkit.conditions] of pyproject.toml has gpu" in said


def test_an_unknown_condition_is_an_error(write: Write, test: Test) -> None:
    write("# T\n\n% needs: gpu\n\n```python\n1\n```\n", "docs/page.md")

    code, said = test("docs")

    assert code == 2
    assert "docs/page.md:6: no condition 'gpu'; [tool.tutorkit.conditions] of pyproject.toml has none" in said


def test_a_page_that_leaks_is_an_error(write: Write, test: Test) -> None:
    write("# T\n\n```python\nimport os\nos.environ['T'] = '1'\n```\n", "docs/page.md")

    code, said = test("docs")

    assert code == 1
    assert "docs/page.md: leaves behind environment variables: T" in said


def test_a_page_that_cannot_be_read_is_an_error_with_its_line(write: Write, project: Config, test: Test) -> None:
    (project.root / "docs" / "page.md").write_text("# T\n\n```python\n1\n")

    code, said = test("docs")

    assert code == 2
    assert "docs/page.md:3: the fence ```python is not closed" in said


def test_too_much_for_display_only_fails_the_whole(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.pytest.ini_options]\ntestpaths = ["docs"]\n')
    write(PAGE + "\n% display-only: a tree\n\n```text\nx\n```\n", "docs/page.md")

    code, said = test()

    assert code == 1
    assert "display-only: 1 of 4 blocks, 25.0 %; at most 5 %: run some of them" in said


def test_public_names_that_no_example_runs_fail_the_whole(write: Write, project: Config, test: Test) -> None:
    text = (project.root / "pyproject.toml").read_text()
    (project.root / "pyproject.toml").write_text(f'{text}api = ["shapes"]\n[tool.pytest.ini_options]\ntestpaths = ["docs"]\n')
    (project.root / "shapes.py").write_text("def a():\n    return 1\n\ndef b():\n    return 2\n\ndef c():\n    return 3\n")
    code_block = (
        "import subprocess, sys\nfrom shapes import b\nsubprocess.run([sys.executable, '-c', 'import shapes; shapes.a()'])\n"
    )
    write(f"# T\n\n```python\n{code_block}assert b() == 2\n```\n\n```python\nimport shapes\nshapes.c()\n```\n", "docs/page.md")

    code, said = test()

    assert code == 1
    assert "API coverage: 66.7 %, and it is to be 100 %; no checked example runs shapes.c" in said
    assert test("--tutorkit-no-api-coverage")[0] == 0


def test_a_page_that_is_named_is_run_once_and_not_by_doctest_too(write: Write, project: Config, test: Test) -> None:
    write("T\n=\n\n>>> 1 + 1\n2\n", "docs/page.rst")

    code, said = test("docs/page.rst")

    assert code == 0
    assert "1 passed" in said


def test_a_students_implementation_is_held_against_the_pages(write: Write, project: Config, test: Test) -> None:
    text = (project.root / "pyproject.toml").read_text()
    (project.root / "pyproject.toml").write_text(f'{text}api = ["shapes"]\n')
    (project.root / "shapes.py").write_text("def square(a):\n    return a * a\n\ndef twice(a):\n    return 2 * a\n")
    (project.root / "student.py").write_text("def square(a):\n    return a + a\n")
    write("# A\n\n```pycon\n>>> from shapes import square\n>>> square(3)\n9\n```\n", "docs/a.md")
    write("# B\n\n```pycon\n>>> import shapes\n>>> shapes.twice(3)\n6\n```\n", "docs/b.md")

    code, said = test("docs", "--tutorkit-impl", "student")
    wrong, why = test("docs", "--tutorkit-impl", "nobody")

    assert code == 1
    assert "docs/a.md: 0 of 1 pass\ndocs/b.md: 1 of 1 pass" in said
    assert wrong == 1
    assert "--tutorkit-impl nobody: No module named 'nobody'" in why
    assert not (project.root / "build" / "ledger" / "docs").exists()


def test_the_cache_runs_exactly_what_a_change_concerns(write: Write, project: Config, test: Test) -> None:
    shapes = project.root / "shapes.py"
    shapes.write_text("def a():\n    return 1\n\ndef b():\n    return 2\n")
    (project.root / "data.txt").write_text("5\n")
    write("# A\n\n```pycon\n>>> from shapes import a\n>>> a()\n1\n```\n", "docs/a.md")
    write("# B\n\n```pycon\n>>> from shapes import b\n>>> b()\n2\n```\n", "docs/b.md")
    write("# C\n\n```pycon\n>>> 3\n3\n```\n", "docs/c.md")
    write(f"# D\n\n```pycon\n>>> open({str(project.root / 'data.txt')!r}).read()\n'5\\n'\n```\n", "docs/d.md")
    write("# E\n\n```console\n$ python -c 'import shapes; print(shapes.b())'\n2\n```\n", "docs/e.md")
    cached = "docs", "--tutorkit-cache"
    assert test(*cached)[0] == 0

    unchanged = test(*cached)[1]
    shapes.write_text("# A comment, and everything moves.\n\n" + shapes.read_text())
    moved = test(*cached)[1]
    shapes.write_text(shapes.read_text().replace("return 2", "return 3"))
    broken = test(*cached)[1]
    shapes.write_text(shapes.read_text().replace("return 3", "return 2"))
    mended = test(*cached)[1]
    (project.root / "data.txt").write_text("6\n")
    data = test(*cached)[1]

    assert "5 pages unchanged" in unchanged
    assert "4 pages unchanged" in moved  # but the one that starts a process
    assert "3 pages unchanged" in broken
    assert "FAILED docs/b.md::b-1" in broken
    assert "FAILED docs/e.md::e-1" in broken
    assert "2 failed" in broken
    assert "2 passed" in mended
    assert "1 failed" in data
    assert "FAILED docs/d.md::d-1" in data


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("import os; print(len(os.listdir({root!r})))", "more"),
        ("import sqlite3; print(sqlite3.connect({root!r} + '/data').execute('select 1').fetchone())", "data"),
        ("print(open(({root!r} + '/data').encode()).read())", "data"),
        ("print(open({root!r} + '/data.py').read())", "data.py"),
    ],
    ids=["folder", "sqlite", "bytes", "source"],
)
def test_the_cache_sees_what_a_page_reads(write: Write, project: Config, test: Test, code: str, change: str) -> None:
    (project.root / "in").mkdir()
    for name in "data", "data.py":
        (project.root / "in" / name).touch()
    write(f"# A\n\n```python\n{code.format(root=str(project.root / 'in'))}\n```\n", "docs/a.md")
    cached = "docs", "--tutorkit-cache"
    assert test(*cached)[0] == 0

    unchanged = test(*cached)[1]
    with (project.root / "in" / change).open("a") as file:
        file.write("\n")
    changed = test(*cached)[1]

    assert "1 pages unchanged" in unchanged
    assert "1 passed" in changed


def test_the_cache_knows_settings_and_conditions(write: Write, project: Config, test: Test) -> None:
    gpu = '[tool.tutorkit.conditions]\ngpu = { env = "GPU", reason = "needs a GPU" }\n'
    settings(project, gpu)
    write("# A\n\n```pycon\n>>> 1\n1\n```\n\n% needs: gpu\n\n```pycon\n>>> 2\n3\n```\n", "docs/a.md")
    cached = "docs", "--tutorkit-cache"
    assert test(*cached)[0] == 0

    unchanged = test(*cached)[1]
    with_gpu = test(*cached, GPU="1")[1]
    assert test(*cached)[0] == 0
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.tutorkit]", '[tool.tutorkit]\nflags = ["ELLIPSIS"]'))
    other_flags = test(*cached)[1]

    assert "1 pages unchanged" in unchanged
    assert "1 failed, 1 passed" in with_gpu
    assert "1 passed, 1 skipped" in other_flags


def test_what_is_skipped_now_is_not_on_record_as_passed(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.tutorkit.conditions]\ngpu = { env = "GPU", reason = "needs a GPU" }\n')
    write("# A\n\n% needs: gpu\n\n```python\nassert True\n```\n", "docs/a.md")
    assert test("docs", GPU="1")[0] == 0
    test("docs")

    (record,) = ledger.load_all(project.root / "build" / "ledger")

    assert (record.blocks[0].result, record.blocks[0].reason) == ("skipped", "needs a GPU")


NOTEBOOK = """
---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---

# Book

% needs: gpu

```{code-cell}
raise RuntimeError("this is not run")
```

```{code-cell}
print(1)
```
"""


def test_a_notebook_leaves_out_what_a_machine_lacks_and_tells_what_it_leaves(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.tutorkit.conditions]\ngpu = { env = "GPU", reason = "needs a GPU" }\n')
    write(NOTEBOOK, "docs/a.md")
    lacking = test("docs")
    leak = "import subprocess\nprocess = subprocess.Popen(['sleep', '60'], start_new_session=True)"
    write(NOTEBOOK.replace("print(1)", leak), "docs/a.md")
    leaking = test("docs")

    assert (lacking[0], "1 passed, 1 skipped" in lacking[1]) == (0, True)
    assert leaking[0] == 1
    assert "docs/a.md: leaves behind processes: sleep 60 (pid" in leaking[1]


def test_an_exercise_has_needs_of_its_own(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.tutorkit.conditions]\ngpu = { env = "GPU", reason = "needs a GPU" }\n')
    write(
        "# A\n\n% needs: gpu\n\n::::{exercise} One\n:::{starter}\nx = 0\n:::\n:::{checks}\n>>> x\n1\n:::\n"
        ":::{solution}\nx = 2\n:::\n::::\n\n```python\nassert True\n```\n",
        "docs/a.md",
    )

    code, said = test("docs")

    assert (code, "1 passed, 1 skipped" in said) == (0, True)


def test_without_a_section_the_plugin_does_nothing(write: Write, project: Config, test: Test) -> None:
    write(PAGE, "docs/page.md")
    (project.root / "pyproject.toml").write_text("")

    code, said = test("docs")

    assert (code, "no tests ran" in said) == (5, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page = []\n", "no setting 'page'; there are api,"),
        ('pages = "docs"\n', "pages = 'docs'; give a list of texts"),
        ('time_limit = "1"\n', "time_limit = '1'; give a number"),
        ('[tool.tutorkit.conditions]\ngpu = { reson = "x" }\n', "no key 'reson'; there are command, env,"),
        ("[tool.tutorkit.conditions]\ngpu = {}\n", "has no reason; say what a reader is told"),
    ],
)
def test_a_wrong_setting_is_an_error(project: Config, test: Test, text: str, message: str) -> None:
    (project.root / "pyproject.toml").write_text(f"[tool.tutorkit]\n{text}")

    code, said = test("docs")

    assert code == 4
    assert message in said


def test_a_partial_run_keeps_what_is_on_record(write: Write, project: Config, test: Test) -> None:
    write(PAGE, "docs/page.md")
    assert test("docs")[0] == 0
    assert test("docs/page.md::title-1")[0] == 0

    file = Path(project.root, "build/ledger/docs/page.md.json")
    assert [entry["result"] for entry in json.loads(file.read_text())["blocks"]] == ["passed"] * 3
