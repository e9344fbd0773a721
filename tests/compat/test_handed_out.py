"""Whatever comes out of compat has SmartSim's methods."""

import importlib
import inspect
from collections.abc import Iterator
from types import GeneratorType
from typing import Any

from smartensemble import compat, errors
from smartensemble.compat import Experiment
from smartensemble.compat.database import Orchestrator
from smartensemble.compat.entity import Ensemble, Model
from worlds import smartsim

SCRIPT = "def double(x):\n    return 2 * x"


def twins() -> set[type]:
    """Our own classes that have another form in compat."""
    kinds: set[type] = set()
    for name in ("experiment", "database.orchestrator", "entity", "settings", "status", "entity.files"):
        kinds.update(
            each for each in vars(importlib.import_module(f"{compat.__name__}.{name}")).values() if inspect.isclass(each)
        )
    mine = {each for each in kinds if each.__module__.startswith(compat.__name__)}
    return {base for each in mine for base in each.__mro__ if base.__module__.startswith("smartensemble")} - mine


def handed_out(thing: Any) -> Iterator[tuple[str, Any]]:
    """What the public attributes of `thing` hold, and what its methods return that need no argument."""
    for name in dir(thing):
        if name.startswith("_") or name in ("start", "stop", "poll", "wait", "abandon", "plot_design", "generate", "preview"):
            continue
        try:
            value = getattr(thing, name)
            if inspect.ismethod(value) and not any(
                each.default is each.empty for each in inspect.signature(value).parameters.values()
            ):
                value = value()
        except (errors.SmartEnsembleError, TypeError):
            continue
        yield name, value


def inside(value: Any) -> Iterator[Any]:
    """A value, and what is in it."""
    yield value
    if isinstance(value, dict):
        yield from (each for item in value.items() for each in item)
    elif isinstance(value, (list, tuple, set, frozenset, GeneratorType)):
        yield from value


def test_nothing_hands_out_an_object_without_smartsims_methods(theirs: Experiment) -> None:
    model = theirs.create_model("model", theirs.create_run_settings("true"), batch_settings=theirs.create_batch_settings())
    model.add_script("double", SCRIPT)
    ens = theirs.create_ensemble("ens", {"T": [1, 2]}, theirs.create_batch_settings(), theirs.create_run_settings("true"))
    ens.register_incoming_entity(model)
    db = theirs.create_database(port=7000)
    every: list[Any] = [
        theirs,
        model,
        ens,
        *ens.entities,
        db,
        *db.entities,
        *model.db_scripts,
        model.run_settings,
        ens.batch_settings,
    ]
    native = twins()

    found = {
        f"{type(thing).__name__}.{name}": type(each)
        for thing in every
        for name, value in handed_out(thing)
        for each in inside(value)
        if type(each) in native
    }
    assert len(native) > 8
    assert found == {}
    names = {name: kind for module in smartsim.NAMES.values() for name, kind in module.items() if isinstance(kind, dict)}
    strange = {
        f"{type(thing).__name__}.{name}": type(each)
        for thing in every
        for name, value in handed_out(thing)
        if name in names[type(thing).__name__]
        for each in inside(value)
        if type(each).__module__.startswith("smartensemble") and not type(each).__module__.startswith(compat.__name__)
    }
    assert strange == {}
    assert {type(each) for each in (model, ens, db, ens.entities[0])} == {Model, Ensemble, Orchestrator}
