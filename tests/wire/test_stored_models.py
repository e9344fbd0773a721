"""What stores a model or a script; what is wrong with one is tested with the calls that take it, in databases and client.

Tests models.
"""

from smartensemble.wire.models import MAX_ARGUMENT_BYTES, Batching, MLModel, Script, keys


def test_a_large_model_is_sent_in_parts() -> None:
    arguments = MLModel("net", "ONNX", bytes(MAX_ARGUMENT_BYTES + 1)).command(b"net", "CPU")

    assert [len(part) for part in arguments[arguments.index(b"BLOB") + 1 :]] == [MAX_ARGUMENT_BYTES, 1]


def test_the_parts_are_as_large_as_a_database_takes_them() -> None:
    arguments = MLModel("net", "ONNX", b"12345", batching=Batching(4), tag="v1").command(b"k", "GPU:1", 2)

    assert arguments == [*b"AI.MODELSTORE k ONNX GPU:1 TAG v1 BATCHSIZE 4 BLOB".split(), b"12", b"34", b"5"]


def test_each_device_has_a_key_of_its_own() -> None:
    assert keys(Script("s", "...")) == ["s"]
    assert keys(MLModel("net", "ONNX", b"1", ("GPU:1", "GPU:2", "GPU"))) == ["net.GPU:1", "net.GPU:2", "net"]
