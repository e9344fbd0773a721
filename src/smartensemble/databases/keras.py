"""Turn a Keras model into one graph with its weights as constants, which the backend TF runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartensemble.errors import InputTypeError, InputValueError, public


@public
def serialize_model(model: Any) -> tuple[bytes, list[str], list[str]]:
    """The bytes of a frozen graph of a Keras model, and the names of its inputs and outputs.

    This is what ``smartredis.Client.set_model`` takes for the backend ``TF``. One input is ``x``, several are ``x_0``, ``x_1``.

    :param model: a ``keras.Model`` that knows the shape of its inputs.
    :returns: the graph as bytes of a ``GraphDef``, the names of the inputs, and those of the outputs.
    :raises InputTypeError: it is no Keras model.
    :raises InputValueError: it has no inputs yet.
    """
    graph, inputs, outputs = _freeze(model)
    return graph.as_graph_def().SerializeToString(deterministic=True), inputs, outputs


@public
def freeze_model(model: Any, output_dir: str, file_name: str) -> tuple[str, list[str], list[str]]:
    """The path of a file with a frozen graph of a Keras model, and the names of its inputs and outputs.

    :param model: a ``keras.Model`` that knows the shape of its inputs.
    :param output_dir: the directory of the file, which is created if it does not exist.
    :param file_name: the name of the file; ``.pb`` is added if it does not end in it.
    :returns: the path of the file, the names of the inputs, and those of the outputs.
    :raises InputTypeError: it is no Keras model.
    :raises InputValueError: it has no inputs yet.
    :raises AccessError: the system refuses to write the file.
    """
    content, inputs, outputs = serialize_model(model)
    path = Path(output_dir, file_name if file_name.endswith(".pb") else f"{file_name}.pb")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path), inputs, outputs


def _freeze(model: Any) -> tuple[Any, list[str], list[str]]:
    """The graph of `model`, and the names of its inputs and outputs."""
    import tensorflow as tf  # seconds, for the two functions that need it
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if not isinstance(model, tf.keras.Model):
        raise InputTypeError(f"model: {type(model).__name__} is no Keras model; give a keras.Model")
    try:
        tensors = list(model.inputs)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputValueError(f"model: {model.name} has no inputs yet; begin it with keras.Input(shape=...)") from error
    names = ["x"] if len(tensors) == 1 else [f"x_{number}" for number in range(len(tensors))]
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name) for tensor, name in zip(tensors, names, strict=True)]
    function = tf.function(lambda *x: model(list(x) if len(x) > 1 else x[0]))
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(*specs))
    return frozen.graph, _names(frozen.inputs), _names(frozen.outputs)


def _names(tensors: Sequence[Any]) -> list[str]:
    return [tensor.name.removesuffix(":0") for tensor in tensors]
