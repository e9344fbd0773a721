"""Install what a page says that it needs into an empty environment, and run the page there: ``python tests/extras.py``.

Words, as ``onnx`` or ``smartredis``, choose pages that need one of them. Pages that need the same share an environment.
It needs PyPI, and a place where pip finds PyTorch for CPUs.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tutorkit.config import Config, load
from tutorkit.reading.blocks import Page
from tutorkit.reading.pages import read
from tutorkit.teaching.download import requirements
from worlds.distributions import TUTORKIT, build, copy, environment

TORCH = "torch==2.13.0+cpu"  #: any other wheel of it would bring CUDA

Needs = tuple[str, ...]


def main(words: list[str]) -> None:
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = copy(folder / "project")
        (folder / "dist").mkdir()
        for each in (project, project / TUTORKIT):
            shutil.copy(build(each, "wheel"), folder / "dist")
            shutil.rmtree(each / "src")  # a page would import it from there
        for needs, pages in sorted(groups(project).items()):
            if not words or any(word in need for need in needs for word in words):
                print("", " ".join(needs), sep="\n", flush=True)
                python = install(folder, needs)
                for problem in (problem for page in pages for problem in run(python, page, project)):
                    print(problem, flush=True)
                    wrong.append(problem)
                shutil.rmtree(python.parents[1])
    if wrong:
        raise SystemExit("\n".join(["", "failed:", *(problem.partition("\n")[0] for problem in wrong)]))


def settings(project: Path) -> Config:
    """What the project says of its pages."""
    found = load(project)
    assert found is not None
    return found


def groups(project: Path) -> dict[Needs, list[Page]]:
    """The pages that a reader runs, by what they need."""
    config, found = settings(project), defaultdict(list)
    for page in (read(path, config.root) for path in config.paths() if path.suffix in (".rst", ".md")):
        if blocks := [block for block in page.blocks if block.runs]:
            names = sorted({name for block in blocks for name in block.needs})
            found[tuple(sorted(requirements(config, [config.conditions[name] for name in names])))].append(page)
    return found


def install(folder: Path, needs: Needs) -> Path:
    """An environment with what pages need, and what runs them; its Python."""
    dist, constraints = folder / "dist", folder / "constraints.txt"
    constraints.write_text(f"{TORCH}\n")
    if any("torch" in need for need in needs) and not list(dist.glob("torch-*")):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(dist), TORCH], check=True)
    python = environment(folder / "environment")
    argv = ["uv", "pip", "install", "-q", "--python", str(python), "--find-links", str(dist), "-c", str(constraints)]
    subprocess.run([*argv, *needs, "tutorkit[sphinx]"], check=True)
    listed = subprocess.run(["uv", "pip", "list", "--python", str(python)], capture_output=True, text=True, check=True).stdout
    assert "nvidia" not in listed, listed
    return python


def run(python: Path, page: Page, project: Path) -> Iterator[str]:
    """Run a page; what failed, and what is still lacking of that which was installed for it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE", "VIRTUAL_ENV"))}
    env["PATH"] = os.pathsep.join([str(python.parent), *(each for each in env["PATH"].split(os.pathsep) if ".nox" not in each)])
    began = time.monotonic()
    argv = [str(python), "-m", "tutorkit", "run", str(project / page.name)]
    done = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    passed, left_out = (sum(word in line for line in lines) for word in (": passed in ", ": skipped: "))
    print(f"  {page.name}: {passed} blocks passed, {left_out} left out, {time.monotonic() - began:.0f} s", flush=True)
    if done.returncode:
        failed = next((number for number, line in enumerate(lines) if ": failed in " in line), 0)
        yield "\n".join([*lines[failed : failed + 20], done.stderr])
    promised = {condition.reason for condition in settings(project).conditions.values() if condition.requires}
    yield from (line for line in lines if any(line.endswith(f": skipped: {reason}") for reason in promised))


if __name__ == "__main__":
    main(sys.argv[1:])
