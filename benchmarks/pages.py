"""A site of 20 pages with 25 blocks each, and how pytest and Sphinx are run on it."""

import subprocess
import sys
import time
from pathlib import Path

PAGES, BLOCKS = 20, 25


def write() -> None:
    """The pages: each block computes, prints and is compared."""
    Path("docs").mkdir()
    for page in range(PAGES):
        blocks = "".join(
            f"Block {number}:\n\n>>> total = sum(range({number}))\n>>> total\n{sum(range(number))}\n\n"
            for number in range(BLOCKS)
        )
        Path(f"docs/page{page}.rst").write_text(f"Page {page}\n======\n\n{blocks}")


def project() -> None:
    """The pages, as tutorkit is told of them, and a package that they do not use."""
    write()
    Path("area.py").write_text("def area():\n    return 1\n")
    Path("pyproject.toml").write_text(
        '[tool.tutorkit]\npages = ["docs/*.rst"]\napi = ["area"]\napi_threshold = 0\nsource = ["."]\n'
    )


def pytest(*options: str) -> float:
    """Run pytest on all pages; the seconds that it takes."""
    return _run("pytest", "-q", "-p", "no:cacheprovider", "docs", *options)


def sphinx(*extensions: str) -> float:
    """Build the site, change a page, and build again; the seconds that this takes."""
    index = "\n   ".join(f"page{page}" for page in range(PAGES))
    Path("docs/index.rst").write_text(f"Site\n====\n\n.. toctree::\n\n   {index}\n")
    Path("docs/conf.py").write_text(f"extensions = {list(extensions)!r}\nhtml_theme = 'basic'\n")
    _run("sphinx", "-q", "docs", "html")
    page = Path("docs/page7.rst")
    page.write_text(page.read_text() + "One more sentence.\n")
    return _run("sphinx", "-q", "docs", "html")


def _run(module: str, *arguments: str) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 5):  # 5: pytest has nothing to run
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - began
