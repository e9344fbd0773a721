"""The sessions: ``nox -s demo``, ``tests``, ``start-interrupts``, ``sanitize``, ``docs``, ``benchmarks``."""

import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"
nox.needs_version = ">=2024.10.9"

TUTORKIT = "packages/tutorkit[sphinx]"  #: the distribution beside this one, which runs the pages and makes the site
TUTORIAL = Path("tutorials/melt/melt.md").absolute()


@nox.session
def demo(session: nox.Session) -> None:
    """Run the LAMMPS tutorial as a script, with live progress; its results lie in demo/."""
    session.install("-q", "-e.[tutorials]", "jupytext")
    directory = Path("demo").absolute()
    directory.mkdir(exist_ok=True)
    shutil.copy(TUTORIAL.with_name("in.melt"), directory)
    session.run("jupytext", "--quiet", "--to", "py:percent", "--output", str(directory / "melt.py"), str(TUTORIAL))
    session.chdir(directory)
    session.run("python", "melt.py", env={"MPLBACKEND": "agg"})


@nox.session
def tests(session: nox.Session) -> None:
    """Check everything: style, types, layers, tests, pages, the site in a browser, and what of the source they ran."""
    session.install("-q", "-e.[lint]", "-e", TUTORKIT)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")
    if not Path(".nox/redisai/redisai").exists():  # beside the environment, not in it: it needs an old redis-py
        target = ["--no-deps", "--target", ".nox/redisai", "redisai==1.3.0", "redis==4.6.0", "setuptools<81"]
        session.run("python", "-m", "pip", "install", "-q", *target, "deprecated", "wrapt", "six")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-n2", "--dist=loadfile", *session.posargs)  # a page or file stays whole
    build(session, "coverage", "run", "-m", "sphinx")
    if not session.posargs:  # the record of some tests makes half a site
        session.run("pytest", "-q", "tests/site", "--site", "build/html")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/html from the record of the tests, and run nothing; a warning is an error."""
    session.install("-q", "-e.[docs]", "-e", TUTORKIT)
    build(session, "sphinx-build")


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
def benchmarks(session: nox.Session) -> None:
    """Measure beside SmartSim 0.8.0, in an environment of its own, and beside floors; options go to benchmarks/run.py."""
    session.install("-q", "-e.[test]", "-e", TUTORKIT)  # models, pages and a site are measured too
    python = Path(".nox/smartsim/bin/python").absolute()
    if not python.exists():
        session.run("python", "-m", "venv", ".nox/smartsim")
        session.run(str(python), "-m", "pip", "install", "-q", "smartsim==0.8.0", external=True)
    session.run("python", "benchmarks/run.py", "--smartsim", str(python), *session.posargs)


def build(session: nox.Session, *command: str) -> None:
    """Build the site with `command`."""
    shutil.rmtree("build/html", ignore_errors=True)
    shutil.rmtree("build/doctrees", ignore_errors=True)
    session.run(*command, "-W", "--keep-going", "-q", "-n", "-b", "html", "-d", "build/doctrees", "docs", "build/html")
    session.log(f"the site is at {os.path.abspath('build/html/index.html')}")
