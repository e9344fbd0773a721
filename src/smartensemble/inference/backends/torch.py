"""TorchScript models, and scripts of TorchScript functions, by PyTorch."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from smartensemble.errors import CommandError
from smartensemble.inference.backends import Array, Device

#: The types of the arguments of a function that is an entry point.
ENTRY_POINT = ["List[Tensor]", "List[str]", "List[str]"]
SIGNATURE = "(tensors: List[Tensor], keys: List[str], args: List[str])"

# PyTorch warns of the first read-only array that it gets, and only of that. All of ours are: they are what the database sent.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.from_numpy(np.frombuffer(bytes(8)))


class TorchModel:
    """A TorchScript module."""

    def __init__(self, module: Any, device: torch.device) -> None:
        self.device = device
        self.forward = module.forward
        schema = module.forward.schema
        self.inputs = tuple(argument.name.encode() for argument in schema.arguments[1:])
        self.outputs = (b"",) * _count(schema.returns[0].type)
        # Inference mode is faster for a small model, but one that computes gradients (a learned potential) cannot leave it.
        self.mode = torch.no_grad if "grad_enabled" in str(module.inlined_graph) else torch.inference_mode

    def run(self, tensors: Sequence[Array]) -> list[Array]:
        """The outputs of the module for `tensors`, in a flat list."""
        with self.mode():
            return _arrays(self.forward(*_tensors(tensors, self.device)), "forward")


class ScriptUnit:
    """A unit of TorchScript functions."""

    def __init__(self, unit: Any, device: torch.device) -> None:
        self.device = device
        self.functions = {function.name: function for function in unit.get_functions()}
        #: The types of the arguments of each function.
        self.types = {
            name: [str(argument.type) for argument in function.schema.arguments] for name, function in self.functions.items()
        }

    def check(self, function: str) -> None:
        """Raise an error if a function cannot be an entry point."""
        if function not in self.functions:
            raise CommandError(f"Function {function} does not exist in the given script.")
        types = self.types[function]
        if len(types) != len(ENTRY_POINT):
            raise CommandError(f"Wrong number of inputs in function {function}. Expected 3 but was {len(types)}")
        if types != ENTRY_POINT:
            similar = f"def {function}{SIGNATURE}"
            raise CommandError(f"Wrong inputs type in function {function}. Expected signature similar to: {similar}")

    def run(self, function: str, tensors: Sequence[Array], keys: Sequence[bytes], args: Sequence[bytes]) -> list[Array]:
        """The outputs of a function; a last argument that is a list takes all tensors that the others leave."""
        if function not in self.functions:
            raise CommandError(f"Function does not exist: {function}")
        types = self.types[function]
        inputs = _tensors(tensors, self.device)
        arguments: list[Any] = []
        if types == ENTRY_POINT:
            arguments = [inputs, list(keys), list(args)]
        elif set(types[:-1]) <= {"Tensor"} and types[-1:] in ([], ["Tensor"], ["List[Tensor]"]):
            single = types.count("Tensor")
            if len(inputs) < single:
                raise CommandError(f"Wrong number of inputs provided to function: {function}")
            arguments = [*inputs[:single], *([inputs[single:]] if single < len(types) else [])]
        else:
            takes = f"Tensor arguments, a List[Tensor] last, or {SIGNATURE}"
            raise CommandError(f"Unsupported argument type in function: {function} takes {', '.join(types)}; write {takes}")
        with torch.no_grad():
            return _arrays(self.functions[function](*arguments), function)


def load(
    blob: bytes | memoryview, device: Device, _inputs: Sequence[bytes], _outputs: Sequence[bytes], threads: int
) -> TorchModel:
    """The model that ``torch.jit.save`` has written."""
    torch_device = _torch_device(device, threads)
    module = torch.jit.load(io.BytesIO(blob), map_location=torch_device)
    return TorchModel(module.eval(), torch_device)


def compile_script(source: bytes | memoryview, device: Device, entry_points: Sequence[bytes], threads: int) -> ScriptUnit:
    """The functions in `source`, as a file or ``inspect.getsource`` has them."""
    torch_device = _torch_device(device, threads)
    # The parser of TorchScript wants the last line to end.
    script = ScriptUnit(torch.jit.CompilationUnit(bytes(source).decode() + "\n"), torch_device)
    for name in entry_points:
        script.check(name.decode(errors="replace"))
    return script


def _torch_device(device: Device, threads: int) -> torch.device:
    torch.set_num_threads(threads)
    if not device.gpu:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise CommandError("GPU requested but Torch couldn't find CUDA")
    return torch.device("cuda" if device.number is None else f"cuda:{device.number}")


def _count(returned: Any) -> int:
    """The number of tensors that a function returns, by its return type; 0 if only a run can tell."""
    if returned.kind() == "TensorType":
        return 1
    if returned.kind() == "TupleType":
        counts = [_count(element) for element in returned.elements()]
        return sum(counts) if all(counts) else 0
    return 0


def _tensors(arrays: Sequence[Array], device: torch.device) -> list[torch.Tensor]:
    tensors = [torch.from_numpy(array) for array in arrays]
    return tensors if device.type == "cpu" else [tensor.to(device) for tensor in tensors]


def _arrays(returned: Any, function: str) -> list[Array]:
    """The tensors that a function returned, in one flat list."""
    if isinstance(returned, torch.Tensor):
        return [returned.detach().cpu().contiguous().numpy()]
    if isinstance(returned, (list, tuple)):
        return [array for element in returned for array in _arrays(element, function)]
    raise CommandError(f"Function returned non-tensor values{function}")
