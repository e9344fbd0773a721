"""What a project says of its documentation, in the section ``[tool.tutorkit]`` of its ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from tutorkit.errors import ConfigError


@dataclass(frozen=True)
class Condition:
    """What a machine must have, for the blocks that need it: everything that is given must be there."""

    reason: str  #: what a reader sees where it is missing: "needs a GPU"
    program: str = ""  #: on PATH
    module: str = ""  #: can be imported
    env: str = ""  #: an environment variable that is set
    command: str = ""  #: a shell command that succeeds
    server: bool = False  #: what it needs is alive, and may change by itself: its pages are never taken from the cache
    optional: bool = False  #: REQUIRE_ALL=1 does not ask for it: a GPU, another machine, the test command itself


@dataclass(frozen=True)
class Config:
    """The settings of a project; its paths are from `root`."""

    root: Path
    pages: tuple[str, ...] = ()  #: patterns of pages and notebooks, such as ``docs/**/*.rst``
    docstrings: tuple[str, ...] = ()  #: patterns of modules, such as ``src/**/*.py``
    exclude: tuple[str, ...] = ()  #: patterns of files that are neither
    ledger: str = "build/ledger"  #: where it is written what ran
    api: tuple[str, ...] = ()  #: modules whose public names are to be run by examples
    api_threshold: float = 100.0  #: per cent of them
    source: tuple[str, ...] = ("src",)  #: the folders of the project's code
    display_only: float = 5.0  #: per cent of a site's blocks that may be for display only
    flags: tuple[str, ...] = ("ELLIPSIS", "NORMALIZE_WHITESPACE")  #: doctest's options, and NUMBER
    normalize: tuple[str, ...] = ("paths",)  #: of ``paths``, ``times``, ``pids``, and those of `normalizers`
    normalizers: Mapping[str, tuple[str, str]] = field(default_factory=dict)  #: name = [pattern, replacement]
    time_limit: float = 60.0  #: seconds of CPU time for a block, and for everything that its page has started
    wait_limit: float = 600.0  #: seconds of the clock for a block that waits
    output_limit: int = 1_000_000  #: characters that a block may print
    conditions: Mapping[str, Condition] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """The folders of the project's code, from the root of the file system."""
        return tuple(str(self.root / folder) for folder in self.source)

    @property
    def ledger_path(self) -> Path:
        """The folder in which it is written what ran."""
        return self.root / self.ledger

    def paths(self) -> Iterator[Path]:
        """The files of all pages and modules, each once, in the order of the patterns."""
        excluded = {path for pattern in self.exclude for path in self.root.glob(pattern)}
        found = (path for pattern in (*self.pages, *self.docstrings) for path in sorted(self.root.glob(pattern)))
        for path in dict.fromkeys(found):
            if path not in excluded and path.is_file():
                yield path


def load(directory: Path) -> Config | None:
    """The settings of the project that `directory` belongs to; None if it does not use tutorkit.

    :raises ConfigError: they have no meaning.
    """
    for folder in (directory, *directory.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                section = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("tutorkit")
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{file}: is no TOML: {error}") from error
            return None if section is None else parse(folder.resolve(), section, str(file))
    return None


def parse(root: Path, section: Mapping[str, Any], file: str) -> Config:
    """The settings that the section says."""
    hints = get_type_hints(Config)
    known = {each.name for each in fields(Config)} - {"root"}
    values: dict[str, Any] = {}
    for name, value in section.items():
        if name not in known:
            raise ConfigError(f"{file}: [tool.tutorkit]: no setting {name!r}; there are {', '.join(sorted(known))}")
        values[name] = _conditions(value, file) if name == "conditions" else _value(name, value, hints[name], file)
    return Config(root=root, **values)


def _value(name: str, value: Any, hint: Any, file: str) -> Any:
    """A value of a setting, as the type that it has."""
    if name == "normalizers" and isinstance(value, dict):
        return {each: tuple(pair) for each, pair in value.items()}
    if hint == tuple[str, ...] and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if hint in (float, int) and isinstance(value, (float, int)) and not isinstance(value, bool):
        return hint(value)
    if hint is str and isinstance(value, str):
        return value
    what = "a list of texts" if hint == tuple[str, ...] else "a number" if hint in (float, int) else "a text"
    raise ConfigError(f"{file}: [tool.tutorkit]: {name} = {value!r}; give {what}")


def _conditions(table: Mapping[str, Mapping[str, Any]], file: str) -> dict[str, Condition]:
    """The vocabulary of conditions."""
    known = {each.name for each in fields(Condition)}
    for name, keys in table.items():
        if wrong := sorted(keys.keys() - known):
            raise ConfigError(
                f"{file}: [tool.tutorkit.conditions.{name}]: no key {wrong[0]!r}; there are {', '.join(sorted(known))}"
            )
        if not keys.get("reason"):
            raise ConfigError(f"{file}: [tool.tutorkit.conditions.{name}]: has no reason; say what a reader sees")
    return {name: Condition(**keys) for name, keys in table.items()}
