"""The built site."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the site is."""
    parser.addoption("--site", type=Path, help="the folder of the built site, for tests/site")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A site is built after all other tests, from their record: its own come when it is there."""
    return True if collection_path.name == "site" and config.getoption("--site") is None else None
