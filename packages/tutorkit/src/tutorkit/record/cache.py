"""The cache that is true: a page is run again when its blocks, the code that it executed, its data or its dependencies changed.

For a developer's second run only. What a page executed is known function by function; of a page that started other processes
it is not, so it is run again when anything of the project's code has changed. Pages that need servers are always run. Variables
of the environment are not looked at.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from types import CodeType
from typing import Any

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Block, Page
from tutorkit.reading.pages import read
from tutorkit.record.ledger import DISPLAY, PASSED, SKIPPED, Record, load
from tutorkit.running.conditions import lacking
from tutorkit.running.page_process import Seen


def save(page: Page, seen: Seen, config: Config) -> None:
    """Note what a page was made from."""
    file = _file(config, page.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    functions = {path: sorted({name for where, name in seen.executed if where == path}) for path, _ in seen.executed}
    data = {"functions": functions, "opened": list(seen.opened), "started": seen.started}
    file.write_text(json.dumps(data | {"key": _key(page, data, config)}))


def fresh(path: Path, config: Config) -> bool:
    """Whether the page at `path` passed, and nothing has changed since."""
    try:
        page = read(path, config.root)
        data = json.loads(_file(config, page.name).read_text())
    except (OSError, ValueError, PageError):
        return False
    record = load(config.ledger_path, page.name)
    if record is None or record.problem or record.failed or page.notebook or _lives(page, config):
        return False
    return all(_passed(block, record, config) for block in page.blocks) and bool(data["key"] == _key(page, data, config))


def _lives(page: Page, config: Config) -> bool:
    """It needs something that is alive, and may change by itself."""
    needs = {name for block in page.blocks for name in block.needs}
    return any(config.conditions[name].server for name in needs if name in config.conditions)


def _passed(block: Block, record: Record, config: Config) -> bool:
    """It is on record as it is now, did not fail, and was skipped if it would be now."""
    entry = record.entry(block.id, block.digest)
    if entry is None or entry.result not in (PASSED, SKIPPED, DISPLAY):
        return False
    return (entry.result == SKIPPED) == (lacking(block.needs, config, block.place) is not None)


def _file(config: Config, page: str) -> Path:
    return config.ledger_path / ".cache" / f"{page}.json"


def _key(page: Page, data: Mapping[str, Any], config: Config) -> str:
    """A fingerprint of everything that a page was made from, as it is now."""
    parts = [page.text, repr(config), *_installed()]
    for path, names in sorted(data["functions"].items()):
        prints = fingerprints(path)
        parts += [f"{path}:{name}:{prints.get(name)}" for name in names]
    parts += [_content(path) for path in data["opened"]]
    parts += [_content(str((page.path.parent / file).resolve())) for file in page.files]
    if data["started"]:
        parts += [_content(path) for path in _project(config.root, config.source)]
    return sha256("\0".join(parts).encode()).hexdigest()


@cache
def fingerprints(path: str) -> Mapping[str, str]:
    """A fingerprint of each function of a file, by qualified name. Where it stands in the file does not matter."""
    try:
        code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    for each in _nested(code):
        plain = [repr(constant) for constant in each.co_consts if not isinstance(constant, CodeType)]
        parts = [each.co_code.hex(), *plain, *each.co_names, *each.co_varnames, *each.co_freevars]
        found[each.co_qualname] = found.get(each.co_qualname, "") + sha256("\0".join(parts).encode()).hexdigest()
    return found


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


@cache
def _installed() -> tuple[str, ...]:
    """The versions of Python, and of everything that is installed; and tutorkit's own code."""
    installed = sorted({f"{each.name} {each.version}" for each in distributions()})
    own = sorted(Path(__file__).parents[1].glob("**/*.py"))
    return (platform.python_version(), *installed, *(_content(str(path)) for path in own))


@cache
def _project(root: Path, source: tuple[str, ...]) -> tuple[str, ...]:
    """The files of the project's code."""
    return tuple(sorted(str(path) for folder in source for path in (root / folder).rglob("*.py")))


@cache
def _content(path: str) -> str:
    try:
        if os.path.isdir(path):
            return f"{path}:{sorted(os.listdir(path))}"
        return f"{path}:{sha256(Path(path).read_bytes()).hexdigest()}"
    except OSError:
        return f"{path}:not there"
