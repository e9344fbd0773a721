"""Scripts, which are functions in TorchScript: store, get, run and delete them.

They are stored as models are: on each server of a sharded database, and for each of several GPUs.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from smartensemble.checks import read
from smartensemble.client.arguments import names, text
from smartensemble.client.calls.copies import copies, copy_for, delete, device_name, first_copy, gpus, tags
from smartensemble.client.calls.execution import execute
from smartensemble.client.connection import Argument
from smartensemble.client.descriptions import CALL, SCRIPT
from smartensemble.client.keys import key_in
from smartensemble.docstrings.described import calls_described_by, described_by
from smartensemble.errors import InputTypeError, InputValueError, public, shown
from smartensemble.wire.models import Script, function_source

if TYPE_CHECKING:
    from smartensemble.client.database import Database
    from smartensemble.client.keys import Names


@public
@calls_described_by(SCRIPT, CALL)
class ScriptCalls:
    """The calls about scripts."""

    _database: "Database"
    _names: "Names"

    def set_script(self, name: str, script: str, device: str = "CPU") -> None:
        """Store functions in TorchScript, in the place of what was there under this name.

        :param name: the name that they are run by.
        :raises RedisRuntimeError: it is no TorchScript.
        """
        self._store_script(name, text("script", script), (device_name(device),))

    @described_by(set_script)
    def set_script_from_file(self, name: str, file: str, device: str = "CPU") -> None:
        """Store the script in a file, as :meth:`set_script` does.

        :raises MissingFileError: there is no such file.
        :raises AccessError: the system refuses to read it.
        """
        device = device_name(device)
        self._store_script(name, script_file(name, file), (device,))

    @described_by(set_script)
    def set_script_multigpu(self, name: str, script: str, first_gpu: int, num_gpus: int) -> None:
        """Store functions in TorchScript for several GPUs, in the place of what was there under this name."""
        self._store_script(name, text("script", script), gpus(first_gpu, num_gpus))

    @described_by(set_script_from_file)
    def set_script_from_file_multigpu(self, name: str, file: str, first_gpu: int, num_gpus: int) -> None:
        """Store the script in a file for several GPUs, as :meth:`set_script_multigpu` does."""
        devices = gpus(first_gpu, num_gpus)
        self._store_script(name, script_file(name, file), devices)

    def set_function(self, name: str, function: Callable[..., Any], device: str = "CPU") -> None:
        """Store a Python function as a script. It must not use anything outside of it.

        :param name: the name that it is stored by; ``run_script`` takes its own name too.
        :raises InputValueError: it has no source, or is a lambda.
        """
        self._store_script(name, callable_source(name, function), (device_name(device),))

    @described_by(set_function)
    def set_function_multigpu(self, name: str, function: Callable[..., Any], first_gpu: int, num_gpus: int) -> None:
        """Store a Python function for several GPUs, as :meth:`set_script_multigpu` does."""
        self._store_script(name, callable_source(name, function), gpus(first_gpu, num_gpus))

    def get_script(self, name: str) -> str:
        """The text of a script.

        :returns: the text.
        :raises RedisRuntimeError: there is none of this name.
        """
        key = first_copy(self._database, self._names.read("model", name))
        return bytes(self._database.call(key, "AI.SCRIPTGET", key, "SOURCE")).decode("utf-8", "surrogateescape")

    def run_script(self, name: str, fn_name: str, inputs: str | list[str], outputs: str | list[str]) -> None:
        """Run a function of a script on tensors of the database, and store what it returns as tensors.

        :raises RedisRuntimeError: there is no script, function or input of its name, or the function fails.
        """
        self._run_script(self._names.read("model", name), fn_name, inputs, outputs)

    @described_by(run_script)
    def run_script_multigpu(
        self,
        name: str,
        fn_name: str,
        inputs: str | list[str],
        outputs: str | list[str],
        offset: int,
        first_gpu: int,
        num_gpus: int,
    ) -> None:
        """Run a function of a script, as :meth:`run_script` does, on one of several GPUs."""
        key = copy_for(self._names.read("model", name), offset, first_gpu, num_gpus)
        self._run_script(key, fn_name, inputs, outputs)

    def delete_script(self, name: str) -> None:
        """Delete a script.

        :raises RedisRuntimeError: there is none of this name.
        """
        delete(self._database, "AI.SCRIPTDEL", self._names.read("model", name))

    def delete_script_multigpu(self, name: str, first_gpu: int, num_gpus: int) -> None:
        """Delete a script that is stored for several GPUs.

        :raises RedisRuntimeError: there is none of this name.
        """
        delete(self._database, "AI.SCRIPTDEL", self._names.read("model", name), gpus(first_gpu, num_gpus))

    def _store_script(self, name: str, source: str, devices: tuple[str, ...]) -> None:
        """Store a script on each server, for each of its devices."""
        key = self._names.written("model", name)
        if not source.strip():
            raise InputValueError(f"{name}: the script is empty; give the text of TorchScript functions")
        script = Script(name, source, devices)
        for each, device in zip(copies(key, devices), devices, strict=True):
            at = [key_in(tag, each) for tag in tags(self._database)]
            self._database.call_many([(here, script.command(here, device)) for here in at])

    def _run_script(self, key: bytes, fn_name: str, inputs: object, outputs: object) -> None:
        function = text("fn_name", fn_name)
        read_from = [self._names.read("tensor", each) for each in names("inputs", inputs)]
        write_to = [self._names.written("tensor", each) for each in names("outputs", outputs)]
        execute(self._database, key, read_from, write_to, partial(script_run, function))


def script_run(function: str, key: bytes, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> tuple[Argument, ...]:
    """AI.SCRIPTRUN key function INPUTS name ... OUTPUTS name ...

    >>> script_run("double", b"s", [b"x"], [b"y"])
    ('AI.SCRIPTRUN', b's', 'double', 'INPUTS', b'x', 'OUTPUTS', b'y')
    """
    return ("AI.SCRIPTRUN", key, function, "INPUTS", *inputs, "OUTPUTS", *outputs)


def callable_source(name: str, function: object) -> str:
    """The text of a function."""
    if not callable(function):
        raise InputTypeError(f"{text('name', name)}: function is {shown(function)}; give a function, def f(x): ...")
    return function_source(text("name", name), function)


def script_file(name: str, file: str) -> str:
    """The text of a script in a file."""
    try:
        return read(text("file", file), text("name", name)).decode()
    except UnicodeDecodeError:
        raise InputValueError(f"{name}: {shown(file)} is no text in UTF-8; give a script of TorchScript functions") from None
