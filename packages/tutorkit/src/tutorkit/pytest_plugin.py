"""Run the blocks of pages under pytest, each once, and write down what became of them.

It does something only in a project whose ``pyproject.toml`` has a section ``[tool.tutorkit]``, and where Sybil is installed.
"""

from __future__ import annotations

import importlib.util

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("tutorkit", "documentation that runs")
    group.addoption(
        "--impl", metavar="MODULE", default="", help="run the pages against this implementation of the documented API"
    )
    group.addoption(
        "--tutorkit-cache", action="store_true", help="leave out pages of which nothing has changed since they passed"
    )
    group.addoption("--no-api-coverage", action="store_true", help="do not look which public names the examples run")


def pytest_configure(config: pytest.Config) -> None:
    """Begin, where there is something to do."""
    config.addinivalue_line("markers", "needs(*conditions): conditions of [tool.tutorkit], without which the test is skipped")
    if importlib.util.find_spec("sybil") is None or importlib.util.find_spec("markdown_it") is None:
        return
    from tutorkit.config import load
    from tutorkit.errors import ConfigError

    try:
        settings = load(config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    if settings is not None:
        from tutorkit.pytest_pages import Pages

        config.pluginmanager.register(Pages(settings, config), "tutorkit-pages")
