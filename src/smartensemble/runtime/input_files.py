"""A member's input files: read once, and filled for each member."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smartensemble.errors import ParameterError, TagError
from smartensemble.files.tags import Delimiter, Template, template
from smartensemble.model import Model


class TagOptions(NamedTuple):
    """How input files are filled."""

    tag: Delimiter = ";"
    allow_unknown: bool = False
    allow_unused: bool = False


class Renderer:
    """Input files, read once and filled for each member."""

    def __init__(self, options: TagOptions) -> None:
        self.options = options
        self._templates: dict[object, list[tuple[str, Template, int]]] = {}

    def templates(self, model: Model) -> list[tuple[str, Template, int]]:
        """The files that `model` configures: the name in its directory, the content cut at the tags, and the mode."""
        key = model.files.to_configure, tuple(model.params)
        if key not in self._templates:
            self._templates[key] = [
                (target, self._read(source, model), stat.S_IMODE(os.stat(source).st_mode))
                for source, target in configured(model)
            ]
        return self._templates[key]

    def _read(self, path: str, model: Model) -> Template:
        content = Path(path).read_bytes()
        if b"\0" in content:
            raise TagError(f"{path}: is no text, so it has no tags; attach it with to_copy")
        return template(content, model.params, self.options.tag, path, self.options.allow_unknown)

    def files(self, model: Model) -> Iterator[tuple[str, bytes, int]]:
        """The configured files of `model`: the name in its directory, the content and the mode."""
        for target, content, mode in self.templates(model):
            yield target, content.fill(model.params), mode

    def check(self, model: Model) -> None:
        """An error, unless every tag has a parameter, and every parameter a use."""
        used = {name for _, content, _ in self.templates(model) for name in content.names}
        unused = model.params.keys() - used - set(model.params_as_args)
        if unused and model.files.to_configure and not self.options.allow_unused:
            files = ", ".join(os.path.basename(path) for path in model.files.to_configure)
            raise ParameterError(
                f"{model.name}: no tag in {files} and no argument uses {', '.join(map(repr, sorted(unused)))}; "
                "add the tag, or pass allow_unused=True"
            )


def configured(model: Model) -> Iterator[tuple[str, str]]:
    """Each file to configure, with its name in the member's directory. A directory stands for the files below it."""
    for path in model.files.to_configure:
        if os.path.isdir(path):
            for root, _, names in os.walk(path):
                for name in sorted(names):
                    source = os.path.join(root, name)
                    yield source, os.path.relpath(source, path)
        else:
            yield path, os.path.basename(path)
