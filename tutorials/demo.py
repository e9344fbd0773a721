"""The demo: the cells of the tutorial ``melt`` as one program, with live progress; its results lie in ``demo/``."""

import os
import re
import shutil
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parent / "melt" / "melt.md"
#: A cell of a notebook in MyST: its options begin with a colon, and are no part of the code.
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)^```$", re.MULTILINE | re.DOTALL)


def program(text: str) -> str:
    """The code of a tutorial."""
    return "\n".join(CELL.findall(text))


if __name__ == "__main__":
    directory = Path("demo")
    directory.mkdir(exist_ok=True)
    shutil.copy(TUTORIAL.with_name("in.melt"), directory)
    (directory / "melt.py").write_text(program(TUTORIAL.read_text(encoding="utf-8")), encoding="utf-8")
    os.chdir(directory)
    os.environ.setdefault("MPLBACKEND", "agg")  # no window opens
    os.execv(sys.executable, [sys.executable, "melt.py"])
