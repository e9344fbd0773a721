"""Fill ``;TAGS;`` in input files, and leave every other byte as it is.

A tag is a delimiter, a parameter's name, a delimiter. Tags are matched from the left, and do not overlap.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from smartensemble.checks import passable
from smartensemble.errors import InputTypeError, InputValueError, TagError, shown

#: How tags are delimited: the same text on both sides, or an opening and a closing one.
Delimiter = str | tuple[str, str]


def pair(tag: Delimiter) -> tuple[str, str]:
    """The opening and the closing delimiter.

    >>> pair(";"), pair(("{{", "}}"))
    ((';', ';'), ('{{', '}}'))
    """
    if isinstance(tag, str):
        tag = (tag, tag)
    if not (isinstance(tag, tuple) and len(tag) == 2 and all(isinstance(side, str) for side in tag)):
        raise InputTypeError(f"tag: {shown(tag)} is no delimiter; give text such as ';', or a pair such as ('{{{{', '}}}}')")
    if not all(map(passable, tag)):
        raise InputValueError(f"tag: {shown(tag)} is in no text file; give text such as ';'")
    if not tag[0]:
        raise InputValueError("tag: the opening delimiter is empty; give text such as ';' or a pair such as ('$', '')")
    return tag


class Template(NamedTuple):
    """A file, cut at its tags: literal, name, literal, name, ..., literal."""

    parts: tuple[bytes, ...]

    @property
    def names(self) -> set[str]:
        """The parameters that it uses."""
        return {name.decode() for name in self.parts[1::2]}

    def fill(self, values: Mapping[str, str]) -> bytes:
        """The file with every tag replaced by its value, literally, in UTF-8.

        >>> template(b"pair ;A; ;B;;", ["A", "B"]).fill({"A": ";B;", "B": "2"})
        b'pair ;B; 2;'
        """
        texts = {name.encode(): value.encode(errors="surrogateescape") for name, value in values.items()}
        parts = list(self.parts)
        parts[1::2] = [texts[name] for name in parts[1::2]]
        return b"".join(parts)


def template(
    content: bytes, names: Iterable[str], tag: Delimiter = ";", where: str = "", allow_unknown: bool = False
) -> Template:
    r"""`content`, cut at the tags of the parameters `names`.

    An identifier between delimiters that names no parameter is an error, which `where` begins:

    >>> template(b"units lj\nrun ;STEPS;\n", ["T"], where="in.melt")
    Traceback (most recent call last):
    smartensemble.errors.TagError: in.melt:2: no parameter named 'STEPS'; have T. If ';STEPS;' is no tag, ...
    """
    opening, closing = (re.escape(side).encode(errors="surrogateescape") for side in pair(tag))
    known = b"|".join(re.escape(name).encode() for name in sorted(names, key=len, reverse=True)) or rb"(?!)"
    # A closing delimiter of no width must not cut a longer word in two.
    end = closing or rb"(?![A-Za-z0-9_])"
    unknown = rb"(?!)" if allow_unknown else b"[A-Za-z_][A-Za-z0-9_]*"
    pattern = opening + b"(?:(" + known + b")|(" + unknown + b"))" + end
    parts, last = [], 0
    for match in re.finditer(pattern, content):
        if match[1] is None:
            line = content.count(b"\n", 0, match.start()) + 1
            found = match[0].decode(errors="backslashreplace")
            raise TagError(
                f"{where}:{line}: no parameter named {match[2].decode()!r}; have {', '.join(sorted(names)) or 'none'}. "
                f"If {found!r} is no tag, choose another delimiter, tag=..., or pass allow_unknown=True"
            )
        parts += [content[last : match.start()], match[1]]
        last = match.end()
    return Template((*parts, content[last:]))
