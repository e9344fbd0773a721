"""A site of 20 pages with 25 blocks each, and how pytest is run on it."""

import subprocess
import sys
import time
from pathlib import Path

from measure import report

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


def run(*options: str) -> float:
    """Run pytest on all pages; the seconds that it takes."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "docs", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - began


def measure(*options: str) -> None:
    """Run once to warm up, and once to measure."""
    run(*options)
    report(run(*options))
