"""What nobody should give as an argument, by name. Each is made anew for each call, since some can be used only once."""

import math
import sys
from collections import UserDict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

import smartensemble
from smartensemble.errors import shown

Make = Callable[[], object]


def hostile(*methods: str, kind: type = object) -> Make:
    """An object of `kind` whose `methods` raise."""

    def refuse(self: object, *args: object) -> object:
        raise RuntimeError("this object answers nothing")

    return lambda: type("Hostile", (kind,), dict.fromkeys(methods, refuse))()


def broken() -> Iterator[int]:
    """Values that end in an error."""
    yield 1
    raise RuntimeError("no more of them")


def itself() -> list[Any]:
    """A list that holds itself."""
    made: list[Any] = []
    made.append(made)
    return made


HOSTILE_METHODS = (
    "__repr__", "__str__", "__eq__", "__hash__", "__bool__", "__len__", "__iter__", "__index__", "__float__", "__fspath__",
    "__format__", "__getattr__", "__call__", "__contains__", "__int__", "__enter__",
)  # fmt: skip

NUMBERS: tuple[object, ...] = (
    True, False, 0, 1, -1, 7, 2**31, 2**63, 10**30, 10**5000, -(10**5000), 0.0, -0.0, 0.5, -0.5, 1e308, 5e-324,
    math.nan, math.inf, -math.inf, 1 + 2j, Decimal("NaN"), Decimal(2), Fraction(1, 3), timedelta(0), timedelta(-1),
    timedelta.max,
)  # fmt: skip
TEXTS = (
    "", " ", "x", "a b", "ü", "ß.txt", "\0", "a\0b", "\ud800", "a\udc80", "\n", "a\nb", "\x1b[31mred", "\u202eabc", "..", ".",
    "/", "a/b", "../x", "-x", "--x=y", "=", ",", ";", ";T;", "{}", "%s", "%", "$HOME", "`id`", "'", '"', "x" * 300, "y" * 5000,
    "/x" * 3000, "NaN", "1e5", "-1", "007", "٣", "½", "²", "None", "true", "01:00", "1:2:3", "99999999999999:00:00", "CPU:9",
    "GPU:99999", "n1,n2", "a=b", "# comment", "unix:///x", "\\", "*", "[", "~", "TORCH",
)  # fmt: skip
OTHERS: dict[str, Make] = {
    "None": lambda: None,
    "bytes": lambda: b"x",
    "no bytes": lambda: b"",
    "bytearray": lambda: bytearray(b"x"),
    "memoryview": lambda: memoryview(b"x"),
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "frozenset": lambda: frozenset([1]),
    "nested": lambda: [[1, [2]], []],
    "itself": itself,
    "pairs": lambda: [("T", 1), ("P", 2)],
    "int keys": lambda: {1: 2, None: 3},
    "user dict": lambda: UserDict(T=1),
    "range": lambda: range(3),
    "no range": lambda: range(0),
    "long range": lambda: range(10**18),
    "iterator": lambda: iter([1, 2]),
    "broken iterator": broken,
    "object": object,
    "class": lambda: int,
    "function": lambda: math.sqrt,
    "lambda": lambda: lambda *args: args,
    "raising lambda": lambda: lambda *args: 1 / 0,
    "module": lambda: math,
    "Ellipsis": lambda: ...,
    "exception": lambda: ValueError("x"),
    "datetime": lambda: datetime(2026, 1, 1),  # noqa: DTZ001 - as somebody may give one
    "path": lambda: Path("x"),
    "no path": Path,
    "pure path": lambda: PurePosixPath("/x/\0"),
    "slice": lambda: slice(None, None, 0),
    "odd slice": lambda: slice("a", "b"),
    "enum": lambda: smartensemble.Status.NEW,
    "other settings": lambda: smartensemble.BatchSettings(nodes=1),
    "other model": lambda: smartensemble.Model("other", None, smartensemble.RunSettings("true")),
    "empty ensemble": lambda: smartensemble.Ensemble("empty", batch_settings=smartensemble.BatchSettings()),
    "other database": lambda: smartensemble.Orchestrator(path="elsewhere"),
    "np.int64": lambda: np.int64(3),
    "np.float32": lambda: np.float32(0.1),
    "np.nan": lambda: np.float64("nan"),
    "np.bool": lambda: np.bool_(True),
    "np.str": lambda: np.str_("x"),
    "np scalar array": lambda: np.array(1.5),
    "np array": lambda: np.array([1, 2]),
    "np matrix": lambda: np.ones((2, 2)),
    "no np array": lambda: np.array([]),
    "np texts": lambda: np.array(["a", "b"]),
    "np objects": lambda: np.array([object(), None], dtype=object),
    "masked": lambda: np.ma.masked,
    "masked array": lambda: np.ma.masked_equal([1, 2], 1),  # type: ignore[no-untyped-call]
    "NaT": lambda: np.datetime64("NaT"),
    "np record": lambda: np.zeros(2, "i4,f4"),
    **{f"hostile {method}": hostile(method) for method in HOSTILE_METHODS},
    "hostile all": hostile(*HOSTILE_METHODS),
    "hostile text": hostile("__str__", "__repr__", "__eq__", "__hash__", kind=str),
    "hostile int": hostile("__index__", "__repr__", "__eq__", "__int__", kind=int),
    "hostile float": hostile("__float__", "__repr__", "__lt__", kind=float),
    "hostile list": hostile("__iter__", "__len__", "__repr__", kind=list),
    "hostile dict": hostile("items", "__iter__", "__len__", "__getitem__", "keys", kind=dict),
}


def frameworks() -> dict[str, Make]:
    """Values of libraries that take seconds to load, as far as they are installed."""
    found: dict[str, Make] = {}
    try:
        import torch
    except ImportError:
        print("no torch: none of its tensors are given", file=sys.stderr)
    else:
        for name, value in (("0-d", torch.tensor(0.5)), ("1-d", torch.tensor([1, 2])), ("bool", torch.tensor(True))):
            found[f"tensor {name}"] = lambda value=value: value  # type: ignore[misc]
        found["meta tensor"] = lambda: torch.empty(2, device="meta")
    return found


def values(more: dict[str, Make] | None = None) -> dict[str, Make]:
    """All of them: alone, in a list, in a dictionary, and those that can be as a key of one."""
    plain: dict[str, Make] = {shown(value)[:40]: lambda value=value: value for value in (*NUMBERS, *TEXTS)}  # type: ignore[misc]
    plain |= OTHERS | (more or {})
    return {
        **plain,
        **{f"[{name}]": lambda make=make: [make()] for name, make in plain.items()},  # type: ignore[misc]
        **{f"{{T: {name}}}": lambda make=make: {"T": make()} for name, make in plain.items()},  # type: ignore[misc]
        **{f"{{{name}: 1}}": lambda make=make: {make(): 1} for name, make in plain.items() if hashable(make)},  # type: ignore[misc]
    }


def hashable(make: Make) -> bool:
    try:
        return bool(hash(make())) or True
    except Exception:
        return False
