"""A page runs in a process of its own: its blocks share what they make, what is wrong is told, and nothing survives it.

Tests clean_process, evaluate, page_process and processes.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.running.page_run import PageRun
from worlds.drivers import lives
from worlds.patience import eventually
from worlds.projects import Write, run


def blocks(*codes: str) -> str:
    """A page of Python blocks."""
    return "# Title\n\n" + "\n".join(f"```python\n{code}\n```\n" for code in codes)


def test_blocks_share_names_files_and_the_directory(write: Write, project: Config) -> None:
    page = write(
        """
        # Title

        ```python
        from pathlib import Path
        x = [1]
        ```

        ```{code-block} text
        :caption: data/T.txt
        1.5
        ```

        ```console
        $ cat data/T.txt
        1.5
        $ cd data
        $ ls
        T.txt
        $ false
        [1]
        ```

        ```pycon
        >>> x, Path("data/T.txt").read_text()
        ([1], '1.5\\n')
        >>> import pickle
        >>> class A: pass
        >>> isinstance(pickle.loads(pickle.dumps(A())), A)
        True
        ```

        ```{code-cell}
        y = 2
        y + 1
        ```

        ```{output}
        3
        ```
        """,
        "docs/page.md",
    )

    assert run(page, project) == ([""] * 5, "")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\n1 / 0", "docs/page.md:5: raised ZeroDivisionError: division by zero"),
        ("x = (", "docs/page.md:4: raised SyntaxError"),
        ("def f():\n    raise ValueError('no')\n\nf()", "docs/page.md:5: raised ValueError: no"),
        ("import sys\nsys.exit(3)", "docs/page.md:5: raised SystemExit: exited the interpreter (code 3)"),
        ("import os\nos._exit(3)", "docs/page.md:4: ended the process that the page runs in, with code 3"),
        ("import os\nos.kill(os.getpid(), 9)", "docs/page.md:4: ended the process that the page runs in, by SIGKILL"),
        ("while True: pass", "docs/page.md:4: used "),
        (
            "for _ in range(100): print('x' * 1_000_000)",
            "docs/page.md:4: raised tutorkit.running.evaluate.TooMuchError: printed more than",
        ),
        ("raise KeyboardInterrupt", "docs/page.md:4: raised KeyboardInterrupt"),
    ],
)
def test_a_bad_block_is_told_with_its_line_and_the_next_page_runs(
    write: Write, project: Config, code: str, message: str
) -> None:
    bad, good = write(blocks(code, "y = 2"), "docs/page.md"), write(blocks("assert 'x' not in globals()"), "docs/good.md")

    problems, _ = run(bad, replace(project, time_limit=1.0))

    assert problems[0].startswith(message)
    assert problems[1] == "" or problems[1].startswith(f"docs/page.md:{bad.blocks[1].line}: was not run: {message[:14]}")
    assert run(good, project) == ([""], "")


def test_an_endless_block_takes_what_it_has_started_with_it(write: Write, project: Config) -> None:
    code = (
        "import os, subprocess, time\n"
        f"log = {str(project.root / 'pids')!r}\n"
        "subprocess.Popen(['setsid', 'sh', '-c', f'(setsid sh -c \"echo \\\\$\\\\$ >> {log}; exec sleep 1000\" &)'])\n"
        "while not os.path.exists(log) or not open(log).read(): time.sleep(0.01)\n"
        "while True: pass"
    )

    run(write(blocks(code), "docs/page.md"), replace(project, time_limit=2.0))

    (pid,) = map(int, (project.root / "pids").read_text().split())
    eventually(lambda: not lives(pid))


#: A module that is imported from the folder for temporary files, and removed; Python writes what it has compiled beside it.
MODULE_IN_TEMPORARY = """
import importlib, os, sys, tempfile
sys.dont_write_bytecode = False
sys.path.insert(0, tempfile.gettempdir())
path = os.path.join(tempfile.gettempdir(), "made.py")
with open(path, "w") as file:
    _ = file.write("T = 1.5")
importlib.invalidate_caches()
import made
os.remove(path)
assert os.listdir(tempfile.gettempdir()) == ["__pycache__"]
del sys.path[0]
"""


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("import subprocess\np = subprocess.Popen(['sleep', '1000'])", "leaves behind processes: sleep 1000 (pid "),
        ("import os\nos.environ['T'] = '1'", "leaves behind environment variables: T"),
        ("import os\nos.chdir('/')", "leaves behind another working directory: /"),
        ("import tempfile\nf = tempfile.mkdtemp()", "leaves behind temporary files: tmp"),
        ("open(ROOT + '/new.txt', 'w').close()", "leaves behind files in the project: new.txt"),
        ("import os\nos.mkdir(ROOT + '/new')", "leaves behind files in the project: new"),
        ("import os\nos.environ['T'] = '1'\ndel os.environ['T']", ""),
        ("open('new.txt', 'w').close()", ""),
        (MODULE_IN_TEMPORARY, ""),
    ],
)
def test_what_a_page_leaves_behind_is_told(write: Write, project: Config, code: str, left: str) -> None:
    page = write(blocks(f"ROOT = {str(project.root)!r}\n{code}"), "docs/page.md")

    problems, found = run(page, project)

    assert problems == [""]
    assert found.startswith(left) if left else found == ""


def test_a_block_is_run_after_those_before_it_and_once(write: Write, project: Config) -> None:
    page = write(blocks("n = 0", "n += 1", "assert n == 1\nn += 10", "assert n == 11"), "docs/page.md")
    runs = PageRun(page, project, project.root)

    last = runs.run(page.blocks[3])
    again = runs.run(page.blocks[1])
    runs.close()

    assert (last.problem, again.problem) == ("", "")


def test_figures_and_pictures_are_kept(write: Write, project: Config) -> None:
    text = "# T\n\n```{picture} saved.png\n```\n\n" + blocks(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('saved.png')"
    )
    page = write(text, "docs/page.md")
    images = project.root / "images"
    runs = PageRun(page, project, images)

    result = runs.run(page.blocks[0])

    assert runs.close() == ""
    assert result.images == ["title-1-1.png"]
    assert sorted(path.name for path in images.iterdir()) == ["saved.png", "title-1-1.png"]


def test_a_picture_that_no_block_saves_is_told(write: Write, project: Config) -> None:
    page = write("# T\n\n```{picture} saved.png\n```\n\n" + blocks("x = 1"), "docs/page.md")

    assert run(page, project)[1] == "no block saves the picture saved.png"


def test_files_that_a_page_names_are_there(write: Write, project: Config) -> None:
    (project.root / "data.txt").write_text("1\n")

    assert run(
        write("% files: ../data.txt\n\n" + blocks("assert open('data.txt').read() == '1\\n'"), "docs/a.md"), project
    ) == ([""], "")
    with pytest.raises(PageError, match=r"docs/b.md: files: no file '../no.txt' beside the page"):
        run(write("% files: ../no.txt\n\n" + blocks("x"), "docs/b.md"), project)


def test_a_file_that_leaves_the_directory_is_refused(write: Write, project: Config) -> None:
    page = write("# T\n\n```{code-block} text\n:caption: ../out.txt\nx\n```\n", "docs/page.md")

    assert "leaves the page's directory; give a name below it" in run(page, project)[0][0]
    assert not Path(project.root, "out.txt").exists()


def test_docstrings_know_the_names_of_their_module(write: Write, project: Config) -> None:
    page = write('def area(a):\n    """Square it.\n\n    >>> area(2)\n    4\n    """\n    return a * a\n', "shapes.py")

    assert run(page, project) == ([""], "")


def test_names_of_one_docstring_are_not_those_of_the_next(write: Write, project: Config) -> None:
    page = write(
        'def a():\n    """.\n\n    >>> x = 1\n    """\ndef b():\n    """.\n\n    >>> x\n    1\n    """\n', "shapes2.py"
    )

    assert "NameError" in run(page, project)[0][1]


def test_nothing_of_the_parent_is_known_to_a_page(write: Write, project: Config) -> None:
    os.environ.pop("TUTORKIT_TEST", None)

    assert run(write(blocks("import sys\nassert 'pytest' not in sys.modules"), "docs/page.md"), project) == ([""], "")


def test_what_a_doctest_turns_off_is_off(write: Write, project: Config) -> None:
    page = write("# A\n\n```pycon\n>>> print('a  b')  # doctest: -NORMALIZE_WHITESPACE\na b\n```\n", "docs/a.md")

    (problem,), _ = run(page, project)

    assert problem.startswith("docs/a.md:4: the output differs from the page")


def test_a_cell_that_is_to_raise_and_does_not_fails(write: Write, project: Config) -> None:
    page = write("# A\n\n```{code-cell}\n:tags: [raises-exception]\nx = 1\n```\n", "docs/a.md")

    assert run(page, project)[0] == ["docs/a.md:5: is to raise an exception, and raised none"]


def test_an_exception_in_a_thread_fails_the_block(write: Write, project: Config) -> None:
    code = "import threading\ndef bad(): assert 0\nthread = threading.Thread(target=bad)\nthread.start()\nthread.join()"

    (problem, after), _ = run(write(blocks(code, "x = 1"), "docs/a.md"), project)

    assert problem.startswith("docs/a.md:4: an exception was raised in a thread\n")
    assert "AssertionError" in problem
    assert after == ""


@pytest.mark.parametrize("options", [[], [f"ignore:{'x' * 100}"]], ids=["short", "long"])
def test_processes_may_be_spawned(write: Write, project: Config, options: list[str]) -> None:
    """Python keeps a helper for them, which has the options of its parent in its command line."""
    code = f"import multiprocessing, os, sys\nsys.warnoptions += {options}\n"
    code += "p = multiprocessing.get_context('spawn').Process(target=os.getpid)\np.start()\np.join()"

    assert run(write(blocks(code + "\nassert p.exitcode == 0"), "docs/a.md"), project) == ([""], "")
