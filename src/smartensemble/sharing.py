"""What a model and an ensemble have in common: ML models and scripts that members find in databases."""

from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

from smartensemble.databases.uploads import Upload, ml_model
from smartensemble.databases.uploads import function as stored_function
from smartensemble.databases.uploads import script as stored_script
from smartensemble.errors import strict


class Holder:
    """Something whose members find models and scripts in databases."""

    __slots__ = ()
    name: str

    def _hold(self, upload: Upload) -> None:
        """Have `upload` stored, unless its name is taken."""
        raise NotImplementedError

    @strict
    def add_ml_model(
        self,
        name: str,
        backend: str,
        model: bytes | None = None,
        model_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
        batch_size: int = 0,
        min_batch_size: int = 0,
        min_batch_timeout: int = 0,
        tag: str = "",
        inputs: str | Iterable[str] | None = None,
        outputs: str | Iterable[str] | None = None,
    ) -> None:
        """Have a trained model stored in every database that runs, and in a member's own, before the member starts.

        An ensemble has it stored for all its members, also for those that are added later.

        :param name: the name that clients run it by.
        :param backend: ``"TORCH"``, ``"ONNX"``, ``"TF"`` or ``"TFLITE"``.
        :param model: the model, as the bytes that its framework saves; or
        :param model_path: the file that it is saved in, which is read now.
        :param device: ``"CPU"``, ``"GPU"``, or one of several GPUs, as ``"GPU:1"``.
        :param devices_per_node: the GPUs that clients choose from with ``run_model_multigpu``, ``GPU:n`` for each.
        :param first_device: the number of the first one.
        :param batch_size: the most rows of several clients' runs that are run at once; 0 runs each alone.
        :param min_batch_size: the rows to wait for.
        :param min_batch_timeout: the most milliseconds to wait for them; 0 sets no limit.
        :param tag: a remark on it, such as its version.
        :param inputs: the names of its inputs; for TF only.
        :param outputs: the names of its outputs; for TF only.
        :raises MissingFileError: there is no such file.
        :raises EntityExistsError: there is a model or script of this name.
        """
        devices = (device, devices_per_node, first_device)
        batch = (batch_size, min_batch_size, min_batch_timeout)
        self._hold(ml_model(self.name, name, backend, model, model_path, devices, batch, tag, inputs, outputs))

    @strict
    def add_function(
        self,
        name: str,
        function: Callable[..., Any] | str | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Have a Python function stored as TorchScript, as :meth:`add_ml_model` does with a model.

        What is stored is its source: it must not use anything around it.

        :param name: the name that clients run it by, by ``run_script`` with its own name as well.
        :param function: the function, or its text. The other arguments are those of :meth:`add_ml_model`.
        :raises InputValueError: it has no source, or is a lambda.
        """
        self._hold(stored_function(self.name, name, function, device, devices_per_node, first_device))

    @strict
    def add_script(
        self,
        name: str,
        script: str | None = None,
        script_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Have functions in TorchScript stored, as :meth:`add_ml_model` does with a model.

        :param name: the name that clients run them by.
        :param script: their text; or
        :param script_path: the file with it, which is read now. The other arguments are those of :meth:`add_ml_model`.
        :raises MissingFileError: there is no such file.
        """
        self._hold(stored_script(self.name, name, script, script_path, device, devices_per_node, first_device))
