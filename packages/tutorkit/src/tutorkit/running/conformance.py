"""Put another implementation of the documented names in the place of the reference, for one page's process."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from tutorkit.errors import ConfigError


def replace(implementation: str, api: Sequence[str]) -> int:
    """Replace, wherever the packages of `api` hold it, each public name that the module `implementation` defines; how many.

    :raises ConfigError: there is no such module, or it defines none of the names.
    """
    sys.path.insert(0, os.environ.get("PWD", os.getcwd()))
    try:
        theirs = importlib.import_module(implementation)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--tutorkit-impl {implementation}: {error}; give the name of a module that can be imported here"
        ) from error
    count = 0
    for name in api:
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError:  # there is no reference: theirs is all there is
            sys.modules[name] = theirs
            count += 1
            continue
        for public in [each for each in vars(theirs) if not each.startswith("_") and hasattr(package, each)]:
            old, new = getattr(package, public), getattr(theirs, public)
            if isinstance(new, ModuleType):
                continue
            count += 1
            if old is not new:  # or it passes on the reference's
                _put(name.partition(".")[0], old, new)
    if not count:
        raise ConfigError(
            f"--tutorkit-impl {implementation}: defines none of the public names of {', '.join(api)}; define some of them"
        )
    return count


def _put(package: str, old: Any, new: Any) -> None:
    """Put `new` wherever the modules of `package`, and their classes, hold `old`."""
    modules = [module for name, module in list(sys.modules.items()) if name == package or name.startswith(f"{package}.")]
    holders: list[Any] = [*modules]
    holders += [each for module in modules for each in vars(module).values() if inspect.isclass(each)]
    for holder in holders:
        for attribute in [name for name, value in vars(holder).items() if value is old]:
            try:
                setattr(holder, attribute, new)
            except (AttributeError, TypeError):  # what cannot be changed stays
                continue
