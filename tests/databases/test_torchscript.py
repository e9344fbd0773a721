"""What no TorchScript takes is refused when a script is added, and PyTorch is asked whether that is right."""

from collections.abc import Callable
from typing import Any

import pytest

from smartensemble import Ensemble, RunSettings
from smartensemble.databases.torchscript import check_script
from smartensemble.errors import InputValueError

F = "def f(x):\n    return x\n"

CASES = [
    (F, ""),
    (f"# a comment\n\n{F}\n{F.replace('f(', 'g(')}", ""),
    ("def f(x: Tensor, n: int = 3) -> List[Tensor]:\n    return [x] * n\n", ""),
    (f"import torch\n{F}", "line 1 is 'import torch', and scripts have no imports"),
    (f"import torch as t\n{F}", "line 1 is 'import torch as t', and scripts have no imports"),
    (f"{F}from typing import List\n", "line 3 is 'from typing import List', and scripts have no imports"),
    ("def f(x):\n    import math\n    return x\n", "line 2 is 'import math', and scripts have no imports"),
    (f"A = 3\n{F}", "line 1 is 'A = 3', and scripts consist of functions"),
    (f"'What it does.'\n{F}", "line 1 .* consist of functions"),
    (f"@torch.jit.script\n{F}", "line 1 is '@torch.jit.script', and scripts consist of functions"),
    (f"class A:\n    pass\n{F}", "line 1 is 'class A:', and scripts consist of functions"),
    (f"if True:\n    pass\n{F}", "line 1 .* consist of functions"),
    (f"async {F}", "line 1 .* consist of functions"),
    ("f = lambda x: x\n", "line 1 .* consist of functions"),
]


@pytest.mark.parametrize(("source", "why"), CASES)
def test_scripts_are_functions_and_import_nothing(source: str, why: str) -> None:
    if not why:
        check_script("s", source)
        return
    with pytest.raises(InputValueError, match=f"s: {why}"):
        check_script("s", source)


@pytest.mark.needs("torch")
@pytest.mark.parametrize(("source", "why"), CASES)
def test_pytorch_takes_and_refuses_the_same(source: str, why: str) -> None:
    import torch

    compiled: Callable[[str], Any] = torch.jit.CompilationUnit
    if not why:
        compiled(source)
        return
    with pytest.raises(RuntimeError):
        compiled(source)


@pytest.mark.parametrize("source", ["def f(x:\n", "\0", "(" * 5000])
def test_what_is_no_python_is_left_to_torchscript(source: str) -> None:
    check_script("s", source)


def test_it_is_said_when_a_script_is_added() -> None:
    ens = Ensemble("ens", replicas=1, run_settings=RunSettings("true"))

    with pytest.raises(InputValueError, match="ens: s: line 1 is 'import torch'"):
        ens.add_script("s", f"import torch\n{F}")
    with pytest.raises(InputValueError, match="ens: g: line 1 is 'import torch'"):
        ens.add_function("g", f"import torch\n{F}")
    with pytest.raises(InputValueError, match="ens: h: line 1 is '@decorated'"):
        ens.add_function("h", h)
    assert ens[0].uploads == ()


def decorated(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return function


@decorated
def h(x: Any) -> Any:
    return x
