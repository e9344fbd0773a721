"""What a program does with redisai-py 1.3.0, in an environment of its own: it needs an old redis-py, and no pytest."""

import sys
from pathlib import Path

import numpy as np
from redisai import Client

LONG_MS = 300_000
SCRIPT = """
def double(x):
    return 2 * x

def total(tensors: List[Tensor], keys: List[str], args: List[str]):
    return tensors[0] + tensors[1] + float(args[0])
"""


def main(socket: str, model: bytes) -> None:
    """Use each command that the client has, but for those of DAGs."""
    client = Client(unix_socket_path=socket)
    x = np.arange(20, dtype="float32").reshape(2, 10)
    assert client.tensorset("x", x) == "OK"
    assert (client.tensorget("x") == x).all()
    assert client.tensorget("x", meta_only=True) == {"dtype": "FLOAT", "shape": [2, 10]}
    client.tensorset("list", [1, 2], shape=[2], dtype="float")
    assert client.tensorget("list", as_numpy=False)["values"] == [1.0, 2.0]

    assert client.modelstore("m", "TORCH", "CPU", model, batch=8, minbatch=2, minbatchtimeout=5, tag="v1") == "OK"
    assert client.modelset("old", "TORCH", "CPU", model, tag="v0") == "OK"
    assert client.modelexecute("m", ["x"], ["y"], timeout=LONG_MS) == "OK"
    assert client.modelrun("old", ["x"], ["z"]) == "OK"
    assert client.tensorget("y").shape == (2, 1)
    assert (client.tensorget("y") == client.tensorget("z")).all()
    told = client.modelget("m")
    assert (told["blob"], told["tag"], told["batchsize"], told["minbatchsize"]) == (model, "v1", 8, 2)
    assert sorted(client.modelscan()) == [["m", "v1"], ["old", "v0"]]
    info = client.infoget("m")
    assert (info["calls"], info["samples"], info["errors"]) == (1, 2, 0)
    assert client.inforeset("m") == "OK"
    assert client.infoget("m")["calls"] == 0

    assert client.scriptstore("s", "CPU", SCRIPT, ["total"], tag="first") == "OK"
    assert client.scriptset("old_s", "CPU", SCRIPT) == "OK"
    assert client.scriptrun("old_s", "double", ["x"], ["twice"]) == "OK"
    assert client.scriptexecute("s", "total", inputs=["x", "twice"], args=["1"], outputs=["sum"]) == "OK"
    assert (client.tensorget("sum") == 3 * x + 1).all()
    assert client.scriptget("s")["source"] == SCRIPT
    assert sorted(client.scriptscan()) == [["old_s", ""], ["s", "first"]]

    assert client.config("MODEL_CHUNK_SIZE") == 511 << 20
    assert client.config("MODEL_CHUNK_SIZE", 1000) == "OK"
    assert client.modelstore("chunks", "TORCH", "CPU", model) == "OK"
    assert client.modelget("chunks")["blob"] == model
    assert client.config("MODEL_CHUNK_SIZE", 511 << 20) == "OK"
    for delete, names in ((client.modeldel, ("m", "old", "chunks")), (client.scriptdel, ("s", "old_s"))):
        assert [delete(name) for name in names] == ["OK"] * len(names)
    print("all of it")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_bytes())
