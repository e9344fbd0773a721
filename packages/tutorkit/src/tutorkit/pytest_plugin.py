"""Run the blocks of pages under pytest, each once, and write down what became of them.

It acts only in a project whose ``pyproject.toml`` has a section ``[tool.tutorkit]``. pytest loads it in every project, so its
options begin with its own name: a project may have options, fixtures and markers of any name beside it.
"""

from __future__ import annotations

import pytest

from tutorkit.config import load
from tutorkit.errors import ConfigError


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("tutorkit", "documentation that runs")
    group.addoption(
        "--tutorkit-impl", metavar="MODULE", default="", help="run the pages against this implementation of the documented API"
    )
    group.addoption(
        "--tutorkit-cache", action="store_true", help="leave out pages of which nothing has changed since they passed"
    )
    group.addoption("--tutorkit-no-api-coverage", action="store_true", help="do not look which public names the examples run")


def pytest_configure(config: pytest.Config) -> None:
    """Begin, where there is something to do."""
    try:
        settings = load(config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    if settings is None:
        return
    from tutorkit.pytest_pages import Pages  # which loads Sybil: other projects do not pay for it

    config.addinivalue_line("markers", "needs(*conditions): conditions of [tool.tutorkit], without which the test is skipped")
    config.pluginmanager.register(Pages(settings, config), "tutorkit-pages")
