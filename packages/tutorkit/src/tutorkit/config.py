"""What a project says of its documentation, in the section ``[tool.tutorkit]`` of its ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from tutorkit.errors import ConfigError

#: The types of settings: what a value of TOML may be, and how a message says it.
KINDS: dict[Any, tuple[type | tuple[type, ...], str]] = {
    str: (str, "a text"),
    bool: (bool, "true or false"),
    int: ((int, float), "a number"),
    float: ((int, float), "a number"),
    tuple[str, ...]: (list, "a list of texts"),
}


@dataclass(frozen=True)
class Condition:
    """What a machine must have, for the blocks that need it: everything that is given must be there."""

    reason: str  #: what a reader sees where it is missing: "needs a GPU"
    program: str = ""  #: on PATH
    module: str = ""  #: can be imported
    env: str = ""  #: an environment variable that is set
    command: str = ""  #: a shell command that succeeds
    server: bool = False  #: what it needs is alive, and may change by itself: its pages are never taken from the cache
    requires: tuple[str, ...] = ()  #: what pip installs for it: the downloaded script of a page asks for the same
    requires_python: str = ""  #: the Pythons that have it, such as ``<3.12``
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
    environment: Mapping[str, str] = field(default_factory=dict)  #: variables that pages see, beside those of the run
    requires: tuple[str, ...] = ()  #: what pip installs for every page: by default, the project
    requires_python: str = ""  #: by default, that of the project
    install_command: str = "pip install"  #: how a reader installs what a page needs
    script_command: str = "uv run"  #: how a reader runs the script of a page
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
                project = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{file}: is no TOML: {error}") from error
            section = project.get("tool", {}).get("tutorkit")
            return None if section is None else parse(folder.resolve(), defaults(project) | section, str(file))
    return None


def defaults(project: Mapping[str, Any]) -> dict[str, Any]:
    """What the section ``[project]`` says of what pages need."""
    told = project.get("project", {})
    named = {"requires": [told["name"]]} if "name" in told else {}
    return named | ({"requires_python": told["requires-python"]} if "requires-python" in told else {})


def parse(root: Path, section: Mapping[str, Any], file: str) -> Config:
    """The settings that the section says."""
    hints = get_type_hints(Config)
    known = {each.name for each in fields(Config)} - {"root"}
    where = f"{file}: [tool.tutorkit]"
    values: dict[str, Any] = {}
    for name, value in section.items():
        if name not in known:
            raise ConfigError(f"{where}: no setting {name!r}; there are {', '.join(sorted(known))}")
        values[name] = _conditions(value, file) if name == "conditions" else _value(name, value, hints[name], where)
    return Config(root=root, **values)


def _value(name: str, value: Any, hint: Any, where: str) -> Any:
    """A value of a setting, as the type that it has."""
    if name == "normalizers" and isinstance(value, dict):
        return {each: tuple(pair) for each, pair in value.items()}
    if name == "environment" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return value
    kinds, what = KINDS.get(hint, ((), "a table of texts"))
    texts = not isinstance(value, list) or all(isinstance(each, str) for each in value)
    if not isinstance(value, kinds) or not texts or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where}: {name} = {value!r}; give {what}")
    return tuple(value) if isinstance(value, list) else hint(value)


def _conditions(table: Mapping[str, Mapping[str, Any]], file: str) -> dict[str, Condition]:
    """The vocabulary of conditions."""
    hints = get_type_hints(Condition)
    conditions = {}
    for name, keys in table.items():
        where = f"{file}: [tool.tutorkit.conditions.{name}]"
        if wrong := sorted(keys.keys() - hints.keys()):
            raise ConfigError(f"{where}: no key {wrong[0]!r}; there are {', '.join(sorted(hints))}")
        if not keys.get("reason"):
            raise ConfigError(f"{where}: has no reason; say what a reader sees")
        conditions[name] = Condition(**{key: _value(key, value, hints[key], where) for key, value in keys.items()})
    return conditions
