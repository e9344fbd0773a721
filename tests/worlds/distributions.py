"""The distributions of this repository: built from a copy of it, looked into, installed and tried."""

import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tutorkit.reading.pages import read as read_page

ROOT = Path(__file__).parents[2]
START = "docs/start.rst"  #: the page that a reader begins with
TUTORKIT = Path("packages", "tutorkit")
MADE = [line.rstrip("/").rpartition("/")[2] for line in (ROOT / ".gitignore").read_text().split()]  #: by running, not by people
#: In the sdist only: what says that it is one, and the tutorials a second time, which are a link in a clone.
OF_AN_SDIST = ("PKG-INFO", "docs/tutorials/")
VERSION = re.findall(r'^__version__ = "(.*)"$', (ROOT / "src/smartensemble/version.py").read_text(), re.MULTILINE)[0]

#: Wheels of smartensemble, and the machines that their modules are for, as ELF numbers them.
MACHINES = {"x86_64": 62, "aarch64": 183}

#: A database of an installation: it starts, keeps a tensor, and ends.
TENSOR = """\
import smartensemble
from smartensemble import Experiment
from smartensemble.databases.orchestrator import running_servers
from smartensemble.runtime.servers.resp import request

exp = Experiment("tensors")
db = exp.create_database()
exp.start(db)
shard = running_servers(db).shards[0]
request(shard, "AI.TENSORSET", "t", "FLOAT", "2", "VALUES", "1.5", "2.5")
print(request(shard, "STRLEN", "t"), request(shard, "GETRANGE", "t", "-6", "-1"), smartensemble.__file__)
exp.stop(db)
"""


def copy(folder: Path) -> Path:
    """A copy of the repository's files in `folder`, without what is made from them and without git.

    Nor has it what hatchling adds to an sdist, from which it would take the metadata.
    """
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*MADE, ".git", "*.so", "PKG-INFO"))
    return folder


def own_files() -> set[str]:
    """The files of this repository; without git, what lies in the folder that an sdist was unpacked into."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        found = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    else:
        with_folders = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        found = {str(path) for path in with_folders if not {*path.parts} & {*MADE} and path.suffix != ".so"}
    return {name for name in found if not name.startswith(OF_AN_SDIST)}


def build(project: Path, target: str, wheel: str = "", python: str = sys.executable) -> Path:
    """The file that hatchling makes of `project`, without a network: "sdist", "wheel" or "wheel:editable".

    `wheel` says for which machine a wheel is: "any", "x86_64", "aarch64", or "" for the default.
    """
    folder = project / "dist" / "-".join([*target.split(":"), wheel])
    env = {name: value for name, value in os.environ.items() if name not in ("SMARTENSEMBLE_WHEEL", "SOURCE_DATE_EPOCH")}
    argv = [python, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(
        argv,
        cwd=project,
        env=env | ({"SMARTENSEMBLE_WHEEL": wheel} if wheel else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.iterdir()
    return made


def unpack(sdist: Path, folder: Path) -> Path:
    """The project in an sdist, unpacked into `folder`."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (project,) = folder.iterdir()
    return project


def names(path: Path) -> list[str]:
    """The files in an sdist, without the folder that they are all in, or in a wheel."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return wheel.namelist()
    with tarfile.open(path) as sdist:
        return [member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()]


def read(wheel: Path, name: str) -> bytes:
    """The one file of a wheel whose path ends in `name`."""
    (found,) = [each for each in names(wheel) if each.endswith(name)]
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(found)


def problems(path: Path) -> list[str]:
    """What is wrong with a file that was built."""
    distribution, _, rest = path.name.partition("-")
    found = names(path)
    wrong = [f"{path.name}: has {name}" for name in found if name.endswith((".pyc", ".pyo")) or "__pycache__" in name]
    wrong += [f"{path.name}: has {name} twice" for name in sorted({name for name in found if found.count(name) > 1})]
    if not any(name.rpartition("/")[2] == "LICENSE" for name in found):
        wrong.append(f"{path.name}: has no LICENSE")
    if not any(name.endswith(f"{distribution}/py.typed") for name in found):
        wrong.append(f"{path.name}: has no py.typed")
    if not rest.startswith(VERSION):
        wrong.append(f"{path.name}: is not of version {VERSION}")
    return wrong + (wheel_problems(path) if path.suffix == ".whl" else [])


def wheel_problems(path: Path) -> list[str]:
    """What is wrong with a wheel."""
    distribution, version, tag = path.stem.split("-", 2)
    wrong, found = [], names(path)
    tops = {name.partition("/")[0] for name in found}
    if tops != {distribution, f"{distribution}-{version}.dist-info"}:
        wrong.append(f"{path.name}: has at its top {sorted(tops)}")
    if f"\nTag: {tag}\n" not in read(path, ".dist-info/WHEEL").decode():
        wrong.append(f"{path.name}: says that it is another wheel")
    if f"\nVersion: {version}\n" not in read(path, ".dist-info/METADATA").decode():
        wrong.append(f"{path.name}: says that it is another version")
    modules = [name for name in found if name.endswith(".so")]
    if tag == "py3-none-any":
        wrong += [f"{path.name}: has {name}" for name in modules]
    elif not (match := re.fullmatch(r"py3-none-manylinux_2_(\d+)_(x86_64|aarch64)", tag)):
        wrong.append(f"{path.name}: has a tag that PyPI does not take")
    elif modules != ["smartensemble/inference/module.so"]:
        wrong.append(f"{path.name}: has the modules {modules}")
    else:
        wrong += module_problems(path, int(match[1]), match[2])
    return wrong


def module_problems(wheel: Path, glibc: int, machine: str) -> list[str]:
    """What is wrong with the module in a wheel for `machine` with glibc 2.`glibc`."""
    module, wrong = read(wheel, "module.so"), []
    if (elf := struct.unpack_from("<4s14xH", module)) != (b"\x7fELF", MACHINES[machine]):
        wrong.append(f"{wheel.name}: its module is for {elf}")
    if (newest := max(glibc_versions(module))) > (2, glibc):
        wrong.append(f"{wheel.name}: its module needs glibc {newest}")
    traces = (str(ROOT), "/tmp/", "/home/", f"{Path.home()}/")
    return wrong + [f"{wheel.name}: its module has {trace} in it" for trace in traces if trace.encode() in module]


def glibc_versions(module: bytes) -> set[tuple[int, ...]]:
    """The versions of glibc that a module needs, by binutils' word, which the build does not ask."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(module)
        file.flush()
        text = subprocess.run(
            ["readelf", "--wide", "--version-info", file.name], capture_output=True, text=True, check=True
        ).stdout
    return {tuple(map(int, each.split("."))) for each in re.findall(r"GLIBC_([\d.]+)", text)}


def lines_that_install(page: Path) -> list[str]:
    """The commands of a page that are typed in a clone, to install from it."""
    blocks = [block for block in read_page(page, ROOT).blocks if "install" in block.needs]
    return [step.source.strip() for block in blocks for step in block.steps]


def environment(folder: Path, python: str = sys.executable) -> Path:
    """An empty environment for `python`; its Python."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def install(python: Path, *what: str) -> None:
    """Install with this Python's pip into the environment of `python`."""
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", "-q", *what], check=True)


def run(python: Path, program: str, folder: Path) -> Any:
    """Run a program in a new directory, so that it imports what is installed."""
    folder.mkdir(parents=True)
    (folder / "program.py").write_text(program)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.run([str(python), "program.py"], cwd=folder, env=env, capture_output=True, text=True, check=False)
