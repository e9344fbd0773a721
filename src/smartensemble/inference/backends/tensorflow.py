"""TensorFlow graphs whose variables have been frozen into constants, by a session of TensorFlow 1, which TensorFlow 2 has kept.

A session runs a tiny graph in a sixth of the time that a function of TensorFlow 2 needs: it calls no Python between input
and output tensors, and may run the graph in the calling thread.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from smartensemble.errors import CommandError
from smartensemble.inference.backends import Array, Device

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # an import that says which instructions the CPU has says nothing of ours

import tensorflow as tf

v1 = tf.compat.v1


class TensorFlowModel:
    """A session with one graph."""

    def __init__(self, session: Any, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.session = session  # which its callable does not keep alive
        self.call = session.make_callable([_tensor(name) for name in outputs], [_tensor(name) for name in inputs])

    def run(self, tensors: Sequence[Array]) -> list[Array]:
        """The outputs of the graph for `tensors`."""
        return [np.asarray(result) for result in self.call(*tensors)]


def load(
    blob: bytes | memoryview, device: Device, inputs: Sequence[bytes], outputs: Sequence[bytes], threads: int
) -> TensorFlowModel:
    """The model in a serialized GraphDef; its inputs are placeholders, by the names of their nodes."""
    if device.gpu and not tf.config.list_physical_devices("GPU"):
        raise CommandError("GPU requested but TensorFlow couldn't find CUDA")
    definition = v1.GraphDef()
    definition.ParseFromString(bytes(blob))
    graph = tf.Graph()
    with graph.as_default(), tf.device(f"/GPU:{device.number or 0}" if device.gpu else "/CPU:0"):
        tf.import_graph_def(definition, name="")
    nodes = {node.name: node.op for node in definition.node}
    for name in inputs:
        if nodes.get(_node(name)) != "Placeholder":
            raise CommandError(f'ERR Input node named "{_node(name)}" not found in TF graph.')
    for name in outputs:
        if _node(name) not in nodes:
            raise CommandError(f'ERR Output node named "{_node(name)}" not found in TF graph')
    # Below zero: in the thread that asks. Handing a small graph to another one takes longer than to run it.
    config = v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=-1)
    config.allow_soft_placement = True
    config.gpu_options.allow_growth = True
    return TensorFlowModel(v1.Session(graph=graph, config=config), inputs, outputs)


def _node(name: bytes) -> str:
    """The node that a client named, with the number of its output or without."""
    return name.decode(errors="replace").partition(":")[0]


def _tensor(name: bytes) -> str:
    """The output of the node, the first one if there was no number."""
    text = name.decode(errors="replace")
    return text if ":" in text else f"{text}:0"
