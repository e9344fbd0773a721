"""Commands are read as RedisAI reads them, and wrong ones are answered in its words.

Tests arguments, commands, grammar.models and grammar.scripts.
"""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smartensemble.errors import CommandError
from smartensemble.inference.commands import AICommand, Config, Delete, Get, Info, RunModel, RunScript, Scan, Store, keys
from smartensemble.inference.grammar import COMMANDS, parse
from smartensemble.inference.model_format import Kind, Metadata


def argv(line: str) -> list[bytes]:
    """The words of a line; ``''`` stands for an empty one."""
    return [b"" if word == "''" else word.encode("latin-1") for word in line.split()]


def read(line: str) -> AICommand:
    return parse(argv(line))


def error(line: str) -> str:
    with pytest.raises(CommandError) as caught:
        read(line)
    return str(caught.value)


MODEL = Metadata(Kind.MODEL, "TORCH", "CPU")
SCRIPT = Metadata(Kind.SCRIPT, "TORCH", "CPU")
TF = replace(MODEL, backend="TF", inputs=(b"a", b"b"), outputs=(b"c",))
STORED = [
    ("AI.MODELSTORE m ONNX CPU BLOB abc", b"abc", replace(MODEL, backend="ONNX")),
    ("ai.modelstore m torch gpu:1 blob ab c d", b"abcd", replace(MODEL, device="gpu:1")),
    ("AI.MODELSTORE m TFLITE CPU:0 BLOB ''", b"", replace(MODEL, backend="TFLITE", device="CPU:0")),
    (
        "AI.MODELSTORE m TF CPU TAG v1 BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 10 INPUTS 2 a b OUTPUTS 1 c BLOB x",
        b"x",
        replace(TF, tag=b"v1", batch_size=4, min_batch_size=2, min_batch_timeout=10),
    ),
    ("AI.MODELSTORE m TORCH CPU TAG BLOB BATCHSIZE 4 BLOB x", b"x", replace(MODEL, tag=b"BLOB", batch_size=4)),
    ("AI.MODELSET m tf CPU INPUTS a b OUTPUTS c BLOB x y", b"xy", TF),
    ("AI.MODELSET m torch CPU BATCHSIZE 8 BLOB x", b"x", replace(MODEL, batch_size=8)),
    ("AI.SCRIPTSET s GPU SOURCE text", b"text", replace(SCRIPT, device="GPU")),
    ("AI.SCRIPTSET s CPU TAG v2 SOURCE text", b"text", replace(SCRIPT, tag=b"v2")),
    ("AI.SCRIPTSTORE s CPU ENTRY_POINTS 2 f g SOURCE text", b"text", replace(SCRIPT, entry_points=(b"f", b"g"))),
]


@pytest.mark.parametrize(("line", "blob", "options"), STORED)
def test_what_is_to_be_stored_is_read_with_all_its_options(line: str, blob: bytes, options: Metadata) -> None:
    command = read(line)

    assert isinstance(command, Store)
    assert (command.key, command.blob) == (argv(line)[1], blob)
    assert replace(command.metadata, version=b"") == replace(options, version=b"")


READ: list[tuple[str, AICommand]] = [
    ("AI.MODELGET m", Get(b"m", Kind.MODEL, True, True)),
    ("AI.MODELGET m META BLOB", Get(b"m", Kind.MODEL, True, True)),
    ("AI.MODELGET m blob meta", Get(b"m", Kind.MODEL, True, True)),
    ("AI.MODELGET m META", Get(b"m", Kind.MODEL, True, False)),
    ("AI.MODELGET m BLOB", Get(b"m", Kind.MODEL, False, True)),
    ("AI.SCRIPTGET s SOURCE", Get(b"s", Kind.SCRIPT, False, True)),
    ("AI.SCRIPTGET s META SOURCE", Get(b"s", Kind.SCRIPT, True, True)),
    ("AI.MODELDEL m", Delete(b"m", Kind.MODEL)),
    ("AI.SCRIPTDEL s", Delete(b"s", Kind.SCRIPT)),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 2 y z", RunModel(b"m", (b"x",), (b"y", b"z"))),
    (
        "AI.MODELEXECUTE {\x00\x9a}.m inputs 1 x outputs 1 y timeout 60000",
        RunModel(b"{\x00\x9a}.m", (b"x",), (b"y",), 60000),
    ),
    ("AI.MODELEXECUTE m INPUTS 1 OUTPUTS OUTPUTS 1 TIMEOUT", RunModel(b"m", (b"OUTPUTS",), (b"TIMEOUT",))),
    ("AI.MODELRUN m INPUTS a b OUTPUTS c", RunModel(b"m", (b"a", b"b"), (b"c",))),
    ("AI.MODELRUN m TIMEOUT 5 INPUTS a OUTPUTS", RunModel(b"m", (b"a",), (), 5)),
    ("AI.SCRIPTRUN s f", RunScript(b"s", b"f")),
    ("AI.SCRIPTRUN s f INPUTS a b OUTPUTS c d", RunScript(b"s", b"f", (b"a", b"b"), (b"c", b"d"))),
    ("AI.SCRIPTRUN s f TIMEOUT 7 INPUTS a $ b c OUTPUTS d", RunScript(b"s", b"f", (b"a", b"b", b"c"), (b"d",), 7)),
    ("AI.SCRIPTRUN s f OUTPUTS d TIMEOUT 7", RunScript(b"s", b"f", (), (b"d",), 7)),
    (
        "AI.SCRIPTEXECUTE s f KEYS 1 k INPUTS 2 a b ARGS 1 3 OUTPUTS 1 c TIMEOUT 9",
        RunScript(b"s", b"f", (b"a", b"b"), (b"c",), 9, (b"k",), (b"3",)),
    ),
    ("AI.SCRIPTEXECUTE s f INPUTS 0 OUTPUTS 0", RunScript(b"s", b"f")),
    ("AI._MODELSCAN", Scan(Kind.MODEL)),
    ("AI._SCRIPTSCAN", Scan(Kind.SCRIPT)),
    ("AI.INFO m", Info(b"m", False)),
    ("AI.INFO m resetstat", Info(b"m", True)),
    ("AI.CONFIG GET model_chunk_size", Config("MODEL_CHUNK_SIZE")),
    ("AI.CONFIG GET other", Config("OTHER")),
    ("AI.CONFIG MODEL_CHUNK_SIZE 1000", Config("MODEL_CHUNK_SIZE", 1000)),
]


@pytest.mark.parametrize(("line", "command"), READ)
def test_a_command_is_read(line: str, command: AICommand) -> None:
    assert read(line) == command


ENTRY = "ERR Insufficient arguments, missing script entry points"
SOURCE = "ERR Insufficient arguments, missing script SOURCE"
BLOB = "ERR Insufficient arguments, missing model BLOB"
REFUSED = [
    ("AI.MODELSTORE m ONNX CPU BLOB", "ERR wrong number of arguments for 'ai.modelstore' command"),
    ("AI.MODELSTORE m CAFFE CPU BLOB x", "ERR unsupported backend"),
    ("AI.MODELSTORE m ONNX TPU BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSTORE m ONNX CPU: BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSTORE m ONNX GPU:123456 BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSTORE m ONNX INPUTS BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE x BLOB x", "ERR Invalid argument for BATCHSIZE"),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE -1 BLOB x", "ERR Invalid argument for BATCHSIZE"),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE 4 MINBATCHSIZE x BLOB x", "ERR Invalid argument for MINBATCHSIZE"),
    (
        "AI.MODELSTORE m ONNX CPU BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT x BLOB x",
        "ERR Invalid argument for MINBATCHTIMEOUT",
    ),
    ("AI.MODELSTORE m ONNX CPU MINBATCHSIZE 2 BLOB x", "ERR MINBATCHSIZE specified without BATCHSIZE"),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE 4 MINBATCHTIMEOUT 2 BLOB x", "ERR MINBATCHTIMEOUT specified without MINBATCHSIZE"),
    ("AI.MODELSTORE m TFLITE CPU BATCHSIZE 4 BLOB x", "ERR Auto-batching not supported by the TFLITE backend"),
    ("AI.MODELSTORE m ONNX CPU TAG v1", BLOB),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE 4 BLOB", BLOB),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE 4 TAG v1 BLOB x", "ERR Invalid argument, expected BLOB"),
    ("AI.MODELSTORE m ONNX CPU INPUTS 1 a OUTPUTS 1 b BLOB x", "ERR INPUTS argument should not be specified for this backend"),
    ("AI.MODELSTORE m TF CPU BLOB x", "ERR INPUTS not specified for TF"),
    ("AI.MODELSTORE m TF CPU INPUTS 1 a BLOB x", "ERR OUTPUTS not specified for TF"),
    ("AI.MODELSTORE m TF CPU INPUTS a OUTPUTS b BLOB x", "ERR Invalid argument for input_count"),
    ("AI.MODELSTORE m TF CPU INPUTS 0 OUTPUTS 1 b BLOB x", "ERR Input count must be a positive integer"),
    ("AI.MODELSTORE m TF CPU INPUTS 1 a OUTPUTS b BLOB x", "ERR Invalid argument for output_count"),
    ("AI.MODELSTORE m TF CPU INPUTS 1 a OUTPUTS 0 BLOB x", "ERR Output count must be a positive integer"),
    ("AI.MODELSTORE m TF CPU INPUTS 9 a", "ERR number of model inputs does not match the number of given arguments"),
    ("AI.MODELSET m ONNX", "ERR wrong number of arguments for 'ai.modelset' command"),
    ("AI.MODELSET m ONNX CPU", BLOB),
    ("AI.MODELSET m TF CPU BLOB x", "ERR INPUTS not specified"),
    ("AI.MODELSET m TF CPU INPUTS a BLOB x", "ERR OUTPUTS not specified"),
    ("AI.MODELGET", "ERR wrong number of arguments for 'ai.modelget' command"),
    ("AI.MODELGET m SOURCE", "Invalid argument: SOURCE"),
    ("AI.MODELDEL m n", "ERR wrong number of arguments for 'ai.modeldel' command"),
    ("AI._MODELSCAN m", "ERR wrong number of arguments for 'ai._modelscan' command"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1", "ERR wrong number of arguments for 'ai.modelexecute' command"),
    ("AI.MODELEXECUTE m IN 1 x OUTPUTS 1 y", "ERR INPUTS not specified"),
    ("AI.MODELEXECUTE m INPUTS x y OUTPUTS 1 y", "ERR Invalid argument for input_count"),
    ("AI.MODELEXECUTE m INPUTS 0 OUTPUTS 1 y TIMEOUT 1", "ERR Input count must be a positive integer"),
    ("AI.MODELEXECUTE m INPUTS -1 x OUTPUTS 1 y", "ERR Input count must be a positive integer"),
    (
        "AI.MODELEXECUTE m INPUTS 9 x OUTPUTS 1 y",
        "ERR number of input keys to AI.MODELEXECUTE command does not match the number of given arguments",
    ),
    ("AI.MODELEXECUTE m INPUTS 1 x y OUTPUTS 1 z", "ERR OUTPUTS not specified"),
    ("AI.MODELEXECUTE m INPUTS 3 x OUTPUTS 1 y", "ERR OUTPUTS not specified"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS y z", "ERR Invalid argument for output_count"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 0 TIMEOUT 1", "ERR Output count must be a positive integer"),
    (
        "AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 2 y",
        "ERR number of output keys to AI.MODELEXECUTE command does not match the number of given arguments",
    ),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y TIMEOUT", "ERR No value provided for TIMEOUT"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y TIMEOUT 0", "ERR Invalid value for TIMEOUT"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y TIMEOUT soon", "ERR Invalid value for TIMEOUT"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y z", "Invalid argument: z"),
    ("AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y TIMEOUT 1 z", "Invalid argument: z"),
    ("AI.MODELRUN m INPUTS x OUTPUTS", "ERR wrong number of arguments for 'ai.modelrun' command"),
    ("AI.MODELRUN m x INPUTS OUTPUTS y", "ERR INPUTS not specified"),
    ("AI.MODELRUN m INPUTS x y z", "ERR OUTPUTS not specified"),
    ("AI.MODELRUN m TIMEOUT x INPUTS x OUTPUTS y", "ERR Invalid value for TIMEOUT"),
    ("AI.SCRIPTSET s CPU SOURCE", "ERR wrong number of arguments for 'ai.scriptset' command"),
    ("AI.SCRIPTSET s CPU TAG t SOURCE", "ERR wrong number of arguments for 'ai.scriptset' command"),
    ("AI.SCRIPTSET s TPU SOURCE x", "ERR Invalid DEVICE"),
    ("AI.SCRIPTSET s CPU BLOB x", SOURCE),
    ("AI.SCRIPTSTORE s CPU", "ERR wrong number of arguments for 'ai.scriptstore' command"),
    ("AI.SCRIPTSTORE s CPU SOURCE x", ENTRY),
    ("AI.SCRIPTSTORE s CPU ENTRY_POINTS 0 SOURCE x", ENTRY),
    ("AI.SCRIPTSTORE s CPU ENTRY_POINTS 5 f SOURCE x", ENTRY),
    (
        "AI.SCRIPTSTORE s CPU ENTRY_POINTS f SOURCE x",
        "ERR Non numeric entry points number provided to AI.SCRIPTSTORE command",
    ),
    ("AI.SCRIPTSTORE s CPU ENTRY_POINTS 1 f SOURCE", SOURCE),
    ("AI.SCRIPTSTORE s CPU ENTRY_POINTS 1 f SOURCE x y", "Invalid argument: y"),
    ("AI.SCRIPTRUN s", "ERR wrong number of arguments for 'ai.scriptrun' command"),
    ("AI.SCRIPTRUN s INPUTS a OUTPUTS b", "ERR function name not specified"),
    ("AI.SCRIPTRUN s f a", "ERR Unrecongnized parameter to SCRIPTRUN"),
    ("AI.SCRIPTRUN s f INPUTS a INPUTS b", "ERR Already encountered an INPUTS keyword in SCRIPTRUN"),
    ("AI.SCRIPTRUN s f INPUTS a OUTPUTS b INPUTS c", "ERR Already encountered an INPUTS section in SCRIPTRUN"),
    ("AI.SCRIPTRUN s f OUTPUTS b OUTPUTS c", "ERR Already encountered an OUTPUTS keyword in SCRIPTRUN"),
    ("AI.SCRIPTRUN s f TIMEOUT 1 TIMEOUT 1", "ERR Already encountered an TIMEOUT section in SCRIPTRUN"),
    ("AI.SCRIPTRUN s f TIMEOUT", "ERR No value provided for TIMEOUT"),
    ("AI.SCRIPTRUN s f OUTPUTS $ a", "ERR Encountered a variable size list of tensors outside of input section"),
    ("AI.SCRIPTRUN s f INPUTS $ a $ b", "ERR Already encountered a variable size list of tensors"),
    ("AI.SCRIPTEXECUTE s f", "ERR wrong number of arguments for 'ai.scriptexecute' command"),
    ("AI.SCRIPTEXECUTE s f OUTPUTS 1 a", "ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command"),
    ("AI.SCRIPTEXECUTE s f INPUTS 1 a INPUTS 1 b", "ERR Already encountered INPUTS scope in AI.SCRIPTEXECUTE command"),
    ("AI.SCRIPTEXECUTE s f KEYS 1 k ARGS", "ERR Invalid arguments provided to AI.SCRIPTEXECUTE"),
    ("AI.SCRIPTEXECUTE s f INPUTS OUTPUTS", "ERR Invalid argument for inputs count in AI.SCRIPTEXECUTE"),
    ("AI.SCRIPTEXECUTE s f KEYS -1 k", "ERR Invalid argument for keys count in AI.SCRIPTEXECUTE"),
    (
        "AI.SCRIPTEXECUTE s f INPUTS 2 a",
        "ERR number of inputs to AI.SCRIPTEXECUTE command does not match the number of given arguments",
    ),
    ("AI.SCRIPTEXECUTE s f INPUTS 1 a b", "ERR Unrecongnized parameter to AI.SCRIPTEXECUTE"),
    ("AI.SCRIPTEXECUTE s f INPUTS 1 a TIMEOUT", "ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE"),
    ("AI.SCRIPTEXECUTE s f INPUTS 1 a TIMEOUT x", "ERR Invalid value for TIMEOUT"),
    ("AI.SCRIPTEXECUTE s f INPUTS 1 a TIMEOUT 5 OUTPUTS 1 b", "ERR Encountered problem parsing AI.SCRIPTEXECUTE"),
    ("AI.INFO", "ERR wrong number of arguments for 'ai.info' command"),
    ("AI.INFO m RESET", "ERR unsupported subcommand"),
    ("AI.CONFIG", "ERR wrong number of arguments for 'ai.config' command"),
    ("AI.CONFIG GET", "ERR wrong number of arguments for 'ai.config' command"),
    ("AI.CONFIG SET x", "ERR unsupported subcommand"),
    ("AI.CONFIG MODEL_CHUNK_SIZE 0", "ERR MODEL_CHUNK_SIZE: invalid chunk size"),
    ("AI.CONFIG MODEL_CHUNK_SIZE", "ERR MODEL_CHUNK_SIZE: invalid chunk size"),
    (
        "AI.CONFIG LOADBACKEND TF x.so",
        "ERR LOADBACKEND: backends are Python packages here, imported when they are used; there is nothing to set",
    ),
    (
        "AI.DAGEXECUTE LOAD 1 a |> AI.TENSORGET a",
        "ERR AI.DAGEXECUTE: chains of commands are not offered here; send its AI.MODELEXECUTE and AI.SCRIPTEXECUTE one after "
        "another, with keys for what passes between them",
    ),
    ("AI.NOTHING", "ERR unknown command 'AI.NOTHING'"),
]


@pytest.mark.parametrize(("line", "message"), REFUSED)
def test_a_wrong_command_is_answered_in_the_words_that_clients_know(line: str, message: str) -> None:
    assert error(line) == message


vocabulary = st.sampled_from(
    [
        b"m",
        b"CPU",
        b"TF",
        b"INPUTS",
        b"OUTPUTS",
        b"KEYS",
        b"ARGS",
        b"1",
        b"2",
        b"-1",
        b"TIMEOUT",
        b"TAG",
        b"BLOB",
        b"SOURCE",
        b"$",
    ]
)


@given(st.sampled_from([*COMMANDS, b"AI.DAGRUN"]), st.lists(vocabulary | st.binary(max_size=3), max_size=12))
@example(b"AI.SCRIPTRUN", [b"m", b"f", b"INPUTS", b"\r\n"])
def test_any_words_are_a_command_or_an_error_on_one_line(name: bytes, words: list[bytes]) -> None:
    try:
        command = parse([name, *words])
    except CommandError as refused:
        reply = str(refused)
    else:
        needed = keys(command)
        reply = "OK"
        assert {*needed.read, *needed.written} <= set(words)

    assert reply
    assert not set("\r\n") & set(reply)


@pytest.mark.parametrize(
    ("line", "read_keys", "written"),
    [
        ("AI.MODELSTORE m ONNX CPU BLOB abc", "", "m"),
        ("AI.SCRIPTSET s GPU SOURCE text", "", "s"),
        ("AI.MODELGET m", "m", ""),
        ("AI.INFO m", "m", ""),
        ("AI.SCRIPTDEL s", "s", "s"),
        ("AI.MODELEXECUTE m INPUTS 2 x y OUTPUTS 1 z", "m x y", "z"),
        ("AI.MODELRUN m INPUTS x OUTPUTS y z", "m x", "y z"),
        ("AI.SCRIPTRUN s f INPUTS a $ b OUTPUTS c", "s a b", "c"),
        ("AI.SCRIPTEXECUTE s f KEYS 1 k INPUTS 1 a ARGS 1 g OUTPUTS 1 c", "s a", "c"),
        ("AI._MODELSCAN", "", ""),
        ("AI.CONFIG GET x", "", ""),
    ],
)
def test_the_keys_of_a_command_are_those_it_reads_and_writes(line: str, read_keys: str, written: str) -> None:
    needed = keys(read(line))

    assert (list(needed.read), list(needed.written)) == (argv(read_keys), argv(written))
