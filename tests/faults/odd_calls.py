"""Call everything public with what nobody should give, and where nothing is as it should be.

Whatever comes is an error of ours, or a TypeError for a wrong signature; nothing was written before; the message reads
``subject: what is wrong; what to do``; the docstring names the error of an odd argument; the traceback ends where the call was.
A public name is found by itself::

    python tests/faults/odd_calls.py                            everything, which takes minutes
    python tests/faults/odd_calls.py --each 2 --seed 7 --only Ensemble
"""

import argparse
import importlib
import inspect
import os
import random
import re
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.odd_places import SITUATIONS, places
from faults.odd_values import Make, frameworks, values
from faults.odd_world import World, install_programs, remove, tree
from smartensemble.compat.missing import Missing
from smartensemble.docstrings.described import fields
from smartensemble.errors import SPECIAL, SmartEnsembleError
from worlds.patience import PATIENCE_S

#: Modules whose public names a user calls: those that they list, or else those that they define.
ROOTS = (
    *("smartensemble", "smartensemble.client", "smartensemble.compat", "smartensemble.slurm", "smartensemble.wlm"),
    "smartensemble.wire.tensor",
)
FORM = re.compile(r"[^\n]+?: .+; .+", re.DOTALL)
SIGNATURE = re.compile(r"\(\) (missing|takes|got) ")
MAX_MESSAGE = 3000  #: characters
MAX_MEMORY = 4 << 30  #: bytes: a call that takes in what has no end is an error, and not this machine's end


def main() -> int:
    """Make the calls that the command line names; the number of ways in which an error was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, help="values for each argument, and situations for each call, drawn; else all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="what has this in its name")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    counts: Counter[str] = Counter()
    count, chosen = 0, [each for each in public_names() if options.only in each.name]
    with tempfile.TemporaryDirectory() as folder:
        install_programs(Path(folder, "bin"))
        odd = values({} if options.each else frameworks())
        odd |= {f"at {name}": lambda path=path: path for name, path in places(Path(folder, "places")).items()}  # type: ignore[misc]
        for each in chosen:
            for problem in problems(each, Path(folder, "home"), odd, draw, options.each):
                counts[problem] += bool(problem)
                count += not problem
        os.chdir("/")
        remove(Path(folder))
    for problem, times in counts.items():
        print(f"{times} x {problem}" if problem else "", end="\n" * bool(problem))
    print(f"{count} calls of {len(chosen)} names, {sum(counts.values())} errors are wrong")
    return min(sum(map(bool, counts.values())), 100)


# --- what is public ----------------------------------------------------------------------------------------------------------


class Public(NamedTuple):
    """Something that a user calls."""

    name: str
    function: Callable[..., Any]
    owner: type | None = None
    method: str = ""

    @property
    def arguments(self) -> list[str]:
        """The names of its arguments."""
        given = inspect.signature(self.function).parameters.values()
        return [each.name for each in given if each.name != "self" and each.kind is not each.VAR_KEYWORD]

    def call(self, world: World, changed: dict[str, Any]) -> None:
        """Call it with right arguments, but for those that are `changed`."""
        given = world.arguments(self.function) | changed
        several = [
            name for name, each in inspect.signature(self.function).parameters.items() if each.kind is each.VAR_POSITIONAL
        ]
        positional = [given.pop(name, world.right.get(name)) for name in several]
        if self.owner is None:
            self.function(*positional, **given)
        elif self.method == "__init__":
            self.owner(*positional, **given)
        else:
            getattr(world.owner(self.owner), self.method)(*positional, **given)


def public_names() -> Iterator[Public]:
    """All that a user calls, each once: functions, and the methods of classes, without those that they inherit."""
    seen: set[object] = set()
    for name, value in sorted(named(ROOTS), key=lambda each: (each[0].startswith("compat."), each[0])):
        if isinstance(value, FunctionType):
            found = [Public(name, value)]
        elif isinstance(value, type) and value.__module__.startswith("smartensemble"):
            found = [Public(f"{name}.{word}", method, value, word) for word, method in methods(value)]
        else:
            found = []
        yield from (each for each in found if each.function not in seen)
        seen.update(each.function for each in found)


def named(modules: Iterable[str]) -> Iterator[tuple[str, object]]:
    """Public names, and what they are; of modules, what is in them."""
    for root in modules:
        module = importlib.import_module(root)
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == root and name[0] != "_"]
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                yield from named((value.__name__,))
            elif not (isinstance(value, type) and issubclass(value, BaseException)):
                yield f"{root}.{name}".removeprefix("smartensemble."), value


def methods(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """The methods of a class that a user calls; of one that cannot be made, the attempt."""
    for name in ["__init__"] if issubclass(cls, Missing) else dir(cls):
        value = inspect.getattr_static(cls, name)
        ours = isinstance(value, FunctionType) and value.__module__.startswith("smartensemble")
        if ours and (name in SPECIAL or not name.startswith("_")):
            yield name, value


# --- calls -------------------------------------------------------------------------------------------------------------------


def problems(each: Public, home: Path, odd: dict[str, Make], draw: random.Random, number: int | None) -> Iterator[str]:
    """What is wrong with the errors of one name, and nothing for each call."""
    world, before = _world(each, home)
    for argument in each.arguments:
        for name in _some(list(odd), draw, number):
            yield ""
            with suppress(Exception):  # a value that cannot even be made, as by a class that hides its methods
                changed = {argument: odd[name]()}
                found = list(wrong(each, world, changed, before))
                yield from (f"{each.name}({argument}={name}) {problem}" for problem in found)
            if tree(home) != before:
                world, before = _world(each, home)
    for name in _some(list(SITUATIONS), draw, number):
        yield ""
        world, _ = _world(each, home)
        SITUATIONS[name](home)
        yield from (f"{each.name} where {name}: {problem}" for problem in wrong(each, world, {}, tree(home)))


def _some(names: Sequence[str], draw: random.Random, number: int | None) -> Sequence[str]:
    return names if number is None else draw.sample(names, number)


def _world(each: Public, home: Path) -> tuple[World, object]:
    """A new world with the object that has the method, and what is in it."""
    world = World(home)
    if each.owner is not None and each.method != "__init__":
        world.owner(each.owner)
    return world, tree(home)


def wrong(each: Public, world: World, changed: dict[str, Any], before: object) -> Iterator[str]:
    """What is wrong with the way in which a call fails; nothing if it succeeds."""
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere), _patience():
            each.call(world, changed)
        return
    except SmartEnsembleError as error:
        yield from _unshapely(error)
        yield from _unnamed(each, error) if changed else ()
    except Hung:
        yield "hangs"
    except Exception as error:
        if not (type(error) is TypeError and SIGNATURE.search(str(error)) and len(_frames(error)) == 1):
            yield f"is a raw {type(error).__name__} from {_frames(error)[-1:]}"
    if (after := tree(world.home)) != before:
        yield f"comes after something was written: {sorted(map(str, after ^ before))[:3]}"  # type: ignore[operator]


def _unshapely(error: SmartEnsembleError) -> Iterator[str]:
    """What is wrong with an error of ours."""
    text = str(error)
    if not FORM.fullmatch(text):
        yield f"has another form: {text:.200}"
    if len(text) > MAX_MESSAGE or any("\ud800" <= letter <= "\udfff" for letter in text):
        yield f"cannot be shown, in {len(text)} characters: {text!a:.100}"
    cause = traceback.extract_tb(error.__cause__.__traceback__)[-1:] if error.__cause__ else []
    if [frame for frame in cause if Path(frame.filename).name != "odd_values.py"]:
        yield f"passes on what no argument has raised, but {cause[0].filename}:{cause[0].lineno}: {text:.200}"
    if len(frames := _frames(error)) != 1:
        yield f"comes through {', '.join(frames)}"


def _unnamed(each: Public, error: SmartEnsembleError) -> Iterator[str]:
    """What is wrong with a docstring: it does not name this error. Those of compat speak of what they stand for."""
    described = each.owner if each.method in ("__init__", "__post_init__") else each.function
    says = {name for (kind, name), _ in fields(described.__doc__ or "") if kind == "raises"}
    if not each.name.startswith("compat.") and not says.intersection(kind.__name__ for kind in type(error).__mro__):
        yield f"raises {type(error).__name__}, which its docstring does not name"


def _frames(error: Exception) -> list[str]:
    """Where an error comes from, in the package; the constructors of dataclasses have no file."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/src/smartensemble/" in frame.filename or frame.filename == "<string>"]
    return [f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in inside]


class Hung(BaseException):
    """A call that does not come back."""


@contextmanager
def _patience() -> Iterator[None]:
    """A call in this context that hangs raises Hung."""

    def hung(number: int, frame: FrameType | None) -> None:
        raise Hung

    signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, float(os.environ.get("HUNG_AFTER_S", PATIENCE_S)))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    sys.exit(main())
