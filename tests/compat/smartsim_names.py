"""Print, as JSON, the public names of the SmartSim that is installed: modules, classes, methods, parameters, attributes.

Run it with the Python that has SmartSim 0.8.0; its answer is ``tests/samples/smartsim-0.8.0.json``. It needs nothing else, and
reads modules of data loaders, whose frameworks may be missing, without importing them.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any


def tree() -> dict[str, Any]:
    """The public modules by their names below ``smartsim``, and what each of them has."""
    import smartsim  # type: ignore[import-not-found]

    found = {"": public(smartsim)}
    for info in pkgutil.walk_packages(smartsim.__path__, "smartsim.", onerror=lambda name: None):
        name = info.name.removeprefix("smartsim.")
        if name.split(".")[0] != "_core" and name.split(".")[:2] not in (["ml", "torch"], ["ml", "tf"]):
            found[name] = public(importlib.import_module(info.name))
    for name in ("ml.torch.data", "ml.tf.data", "ml.tf.utils"):
        found[name] = named(find_spec("smartsim.ml").submodule_search_locations[0], name)  # type: ignore[union-attr,index]
    return found


def public(module: Any) -> dict[str, Any]:
    """What a module has for drivers: what it defines, and what it passes on of other modules, if it is a package."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if belongs(module, name)]
    return {name: described(getattr(module, name), module.__name__) for name in sorted(names)}


def belongs(module: Any, name: str) -> bool:
    value = getattr(module, name)
    home = getattr(value, "__module__", None)
    if name.startswith("_") or inspect.ismodule(value):
        return False
    if not isinstance(home, str):
        return isinstance(value, (str, set, dict))
    own = home == module.__name__
    return own or (hasattr(module, "__path__") and home.startswith("smartsim.") and "_core" not in home)


def described(value: Any, module: str) -> Any:
    home = getattr(value, "__module__", module)
    if home != module:
        return f"from {home}"
    if inspect.isclass(value):
        return dict(members(value))
    return parameters(value) if callable(value) else "constant"


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """The constructor, methods, properties and plain attributes of a class, as far as SmartSim defines them."""
    own = [each for each in kind.__mro__ if each.__module__.startswith("smartsim")]
    for each in reversed(own):
        yield from ((name, "attribute") for name in assigned(each))
    for name in dict.fromkeys(name for each in own for name in vars(each)):
        value = inspect.getattr_static(kind, name)
        if name == "__init__":
            yield name, parameters(value)
        elif name.startswith("_"):
            continue
        elif isinstance(value, property):
            yield name, "property" if value.fset is None else "attribute"
        elif callable(function := getattr(value, "__func__", value)):
            yield name, parameters(function)
        else:
            yield name, "constant"


def assigned(kind: type) -> Iterator[str]:
    """The public attributes that the methods of a class assign."""
    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            yield from [] if node.attr.startswith("_") else [node.attr]


def parameters(function: Any) -> str:
    """The names of parameters as they are written in a call; those after ``*`` are by keyword."""
    found: list[str] = []
    for each in inspect.signature(function).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not any(name.startswith("*") for name in found):
            found.append("*")
        stars = 2 if each.kind is each.VAR_KEYWORD else int(each.kind is each.VAR_POSITIONAL)
        found.append("*" * stars + each.name)
    return f"({', '.join(name for name in found if name not in ('self', 'cls'))})"


def named(folder: str, module: str) -> dict[str, str]:
    """The public classes and functions of a module that is not imported."""
    with open(f"{folder}/{module.removeprefix('ml.').replace('.', '/')}.py", encoding="utf-8") as file:
        nodes = ast.parse(file.read()).body
    kinds = (ast.ClassDef, ast.FunctionDef)
    return {node.name: "name" for node in nodes if isinstance(node, kinds) and not node.name.startswith("_")}


if __name__ == "__main__":
    print(json.dumps(tree(), indent=1, sort_keys=True))
