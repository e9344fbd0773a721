"""What an entry of the reference says of a callable: types as they are written, defaults, and its source."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, get_overloads

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import NoUri
from sphinx.pycode import ModuleAnalyzer
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import stringify_annotation

PACKAGE = "smartensemble"
#: Modules with names of the package, or that other classes inherit, and others that the reference shows.
EXPORTED_IN_PART = ("smartensemble.client.dataset", "smartensemble.client.log", "smartensemble.status")

#: What stands for the names of types: where a type of our own is described, or what a reader gives for a protocol.
ALIASES = {
    "ArrayLike": "~numpy.typing.ArrayLike",
    "Arguments": "~smartensemble.settings.arguments.Arguments",
    "Delimiter": "~smartensemble.files.tags.Delimiter",
    "Design": "~smartensemble.Ensemble",
    "Duration": "~smartensemble.duration.Duration",
    "NDArray": "~numpy.typing.NDArray",
    "Params": "~smartensemble.parameters.resolve.Params",
    "Paths": "~smartensemble.files.attach.Paths",
    "Producer": "~smartensemble.Model | ~smartensemble.Ensemble",
    "Strategy": "~smartensemble.parameters.strategies.Strategy",
}

# --- types ------------------------------------------------------------------------------------------------------------


def keep_written_types(_app: Sphinx, thing: Any, _bound: bool) -> None:
    """Give back to a function its types as they are written: Python has replaced aliases by what they stand for."""
    function = inspect.unwrap(thing)
    if not inspect.isfunction(function) or function.__code__.co_filename.startswith("<"):
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    given = (*tree.args.args, *tree.args.kwonlyargs, *filter(None, [tree.args.vararg]))
    annotations = {each.arg: each.annotation for each in given} | {"return": tree.returns}
    if function.__annotations__.get("return", ...) is None:  # there is nothing to say
        del function.__annotations__["return"], annotations["return"]
    for name, annotation in annotations.items():
        if annotation is not None:
            # A constant is a type whose module is loaded when it is needed.
            text = str(annotation.value) if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
            function.__annotations__[name] = re.sub(rf"\b({'|'.join(ALIASES)})\b", lambda name: ALIASES[name[0]], text)


def keep_types_of_forms(
    app: Sphinx, what: str, name: str, thing: Any, _options: Any, _signature: str | None, _returns: str | None
) -> None:
    """Of a constructor that has several signatures, note the types in all of them; that which has a default counts."""
    function = inspect.unwrap(thing.__init__) if what == "class" else None
    if forms := get_overloads(function) if inspect.isfunction(function) else []:
        given = [each for form in forms for each in list(inspect.signature(form).parameters.values())[1:]]
        given.sort(key=lambda each: each.default is not each.empty)
        types = {each.name: stringify_annotation(each.annotation, "smart") for each in given}
        app.env.current_document.autodoc_annotations[name] = types


# --- defaults ---------------------------------------------------------------------------------------------------------


class Defaults(SphinxTransform):
    """In the list of arguments, the default of each one stands behind its type."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Do it for each entry."""
        for entry in self.document.findall(addnodes.desc):
            if entry.get("domain") == "py" and isinstance(entry[-1], addnodes.desc_content):
                known = dict(defaults(entry))
                for paragraph in arguments(entry[-1]):
                    if (default := known.get(paragraph[0].astext())) is not None:
                        add(paragraph, default)


def defaults(entry: addnodes.desc) -> Iterator[tuple[str, str]]:
    """The arguments in the signatures of an entry that have a default."""
    forms = [child for child in entry if isinstance(child, addnodes.desc_signature)]
    for parameter in (each for form in forms for each in form.findall(addnodes.desc_parameter)):
        words = [(name, part.astext()) for part in parameter.findall(nodes.inline) for name in part["classes"]]
        parts = dict(reversed(words))  # a type has names too, and follows
        if "default_value" in parts:
            yield parts["n"], parts["default_value"]


def arguments(content: addnodes.desc_content) -> Iterator[nodes.paragraph]:
    """The descriptions of arguments in the fields of an entry itself, each of which begins with the name."""
    for fields in content:
        if isinstance(fields, nodes.field_list):
            for paragraph in fields.findall(nodes.paragraph):
                if isinstance(paragraph[0] if len(paragraph) else None, addnodes.literal_strong):
                    yield paragraph


def add(paragraph: nodes.paragraph, default: str) -> None:
    """Put a default behind the type in a description."""
    for number, child in enumerate(paragraph):
        if isinstance(child, nodes.Text) and child.startswith(")"):
            paragraph[number : number + 1] = [nodes.Text(", default "), nodes.literal("", default), child]
            return


# --- long signatures ------------------------------------------------------------------------------------------------


def lines(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Make the lines of a long signature lines of text: Sphinx makes them a list of definitions, which has no terms."""
    context["body"] = re.sub('<dt class="sig .*?</dt>', plain, context.get("body", ""), flags=re.DOTALL)


def plain(signature: re.Match[str]) -> str:
    """A signature without a list in it."""
    text = signature[0].replace("<dl>", '<span class="sig-lines">').replace("</dl>", "</span>")
    return text.replace("<dd>", "<span>").replace("</dd>", "</span>")


# --- sources ----------------------------------------------------------------------------------------------------------


def defined_in(_app: Sphinx, module: str, name: str) -> str | None:
    """The module that defines what the reference calls `name`, also where a class inherits it."""
    thing: Any = sys.modules.get(module)
    for part in name.split("."):
        thing = inspect.getattr_static(thing, part, None) if inspect.isclass(thing) else getattr(thing, part, None)
    return getattr(function_of(thing), "__module__", None)


def source(_app: Sphinx, module: str) -> tuple[str, dict[str, tuple[str, int, int]]] | None:
    """The text of a module, and the lines of each name, also by the names of the classes that inherit from its own."""
    if not module.startswith(PACKAGE):
        return None
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    tags = dict(analyzer.tags)
    for kind in {each for one in loaded() for each in vars(one).values() if inspect.isclass(each)}:
        for name, thing in inspect.getmembers_static(kind):
            function = function_of(thing)
            if getattr(function, "__module__", "") == module and getattr(function, "__qualname__", "") in tags:
                tags.setdefault(f"{kind.__name__}.{name}", tags[function.__qualname__])
    return analyzer.code, tags


def loaded() -> list[Any]:
    """The modules of the package."""
    return [module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGE]


def function_of(thing: Any) -> Any:
    """What is behind a property or a decorator."""
    for attribute in ("fget", "__func__"):
        thing = getattr(thing, attribute, thing)
    return inspect.unwrap(thing) if callable(thing) else thing


class BothNames(SphinxTransform):
    """A page of source leads back by one prefix for all names of its module: where some have another one, they have both."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Do it for each entry of such a module."""
        for signature in self.document.findall(addnodes.desc_signature):
            thing = getattr(sys.modules.get(signature.get("module")), signature.get("fullname", "").partition(".")[0], None)
            if getattr(thing, "__module__", None) in EXPORTED_IN_PART:
                names = [f"{prefix}.{signature['fullname']}" for prefix in (PACKAGE, *EXPORTED_IN_PART)]
                signature["ids"] += [name for name in names if name not in signature["ids"]]


# --- names ------------------------------------------------------------------------------------------------------------


def constructor(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element) -> Any:
    """What ``__init__`` takes stands at its class."""
    owner, _, method = node["reftarget"].rpartition(".")
    if node.get("refdomain") != "py" or method != "__init__" or not owner:
        return None
    try:
        return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", owner, node, content)
    except NoUri:
        return None


def summary(_app: Sphinx, _what: str, name: str, thing: Any, _options: Any, lines: list[str]) -> None:
    """In a list of names, a constructor has the first sentence of its class."""
    if name.endswith(".__init__") and not lines:
        owner = getattr(sys.modules.get(thing.__module__), thing.__qualname__.partition(".")[0])
        lines += inspect.getdoc(owner).partition("\n")[:1]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-before-process-signature", keep_written_types)
    app.connect("autodoc-process-signature", keep_types_of_forms)
    app.connect("autodoc-process-docstring", summary)
    app.connect("viewcode-follow-imported", defined_in)
    app.connect("viewcode-find-source", source)
    app.connect("missing-reference", constructor)
    app.connect("html-page-context", lines)
    app.add_transform(Defaults)
    app.add_transform(BothNames)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
