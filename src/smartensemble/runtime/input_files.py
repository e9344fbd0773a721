"""A member's input files: read once, and filled for each member."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smartensemble.errors import ParameterError, TagError
from smartensemble.files.layout import DIRECTORY, configured
from smartensemble.files.tags import Delimiter, Template, template
from smartensemble.model import Model, argument_names, attached

#: How UTF-16 begins: text in which no tag would be found.
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class TagOptions(NamedTuple):
    """How input files are filled."""

    tag: Delimiter = ";"
    allow_unknown: bool = False
    allow_unused: bool = False


class Input(NamedTuple):
    """What is attached by `to_configure`, or lies in a directory that is."""

    target: str  #: its name in the member's directory
    source: str
    template: Template | None = None  #: its content, cut at the tags; None if it has none and is copied
    mode: int = 0


class Renderer:
    """Input files, read once and filled for each member."""

    def __init__(self, options: TagOptions) -> None:
        self.options = options
        self._inputs: dict[object, list[Input]] = {}

    def inputs(self, model: Model) -> list[Input]:
        """What `model` configures."""
        key = attached(model).to_configure, tuple(model.params)
        if key not in self._inputs:
            self._inputs[key] = [
                self._read(source, target, kind, model) for source, target, kind in configured(attached(model))
            ]
        return self._inputs[key]

    def _read(self, source: str, target: str, kind: str, model: Model) -> Input:
        if kind == DIRECTORY or not os.path.isfile(source):
            return Input(target, source)
        content = Path(source).read_bytes()
        if b"\0" in content:
            if content.startswith(UTF_16):
                raise TagError(f"{source}: is text in UTF-16, in which no tag is found; save it in UTF-8")
            if source in attached(model).to_configure:
                raise TagError(f"{source}: is no text, so it has no tags; attach it with to_copy")
            return Input(target, source)
        filled = template(content, model.params, self.options.tag, source, self.options.allow_unknown)
        return Input(target, source, filled, stat.S_IMODE(os.stat(source).st_mode))

    def files(self, model: Model) -> Iterator[tuple[str, bytes, int]]:
        """The configured files of `model`: the name in its directory, the content and the mode."""
        for target, _, content, mode in self.inputs(model):
            if content is not None:
                yield target, content.fill(model.params), mode

    def copied(self, model: Model) -> Iterator[tuple[str, str]]:
        """What has no tags in the directories that `model` configures: the name in its directory, and its path."""
        return ((each.target, each.source) for each in self.inputs(model) if each.template is None)

    def check(self, model: Model) -> None:
        """An error, unless every tag has a parameter, and every parameter a use."""
        used = {name for each in self.inputs(model) if each.template for name in each.template.names}
        unused = model.params.keys() - used - set(argument_names(model))
        if unused and attached(model).to_configure and not self.options.allow_unused:
            files = ", ".join(os.path.basename(path) for path in attached(model).to_configure)
            raise ParameterError(
                f"{model.name}: no tag in {files} and no argument uses {', '.join(map(repr, sorted(unused)))}; "
                "add the tag, or pass allow_unused=True"
            )
