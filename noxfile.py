"""The sessions: ``nox -s tests`` is what "done" means; the others are parts of it, or run for longer. ``nox -l`` lists them."""

import os
import re
import shutil
import subprocess
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"
nox.needs_version = ">=2024.10.9"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of thousands of processes would compile all that it imports

TUTORKIT = "packages/tutorkit[sphinx]"  #: the distribution beside this one, which runs the pages and makes the site
#: pytest in several processes; a page or a file stays whole. There are more of them than cores because tests wait a lot.
PARALLEL = [f"-n{3 * (os.cpu_count() or 1)}", "--dist=loadfile", "--no-loadscope-reorder"]
SPHINX = ["-W", "--keep-going", "-q", "-n", "-j", "auto", "-b", "html", "-d", "build/doctrees", "docs", "build/html"]
RESULTS = Path("build/tests.xml")  #: what pytest writes of each test
LATER = ("3.12", "3.13", "3.14")  #: Pythons that run ``unit`` and ``client``; another one runs everything
#: Imported once, which compiles what is used of them, and far less than pip does. Confined workers write no compiled files.
FRAMEWORKS = "import ai_edge_litert.interpreter, onnxruntime, torch, tensorflow"
#: What runs on any machine: no framework, server, scheduler, browser or simulation.
UNIT = ["-m", "not needs", "tests", "src", "packages"]
CLIENT = ["tests/client", "tests/wire", "src/smartensemble/client", "src/smartensemble/wire"]


# --- everything -------------------------------------------------------------------------------------------------------------


@nox.session
def tests(session: nox.Session) -> None:
    """Check everything: style, types, layers, tests, pages, the site in a browser, and what of the source they ran."""
    session.install("-q", "--no-compile", "-e.[lint,test]", "-e", TUTORKIT)
    if not Path(".nox/redisai/redisai").exists():  # beside the environment, not in it: it needs an old redis-py
        target = ["--no-deps", "--target", ".nox/redisai", "redisai==1.3.0", "redis==4.6.0", "setuptools<81"]
        session.run("python", "-m", "pip", "install", "-q", *target, "deprecated", "wrapt", "six")
    compiling = [  # while one core checks; or each process of the tests would compile them all
        subprocess.Popen([f"{session.bin}/python", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for argv in (["-c", FRAMEWORKS], ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"])
    ]
    steps = Steps(session)
    check(steps)
    for each in compiling:
        each.wait()
    steps.run("coverage", "erase")
    RESULTS.unlink(missing_ok=True)
    written = [f"--junitxml={RESULTS}", "-o", "junit_family=xunit1"]
    steps.run("coverage", "run", "-m", "pytest", *PARALLEL, *written, *session.posargs)
    empty("build/html", "build/doctrees")
    steps.run("coverage", "run", "-m", "sphinx", *SPHINX)  # whatever failed: the site marks it
    if not session.posargs:  # the record of some tests makes half a site, and covers half of the source
        steps.run("pytest", "-q", "tests/site", "--site", "build/html")
    steps.run("coverage", "combine", "--quiet")
    steps.run("coverage", "report", *(["--fail-under=0"] if session.posargs else []))
    steps.end()


class Steps:
    """Commands each of which runs whatever became of those before; in the end the session tells what failed."""

    def __init__(self, session: nox.Session) -> None:
        self.session = session
        self.failed: list[str] = []

    def run(self, *command: str) -> None:
        """Run a command."""
        try:
            self.session.run(*command)
        except CommandFailed:
            self.failed.append(" ".join(command))

    def end(self) -> None:
        """Fail if a command did, and say which, and each test and block that failed once."""
        if self.failed:
            self.session.error("\n".join(["failed:", *self.failed, *failures(RESULTS)]))


def failures(results: Path) -> Iterator[str]:
    """A line for each test that failed, from what pytest has written."""
    if not results.exists():
        return
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - our own
        for kind in ("failure", "error"):
            if (found := case.find(kind)) is not None:
                message = (found.get("message") or found.text or "").strip().partition("\n")[0]
                yield f"  {case.get('file')}::{case.get('name')}: {message}"


def empty(*folders: str) -> None:
    """Remove folders that a build writes anew."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


# --- small doors ------------------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, layers, and the files of forges; nothing runs."""
    session.install("-q", "-e.[lint]", "-e", TUTORKIT)
    steps = Steps(session)
    check(steps)
    steps.run("pytest", "-q", "tests/test_forge.py")
    steps.end()


def check(steps: Steps) -> None:
    """What is checked without running anything."""
    steps.run("ruff", "check", ".")
    steps.run("ruff", "format", "--check", ".")
    steps.run("mypy")
    steps.run("lint-imports")


@nox.session
def unit(session: nox.Session) -> None:
    """Run the tests and docstrings that need nothing but Python: no framework, server, scheduler or browser."""
    session.install("-q", "-e.[unit]", "-e", "packages/tutorkit")
    session.run("pytest", "-q", *PARALLEL, *(session.posargs or UNIT))


def interpreter(version: str) -> str | None:
    """A Python of this version that can make environments, on PATH or of pyenv; None if there is none."""
    on_path = filter(None, [shutil.which(f"python{version}")])
    own = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob(f"{version}.*/bin/python")
    for path in [*on_path, *map(str, sorted(own, reverse=True))]:
        argv = [path, "-c", "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip() == version:
            return path
    return None


def unit_of(version: str) -> None:
    """The session ``unit-<version>``, which is skipped where there is no such Python."""
    found = interpreter(version)

    @nox.session(name=f"unit-{version}", python=found, venv_backend=None if found else "none")
    def unit_of_version(session: nox.Session) -> None:
        """Run ``unit`` with this Python."""
        if not found:
            session.skip(f"no Python {version} is found, on PATH or in pyenv")
        unit(session)


def client_of(version: str) -> None:
    """The session ``client-<version>``, which is skipped where there is no such Python."""
    found = interpreter(version)

    @nox.session(name=f"client-{version}", python=found, venv_backend=None if found else "none")
    def client_of_version(session: nox.Session) -> None:
        """Run the tests of the client with this Python, against real databases; models run on ONNX Runtime."""
        if not found:
            session.skip(f"no Python {version} is found, on PATH or in pyenv")
        session.install("-q", "-e.[unit,client,onnx]", "-e", "packages/tutorkit")
        session.run("pytest", "-q", *PARALLEL, *(session.posargs or CLIENT))


for _version in LATER:
    unit_of(_version)
    client_of(_version)


@nox.session
def pages(session: nox.Session) -> None:
    """Run pages, for example ``nox -s pages -- docs/howto/run.rst``; what they need beside the core is left out if missing."""
    if not session.posargs:
        session.error("no page; give some: nox -s pages -- docs/howto/run.rst")
    session.install("-q", "-e.[docs]", "pytest-timeout", "-e", TUTORKIT)
    session.run("pytest", "-q", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the LAMMPS tutorial as a script, with live progress; its results lie in demo/."""
    session.install("-q", "-e.[tutorials]")
    session.run("python", "tutorials/demo.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/html from the record of the tests, and run nothing; a warning is an error."""
    session.install("-q", "-e.[docs]", "-e", TUTORKIT)
    empty("build/html", "build/doctrees")
    session.run("sphinx-build", *SPHINX)
    session.log(f"the site is at {os.path.abspath('build/html/index.html')}")


# --- for longer -------------------------------------------------------------------------------------------------------------


@nox.session(python=next(filter(None, map(interpreter, reversed(LATER))), None))
def newest(session: nox.Session) -> None:
    """Run tests and pages with the newest version of each dependency, on the newest Python found; a warning is an error.

    PyTorch is left out: its newest version comes with gigabytes of CUDA. What needs it, or another missing program, is skipped.
    """
    ours = unpinned(".", "designs", "plot", "unit", "docs", "tutorials", "onnx", "tensorflow", "tflite")
    session.install("-q", "--upgrade", *ours, *unpinned("packages/tutorkit", "sphinx"))
    session.install("-q", "--no-deps", "-e.", "-e", "packages/tutorkit")
    session.run("pytest", *PARALLEL, "-W", "error", *session.posargs)
    empty("build/newest", "build/newest-doctrees")
    folders = ["-d", "build/newest-doctrees", "docs", "build/newest"]
    session.run("python", "-W", "error", "-m", "sphinx", "-W", "--keep-going", "-q", "-n", "-b", "html", *folders)


def unpinned(folder: str, *extras: str) -> Iterator[str]:
    """The dependencies of a distribution and of some of its extras, without the versions that they are limited to."""
    project = tomllib.loads(Path(folder, "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    for requirement in needed:
        name, _, marker = requirement.partition(";")
        if not name.startswith(project["name"]):
            yield re.split("[<>=!~ ]", name)[0] + (f";{marker}" if marker else "")


@nox.session
def sanitize(session: nox.Session) -> None:
    """Compile the server's module with gcc's sanitizers and all warnings, and send it what nobody would."""
    session.install("-q", "-e.", "redis>=5")
    session.run("python", "tests/inference/fuzz.py", *(session.posargs or ["20000", "1"]))


@nox.session(name="start-interrupts")
def start_interrupts(session: nox.Session) -> None:
    """Interrupt starts at random moments: 200 by one Ctrl-C, and 50 in each of the other ways that the program has."""
    session.install("-q", "-e.")
    program = ["python", "tests/runtime/start_interrupts.py"]
    session.run(*program, *(session.posargs or ["--starts", "200", "ctrl-c"]))
    if not session.posargs:
        session.run(*program, "--starts", "50", "twice", "thread", "process", "database", "detached")


@nox.session
def faults(session: nox.Session) -> None:
    """Call everything public with what nobody should give, and break what runs in random ways: ``-- ROUNDS SEED``."""
    rounds, seed = [*session.posargs, "500", "1"][:2]
    session.install("-q", "-e.[unit]")
    session.run("python", "tests/faults/odd_calls.py")
    session.run("python", "tests/faults/campaign.py", "--rounds", rounds, "--seed", seed)


@nox.session
def smartsim(session: nox.Session) -> None:
    """Run SmartSim's own tests of what is public against compat: ``-- DIRECTORY``, that of SmartSim 0.8.0's sources."""
    if not session.posargs:
        session.error("no directory; give that of SmartSim's sources: nox -s smartsim -- ../SmartSim")
    session.install("-q", "-e.[unit]")
    session.run("python", "tests/compat/judge.py", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Build what a release publishes into dist/, twice, and run it in each Python found; ``-- --quick`` needs no network."""
    if session.posargs == ["--quick"]:
        session.install("-q", "-e.[unit]", "-e", TUTORKIT)
        session.run("pytest", "-q", "tests/test_release.py")
        return
    zig = re.findall(r'"(ziglang==.*?)"', Path("hatch_build.py").read_text())
    session.install("-q", "-e.", "-e", TUTORKIT, "auditwheel", "build", "hatchling", "twine", *zig)
    session.run("python", "tests/release.py", *filter(None, map(interpreter, ("3.11", *LATER))))


@nox.session
def extras(session: nox.Session) -> None:
    """Run each page where only what it says that it needs is installed; ``-- onnx`` chooses pages by what they need."""
    session.install("-q", "-e.[unit]", "-e", TUTORKIT, "uv")
    session.run("python", "tests/extras.py", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure beside SmartSim 0.8.0, in an environment of its own, and beside floors; options go to benchmarks/run.py."""
    session.install("-q", "-e.[test]", "-e", TUTORKIT)  # models, pages and a site are measured too
    python = Path(".nox/smartsim/bin/python").absolute()
    if not python.exists():
        session.run("python", "-m", "venv", ".nox/smartsim")
        session.run(str(python), "-m", "pip", "install", "-q", "smartsim==0.8.0", external=True)
    session.run("python", "benchmarks/run.py", "--smartsim", str(python), *session.posargs)
