"""SmartSim's own tests of what is public, with :mod:`smartensemble.compat` in place of ``smartsim``::

    python tests/compat/judge.py DIRECTORY [words for pytest]

The directory is SmartSim's repository at its release 0.8.0: it has ``conftest.py`` and ``tests/``. Nothing of it is kept here.
A copy runs in a temporary directory, without each test that cannot be judged, as :func:`public_part` decides: it imports or
reads a name that begins with ``_``, such as ``smartsim._core``, replaces what a module of SmartSim has, or uses a function or
fixture that does. Tests that need a cluster, a framework or SmartSim's own build do not run.

``differences.toml`` has the tests that fail on purpose, each with its reason. The exit code is 1 if another one fails.
"""

import ast
import builtins
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DIFFERENCES = Path(__file__).with_name("differences.toml")
LEFT_OUT = ("backends", "full_wlm", "install", "on_wlm")  #: folders of tests that cannot run here; other folders have input
PRIVATE_PATH = re.compile(r"smartsim\.(\w+\.)*_\w[\w.]*")  #: what a test replaces by its path
LONGEST_S = 100  #: of a test

#: What SmartSim's configuration says to its tests: this machine, without a scheduler and without a GPU.
CONFIG = """
from types import SimpleNamespace

CONFIG = SimpleNamespace(
    test_launcher="local", test_device="CPU", test_num_gpus=1, test_interface=["lo"], test_ports=range(17430, 17930),
    test_account="", test_batch_resources={}, test_mpi=False, dragon_server_path="",
)
"""
#: A program says once what has no effect; each test stands for one.
ANEW = """

import pytest

@pytest.fixture(autouse=True)
def _said_anew():
    from smartensemble.results.no_effect import forget

    forget()
"""
INI = f"""
[pytest]
timeout = {LONGEST_S}
log_level = DEBUG
addopts = -p no:cacheprovider -q --tb=short --continue-on-collection-errors
"""


def main(directory: Path, words: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        tests, private = prepare(directory, scratch)
        results = scratch / "results.xml"
        argv = [sys.executable, "-m", "smartensemble.compat", "-m", "pytest", f"--junitxml={results}", *words]
        subprocess.run(argv, cwd=scratch, check=False)
        verdicts = list(read(results, tests))
    lines, code = report(private, verdicts, declared(DIFFERENCES))
    print(*lines, sep="\n")
    return code


# --- what can be judged -----------------------------------------------------------------------------------------------------


def prepare(directory: Path, scratch: Path) -> tuple[list[str], list[str]]:
    """Copy the tests that can be judged; their names, and those of the others."""
    shutil.copytree(directory / "tests", scratch / "tests", symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (scratch / "judge_config.py").write_text(CONFIG)
    (scratch / "pytest.ini").write_text(INI)
    source = (directory / "conftest.py").read_text().replace("from smartsim._core.config import", "from judge_config import")
    fixtures, gone = public_part(source)
    (scratch / "conftest.py").write_text(fixtures + ANEW)
    tests: list[str] = []
    private: list[str] = []
    for path in sorted((scratch / "tests").rglob("test_*.py")):
        before = names_of_tests(path.read_text())
        kept, _ = public_part(path.read_text(), gone)
        after = names_of_tests(kept)
        tests += [f"{path.stem}::{name}" for name in after]
        private += [f"{path.stem}::{name}" for name in before if name not in after]
        path.write_text(kept) if after else path.unlink()
    return tests, private


def names_of_tests(source: str) -> list[str]:
    """The names of the tests of a module. One whose body is ``...`` tests nothing."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [
        each.name
        for each in functions
        if not any("fixture" in ast.unparse(decorator) for decorator in each.decorator_list) and not is_empty(each)
    ]


def is_empty(function: ast.FunctionDef) -> bool:
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in function.body)


@dataclass(frozen=True)
class Part:
    """A statement of a module: the names that it defines, those that it uses, and whether it does what is private."""

    node: ast.stmt
    defines: set[str]
    uses: set[str]
    private: bool


def public_part(source: str, gone: Iterable[str] = ()) -> tuple[str, list[str]]:
    """A module without what is private, and without what uses that; and the names that it lacks then.

    `gone` has the names that ``conftest`` lacks.
    """
    parts = [part(node) for node in single_imports(ast.parse(source).body)]
    kept, lost = parts, {*gone, *unknown(parts)}
    while (left := [each for each in kept if not each.private and not each.uses & lost]) != kept:
        kept, lost = left, lost | (names(parts) - names(left))
    body = [each.node for each in kept if not (isinstance(each.node, ast.FunctionDef) and is_empty(each.node))]
    return ast.unparse(ast.Module(body, [])), sorted(lost & names(parts))


def names(parts: Iterable[Part]) -> set[str]:
    """The names that these statements define."""
    return set[str]().union(*(each.defines for each in parts))


def single_imports(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, with a statement for each name that is imported."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (ast.Import([alias]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (ast.ImportFrom(node.module, [alias], node.level) for alias in node.names)
        else:
            yield node


def part(node: ast.stmt) -> Part:
    """What a statement defines, uses and does."""
    inside = list(ast.walk(node))
    bound = {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    used = {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    private = any(map(is_private, inside))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        own = bound | {each.arg for each in inside if isinstance(each, ast.arg)}
        return Part(node, {node.name}, used - own | fixtures(node), private)
    imports = [each for each in inside if isinstance(each, (ast.Import, ast.ImportFrom))]
    imported = {alias.asname or alias.name.partition(".")[0] for each in imports for alias in each.names}
    from_conftest = isinstance(node, ast.ImportFrom) and node.module == "conftest"
    return Part(node, bound | imported, used | (imported if from_conftest else set()), private)


def fixtures(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """The names that pytest looks up for a test or a fixture."""
    if isinstance(node, ast.ClassDef) or not (node.decorator_list or node.name.startswith("test")):
        return set()
    return {each.arg for each in node.args.args}


def is_private(node: ast.AST) -> bool:
    """It imports or reads what is private, or replaces what a module of SmartSim has."""
    if isinstance(node, ast.Import):
        return any(has_private(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return any(has_private(f"{node.module}.{alias.name}") for alias in node.names)
    if isinstance(node, ast.Attribute):
        return has_private(f"smartsim.{node.attr}") and ast.unparse(node.value) != "self"
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(PRIVATE_PATH.fullmatch(node.value))
    return isinstance(node, ast.Call) and replaces(node)


def has_private(path: str) -> bool:
    """A dotted path of SmartSim with a name that begins with ``_``, such as ``smartsim._core``; ``__init__`` is none."""
    first, *rest = path.split(".")
    return first == "smartsim" and any(name.startswith("_") and not name.endswith("__") for name in rest)


def replaces(call: ast.Call) -> bool:
    """It is a ``monkeypatch.setattr`` in a module of SmartSim, or of a private name."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "setattr" and call.args):
        return False
    where, *what = [ast.unparse(argument).strip("'") for argument in call.args[:2]]
    return where.startswith("smartsim.") or any(name.startswith("_") for name in what)


def unknown(parts: list[Part]) -> set[str]:
    """The names that a private module has to give by ``import *``: those that nothing else defines."""
    if not any(each.private and "*" in each.defines for each in parts):
        return set()
    return set[str]().union(*(each.uses for each in parts)) - names(parts) - set(dir(builtins))


# --- what came out ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What became of a test: it passed, failed or was skipped, and the first line of its error."""

    test: str
    outcome: str
    why: str = ""


def read(results: Path, tests: Iterable[str]) -> Iterator[Verdict]:
    """The verdicts, from what pytest has written. All `tests` of a module failed that cannot be imported."""
    for case in ET.parse(results).iter("testcase"):
        module = (case.get("classname") or case.get("name") or "").rpartition(".")[2]
        bad = next((each for each in case if each.tag in ("failure", "error", "skipped")), None)
        outcome = "passed" if bad is None else "skipped" if bad.tag == "skipped" else "failed"
        why = "" if bad is None else cause(bad)
        if case.get("classname"):
            yield Verdict(f"{module}::{case.get('name')}", outcome, why)
        else:
            yield from (Verdict(test, outcome, why) for test in tests if test.startswith(f"{module}::"))


def cause(bad: ET.Element) -> str:
    """The line that says what was wrong."""
    message = (bad.get("message") or "").partition("\n")[0]
    raised = re.findall(r"^E   (\w+Error: .*)", bad.text or "", re.MULTILINE)
    return raised[-1] if message == "collection failure" and raised else message


def declared(path: Path) -> dict[str, str]:
    """The tests that fail on purpose, and why each does."""
    return {test: each["reason"] for each in tomllib.loads(path.read_text())["difference"] for test in each["tests"]}


def report(private: list[str], verdicts: list[Verdict], differences: dict[str, str]) -> tuple[list[str], int]:
    """What to print, and the exit code: 1 if a test fails that is no declared difference."""
    outcomes = Counter(each.outcome for each in verdicts)
    failed = [each for each in verdicts if each.outcome == "failed"]
    wrong = [each for each in failed if function(each) not in differences]
    stale = {function(each) for each in verdicts if each.outcome == "passed"} & set(differences) - set(map(function, failed))
    judged = outcomes["passed"] + outcomes["failed"]
    return [
        *(f"FAILED {each.test}: {each.why}" for each in wrong),
        *(f"{test}: passes, and is declared as a difference" for test in sorted(stale)),
        f"{outcomes['passed']} of {judged} tests passed, {100 * outcomes['passed'] / max(judged, 1):.1f} %; "
        f"{len(failed) - len(wrong)} failed on purpose, and {len(wrong)} otherwise; {outcomes['skipped']} were skipped",
        f"{len(private)} test functions cannot be judged, because they use what is private",
    ], int(bool(wrong))


def function(verdict: Verdict) -> str:
    """The test function, without its parameters."""
    return verdict.test.partition("[")[0]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2:]))
