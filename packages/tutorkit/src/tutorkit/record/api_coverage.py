"""Which public names the examples run: a name counts when a block entered it whose result is checked."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from tutorkit.config import Config
from tutorkit.reading.blocks import Page
from tutorkit.record.ledger import PASSED, Record


@dataclass(frozen=True)
class PublicName:
    """A public name."""

    name: str  #: such as ``smartensemble.Experiment.start``
    kind: str  #: function, method, property, class or data
    codes: tuple[str, ...]  #: ``module:qualname`` of the functions one of which must be entered; none: it must be mentioned


@dataclass(frozen=True)
class Example:
    """A block that runs a name."""

    page: str
    id: str
    line: int


@dataclass(frozen=True)
class Coverage:
    """The public names, each with its examples."""

    names: tuple[tuple[PublicName, tuple[Example, ...]], ...]

    @property
    def missing(self) -> list[str]:
        """The names that no checked example runs."""
        return [name.name for name, examples in self.names if not examples]

    @property
    def percent(self) -> float:
        """How many of the names are run."""
        return 100.0 * (1 - len(self.missing) / len(self.names)) if self.names else 100.0

    def examples(self, name: str) -> tuple[Example, ...]:
        """The blocks that run a name, or what is called so in another module."""
        codes = next((each.codes for each, _ in self.names if each.name == name), ())
        found = [examples for each, examples in self.names if each.name == name or (codes and each.codes == codes)]
        return found[0] if found else ()

    def __str__(self) -> str:
        lines = [f"{name.name}: {len(examples)} examples" for name, examples in self.names]
        return "\n".join([*lines, f"{self.percent:.1f} % of {len(self.names)} names"])


def coverage(config: Config, records: Iterable[Record], pages: Iterable[Page]) -> Coverage:
    """Which of the public names of the modules `config.api` the examples run."""
    sys.path[:0] = [folder for folder in config.sources if folder not in sys.path]
    texts = {(page.name, block.id): block.source for page in pages for block in page.blocks}
    entered: dict[str, list[Example]] = {}
    words: dict[str, list[Example]] = {}
    for record in records:
        for entry in record.blocks:
            if entry.result == PASSED and entry.checked:
                example = Example(record.page, entry.id, entry.line)
                for code in entry.entered:
                    entered.setdefault(code, []).append(example)
                for word in set(re.findall(r"\w+", texts.get((record.page, entry.id), ""))):
                    words.setdefault(word, []).append(example)
    found = []
    for name in public(config.api):
        examples = [example for code in name.codes for example in entered.get(code, [])]
        if not name.codes:
            examples = words.get(name.name.rpartition(".")[2], [])
        found.append((name, tuple(dict.fromkeys(examples))))
    return Coverage(tuple(found))


def public(modules: Sequence[str]) -> list[PublicName]:
    """The public names of modules, and the public methods and properties of their classes."""
    return [name for module in modules for name in _names(importlib.import_module(module))]


def _names(module: ModuleType) -> Iterator[PublicName]:
    package = module.__name__.partition(".")[0]
    exported = getattr(module, "__all__", None)
    for name in exported or [name for name in vars(module) if not name.startswith("_")]:
        thing = getattr(module, name)
        home = getattr(thing, "__module__", None) or package
        if isinstance(thing, ModuleType) or (exported is None and home.partition(".")[0] != package):
            continue
        dotted = f"{module.__name__}.{name}"
        if inspect.isclass(thing):
            yield from _of_class(thing, dotted, package)
        else:
            yield PublicName(dotted, "function" if callable(thing) else "data", _codes(thing, package))


def _of_class(kind: type, dotted: str, package: str) -> Iterator[PublicName]:
    """A class, and its public methods and properties. To enter one of them, or to make an instance, runs the class too."""
    members = list(_members(kind, dotted, package))
    own = _codes(vars(kind).get("__init__"), package) + _codes(vars(kind).get("__new__"), package)
    plain = issubclass(kind, (enum.Enum, BaseException)) or not (own or members)
    codes = own + tuple(code for member in members for code in member.codes)
    yield PublicName(dotted, "class", () if plain else codes)
    yield from members


def _members(kind: type, dotted: str, package: str) -> Iterator[PublicName]:
    """The public methods and properties that a class, or one of its bases in the package, defines."""
    seen = set()
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] != package:
            continue
        for name, thing in vars(base).items():
            if name.startswith("_") or name in seen:
                continue
            seen.add(name)
            codes = _codes(thing, package)
            if codes:
                yield PublicName(f"{dotted}.{name}", "property" if isinstance(thing, property) else "method", codes)


def _codes(thing: Any, package: str) -> tuple[str, ...]:
    """The code of a function, a method, a property, as ``module:qualname``; none if it is not written in the package."""
    for attribute in ("__func__", "fget", "func"):
        thing = getattr(thing, attribute, thing)
    function = inspect.unwrap(thing) if callable(thing) and not inspect.isclass(thing) else None
    if not isinstance(function, FunctionType):
        return ()
    file = function.__code__.co_filename
    if function.__module__.partition(".")[0] != package or not Path(file).is_file():
        return ()
    return (f"{function.__module__}:{function.__code__.co_qualname}",)
