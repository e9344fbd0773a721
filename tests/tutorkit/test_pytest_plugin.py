"""Under pytest: each block is a test, runs once, fails with its place, and is on record.

Tests config, pytest_pages, record.api_coverage, running.conditions and running.conformance.
"""

import json
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.record import ledger
from worlds.projects import Test, Write, settings

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
    assert "docs/page.md:16: the output differs from the page" in said
    assert "-3\n+2" in said


def test_pages_on_several_workers_stay_whole(write: Write, project: Config, test: Test) -> None:
    for number in range(4):
        write(PAGE, f"docs/page{number}.md")

    code, said = test("docs", "-n", "2")

    assert (code, "12 passed" in said) == (0, True)
    assert len(list((project.root / "build" / "ledger").glob("docs/*.json"))) == 4


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


def test_what_needs_no_condition_is_chosen_by_the_marker(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.tutorkit.conditions]\nshell = { program = "sh", reason = "needs a shell" }\n')
    write("# T\n\n```python\n1\n```\n\n% needs: shell\n\n```python\n1 / 0\n```\n", "docs/page.md")
    (project.root / "test_it.py").write_text("import pytest\n@pytest.mark.needs('shell')\ndef test_it(): assert 0\n")

    everything = test("docs", "test_it.py")
    chosen = test("docs", "test_it.py", "-m", "not needs")

    assert (everything[0], "2 failed, 1 passed" in everything[1]) == (1, True)
    assert (chosen[0], "1 passed, 2 deselected" in chosen[1]) == (0, True)


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


def test_what_is_skipped_now_is_not_on_record_as_passed(write: Write, project: Config, test: Test) -> None:
    settings(project, '[tool.tutorkit.conditions]\ngpu = { env = "GPU", reason = "needs a GPU" }\n')
    write("# A\n\n% needs: gpu\n\n```python\nassert True\n```\n", "docs/a.md")
    assert test("docs", GPU="1")[0] == 0
    test("docs")

    record = ledger.load(project.root / "build" / "ledger", "docs/a.md")

    assert record is not None
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


@pytest.mark.needs("sphinx")
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


def test_a_notebook_that_nothing_can_execute_fails_and_says_what_to_install(write: Write, project: Config, test: Test) -> None:
    write(NOTEBOOK.replace("% needs: gpu\n\n", ""), "docs/a.md")
    (project.root / "sitecustomize.py").write_text("import sys\nsys.modules['myst_nb'] = None\n")

    code, said = test("docs", PYTHONPATH=str(project.root))

    assert code == 1
    assert "docs/a.md:9: is a notebook's, which needs the package myst-nb; pip install 'tutorkit[sphinx]'" in said
    assert "2 failed" in said


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

    assert (code, "no tests ran" in said) == (5, True), said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page = []\n", "no setting 'page'; there are api,"),
        ('pages = "docs"\n', "pages = 'docs'; give a list of texts"),
        ("environment = { THREADS = 1 }\n", "environment = {'THREADS': 1}; give a table of texts"),
        ('time_limit = "1"\n', "time_limit = '1'; give a number"),
        ('[tool.tutorkit.conditions]\ngpu = { reson = "x" }\n', "no key 'reson'; there are command, env,"),
        ("[tool.tutorkit.conditions]\ngpu = {}\n", "has no reason; say what a reader sees"),
        ('[tool.tutorkit.conditions]\ngpu = { reason = "x", requires = "y" }\n', "requires = 'y'; give a list of texts"),
        ('[tool.tutorkit.conditions]\ngpu = { reason = "x", optional = 1 }\n', "optional = 1; give true or false"),
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
