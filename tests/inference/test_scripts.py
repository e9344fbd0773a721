"""Functions of TorchScript run as RedisAI runs them, and what is wrong with one is told in its words.

Tests backends.torch.
"""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from smartensemble.errors import CommandError
from smartensemble.inference import backends
from smartensemble.inference.backends import Array, CompiledScript
from worlds.small_models import load, torch_model

pytestmark = pytest.mark.needs("torch")

SOURCE = '''
def add(a, b):
    """Typed as nothing is: TorchScript takes that for tensors."""
    return a + b

def one(a: torch.Tensor):
    return a

def none():
    return torch.ones([2])

def first_and_sum(a: Tensor, rest: List[Tensor]):
    total = a
    for tensor in rest:
        total = total + tensor
    return a, total

def listed(tensors: List[Tensor]):
    return tensors

def nested(a: Tensor):
    return a, [a + 1, a + 2]

def number(a: Tensor):
    return 3

def half_a_tensor(a: Tensor):
    return a, 3

def scaled(a: Tensor, by: float):
    return a * by

def changes(a: Tensor):
    return a.add_(1)

def big(a: Tensor):
    return a > 1

def transposed(a: Tensor):
    return a.t()

def raises(a: Tensor):
    raise RuntimeError("this\\ncannot be")

def force(at: Tensor):
    """What a learned potential does: the gradient of an energy, though nobody outside wants one."""
    torch.set_grad_enabled(True)
    place = at.clone().requires_grad_(True)
    energy = (place * place).sum()
    gradient = torch.autograd.grad([energy], [place])[0]
    assert gradient is not None
    return energy, -gradient

def entry(tensors: List[Tensor], keys: List[str], args: List[str]):
    return tensors[0] * float(args[0]) + len(keys[0])
'''


@pytest.fixture(scope="module")
def script() -> CompiledScript:
    return backends.compile_script(SOURCE.encode(), "CPU", [b"entry"])


def run(script: CompiledScript, function: str, *values: ArrayLike) -> list[Array]:
    """What a function makes of tensors of floats."""
    tensors = [np.frombuffer(np.array(value, "float32").tobytes(), "float32").reshape(np.shape(value)) for value in values]
    return script.run(function, tensors, [], [])


@pytest.mark.parametrize(
    ("function", "values", "outputs"),
    [
        ("add", [[1, 2], [3, 4]], [[4, 6]]),
        ("add", [[1, 2], [3, 4], [5, 6]], [[4, 6]]),
        ("one", [[[1, 2]]], [[[1, 2]]]),
        ("none", [], [[1, 1]]),
        ("first_and_sum", [1], [1, 1]),
        ("first_and_sum", [1, 2, 3], [1, 6]),
        ("listed", [], []),
        ("listed", [1, 2, 3], [1, 2, 3]),
        ("nested", [1], [1, 2, 3]),
        ("changes", [[1]], [[2]]),
        ("force", [[1, 2]], [5, [-2, -4]]),
        ("big", [[1, 2]], [[False, True]]),
        ("transposed", [[[1, 2], [3, 4]]], [[[1, 3], [2, 4]]]),
    ],
)
def test_a_function_takes_tensors_in_turn_and_a_last_list_takes_the_rest(
    script: CompiledScript, function: str, values: list[ArrayLike], outputs: list[object]
) -> None:
    arrays = run(script, function, *values)

    assert [array.tolist() for array in arrays] == outputs
    assert all(array.flags.c_contiguous for array in arrays)


@pytest.mark.parametrize(
    ("function", "count", "message"),
    [
        ("missing", 1, "Function does not exist: missing"),
        ("__init__", 1, "Function does not exist: __init__"),
        ("define", 1, "Function does not exist: define"),
        ("add", 1, "Wrong number of inputs provided to function: add"),
        ("first_and_sum", 0, "Wrong number of inputs provided to function: first_and_sum"),
        ("number", 1, "Function returned non-tensor valuesnumber"),
        ("half_a_tensor", 1, "Function returned non-tensor valueshalf_a_tensor"),
        (
            "scaled",
            2,
            "Unsupported argument type in function: scaled takes Tensor, float; write Tensor arguments, a List[Tensor] last, "
            "or (tensors: List[Tensor], keys: List[str], args: List[str])",
        ),
    ],
)
def test_a_function_that_cannot_be_called_so_is_named(script: CompiledScript, function: str, count: int, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(script, function, *range(count))

    assert str(caught.value) == message


def test_what_a_function_raises_comes_through(script: CompiledScript) -> None:
    with pytest.raises(Exception, match="this\ncannot be"):
        run(script, "raises", 1)


def test_an_entry_point_gets_tensors_keys_and_arguments_of_any_bytes(script: CompiledScript) -> None:
    (array,) = script.run("entry", [np.array([1, 2], "float32")], ["é{".encode()], [b"2.5"])

    assert array.tolist() == [2.5 + 3, 5 + 3]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"missing", "Function missing does not exist in the given script."),
        (b"add", "Wrong number of inputs in function add. Expected 3 but was 2"),
        (
            b"three",
            "Wrong inputs type in function three. Expected signature similar to: "
            "def three(tensors: List[Tensor], keys: List[str], args: List[str])",
        ),
    ],
)
def test_an_entry_point_has_one_signature(name: bytes, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        backends.compile_script(b"def add(a, b):\n  return a\ndef three(a, b, c):\n  return a", "CPU", [name])

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x",
        "def f(x):\r\n    return x\r\n",
        "    def f(x):\n        return x\n",  # as inspect.getsource gives a function within another
        "# é漢😀\ndef f(x):\n    '''é漢😀'''\n    return x  # é",
        "\n\n\ndef f(x: Tensor) -> Tensor:\n\treturn x\n",
    ],
)
def test_a_source_may_look_as_files_and_functions_do(source: str) -> None:
    script = backends.compile_script(source.encode(), "cpu:0")

    assert run(script, "f", [1])[0].tolist() == [1]


@pytest.mark.parametrize(
    "source",
    [
        b"def f(x):\n    return (x",
        b"import torch\n",
        b"def f(x):\n    return y\n",
        b"\xff\xfe",
        b"def f(x: np.ndarray):\n  return x",
    ],
)
def test_a_source_that_cannot_be_compiled_is_refused(source: bytes) -> None:
    with pytest.raises(Exception, match=r"\w"):
        backends.compile_script(source, "CPU")


def test_a_script_for_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^GPU requested but Torch couldn't find CUDA$"):
        backends.compile_script(SOURCE.encode(), "GPU:0")


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def forward(self, x):\n  return x\n", 1),
        ("def forward(self, x):\n  return x, x\n", 2),
        ("def forward(self, x) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:\n  return x, (x, x)\n", 3),
        ("def forward(self, x):\n  return [x, x]\n", 0),
        ("def forward(self, x) -> Tuple[Tensor, List[Tensor]]:\n  return x, [x]\n", 0),
    ],
)
def test_a_module_tells_how_many_tensors_it_returns_where_its_type_does(source: str, count: int) -> None:
    assert len(load("TORCH", torch_model(source)).outputs) == count


def test_a_module_that_returns_no_tensors_says_so() -> None:
    model = load("TORCH", torch_model("def forward(self, x):\n  return {'y': x}\n"))

    with pytest.raises(CommandError, match=r"^Function returned non-tensor valuesforward$"):
        model.run([np.zeros(1, "float32")])
