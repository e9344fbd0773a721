"""The input files: 1 KB with a tag, 100 KB to copy, and one to link to."""

from pathlib import Path

TAGGED, COPIED, LINKED = (str(Path.cwd() / name) for name in ("in.tagged", "in.copied", "in.linked"))
Path(TAGGED).write_text("# a line of input\n" * 55 + "T = ;T;\n")
Path(COPIED).write_bytes(b"x" * 100_000)
Path(LINKED).write_text("linked\n")
COUNT = 1000
