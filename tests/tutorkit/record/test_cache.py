"""With the cache, exactly those pages are run that a change concerns.

Tests ledger and session.
"""

import pytest

from tutorkit.config import Config
from worlds.projects import Test, Write, settings


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
