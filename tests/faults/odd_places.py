"""What may stand where a file or a directory is expected, and what may have become of an experiment's own."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from worlds.strangers import FOREIGN, NO_FILES

Act = Callable[[Path], None]


def places(home: Path) -> dict[str, str]:
    """Paths that a caller may give, by name; what stands there is made below `home`."""
    home.mkdir()
    for name, make in NO_FILES.items():
        make(home / name)
    for name, content in FOREIGN.items():
        (home / f"{name} file").write_bytes(content)
    for name in ("unreadable", "read-only"):
        (home / f"{name} file").write_text(";T;\n")
        (home / f"{name} directory").mkdir()
        (home / f"{name} directory" / "file").write_text(";T;\n")
    for kind in ("fifo", "socket", "link to nothing", "link to itself"):
        (home / f"directory with {kind}").mkdir()
        NO_FILES[kind](home / f"directory with {kind}" / "it")
    shutil.copytree(home / "unreadable directory", home / "directory with unreadable file")
    (home / "directory with unreadable file" / "file").chmod(0)
    found = {path.name: str(path) for path in sorted(home.iterdir())}
    for path in home.glob("unreadable*"):
        path.chmod(0)
    for path in home.glob("read-only*"):
        path.chmod(0o555)
    return found | {
        "below a file": f"{home}/empty file/x",
        "below nothing": f"{home}/no/such/x",
        "in an unreadable directory": f"{home}/unreadable directory/x",
        "in a read-only directory": f"{home}/read-only directory/x",
        "long name": f"{home}/{'x' * 300}",
        "long path": f"{home}/{'x/' * 3000}",
        "in proc": "/proc/self/mem",
        "many slashes": f"//{home}//",
    }


def replaced(make: Act, name: str, home: Path) -> None:
    """Put what `make` makes where `name` is below `home`."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    make(path)


def mode(bits: int, name: str, home: Path) -> None:
    path = home / name
    if not path.exists():
        path.mkdir(parents=True)
    path.chmod(bits)


def without_working_directory(home: Path) -> None:
    (home / "gone").mkdir()
    os.chdir(home / "gone")
    (home / "gone").rmdir()


def file(content: bytes, path: Path) -> None:
    path.write_bytes(content)


#: Of an experiment `study` with a model `m` and an ensemble `ens`, to which `data`, `in.txt` and `data/sub` are attached.
NAMES = (
    "study", "study/journal", "study/journal/x.tsv", "study/journal/lock-here-1-1", "study/m", "study/ens", "study/ens/ens_0",
    "study/ens/members.csv", "study/m/params.json", "study/.m.new", "study/.m.old", "study/m.out", "in.txt", "data", "data/sub",
    "data/file",
)  # fmt: skip
SITUATIONS: dict[str, Act] = {
    "nothing odd": lambda home: None,
    "no working directory": without_working_directory,
    **{f"{name} is a {kind}": partial(replaced, make, name) for name in NAMES for kind, make in NO_FILES.items()},
    **{
        f"{name} is {kind}": partial(replaced, partial(file, content), name)
        for name in NAMES
        for kind, content in FOREIGN.items()
    },
    **{f"{name} is missing": partial(replaced, lambda path: None, name) for name in NAMES},
    **{f"{name} has mode {bits:o}": partial(mode, bits, name) for name in NAMES for bits in (0, 0o111, 0o444, 0o555)},
}
