"""What models share through databases: whose keys they read, whether theirs have a prefix, and what is stored for them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self

from smartensemble.checks import word
from smartensemble.databases.descriptions import COLOCATED
from smartensemble.docstrings.described import described_by
from smartensemble.duration import Duration
from smartensemble.errors import EntityExistsError, InputTypeError, public, shown
from smartensemble.settings.executable import find_program
from smartensemble.settings.followed import FollowedSettings

# What checks options of databases is imported by the methods that take some: most members share nothing.
if TYPE_CHECKING:
    from smartensemble.databases.colocated import Colocated
    from smartensemble.wire.models import Upload


class Producer(Protocol):
    """Whose data others read: a model, or an ensemble."""

    @property
    def key_prefixes(self) -> Sequence[str]:
        """The prefixes of the keys that it writes."""


@dataclass(frozen=True)
class Sharing:
    """What an entity shares through databases. Entities that share nothing have one value in common, which costs nothing."""

    prefixing: bool | None = None  #: None: as its ensemble says
    incoming: tuple[Producer, ...] = ()
    uploads: "tuple[Upload, ...]" = ()


#: Of what is stored, for the docstrings of the methods that store it.
DEVICES = """
:param device: ``"CPU"``, ``"GPU"``, or one of several GPUs, as ``"GPU:1"``.
:param devices_per_node: the number of GPUs that clients choose from with ``run_model_multigpu``, ``GPU:n`` for each.
:param first_device: the number of the first of these GPUs, from 0 on.
"""

#: The sharing of an entity that shares nothing.
NO_SHARING = Sharing()


@public
class Entity:
    """A model or an ensemble. Members write keys with a prefix, read those of others, and find what was stored for them."""

    __slots__ = ("_sharing",)
    name: str
    _sharing: Sharing  #: by its own settings

    def __copy__(self) -> Self:
        """An entity of its own: to change it changes nothing in this one. Settings that several share, it shares too."""
        twin = type(self).__new__(type(self))
        names = [name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__weakref__"]
        for name in (*names, *getattr(self, "__dict__", ())):
            value = getattr(self, name)
            setattr(twin, name, copy(value) if isinstance(value, (dict, FollowedSettings)) else value)
        return twin

    @property
    def key_prefixes(self) -> Sequence[str]:
        """The prefixes of the keys that it writes, where key prefixing is on: the names of its members, or its own."""
        raise NotImplementedError

    def _shared(self) -> Iterator[tuple[str, Sharing]]:
        """What it shares, and what those of its members share that have settings of their own, each with its name."""
        raise NotImplementedError

    def register_incoming_entity(self, incoming_entity: Producer) -> None:
        """Let it read the keys of another entity, by their prefix: of one model, or of each member of an ensemble.

        In an ensemble each member reads them, also members that you add later.

        :param incoming_entity: the model or ensemble that writes the keys.
        :raises EntityExistsError: it, or a member, reads from that entity already.
        :raises InputTypeError: it is neither a model nor an ensemble.
        """
        for name, sharing in self._shared():
            check_incoming(name, sharing.incoming, incoming_entity)
        self._sharing = replace(self._sharing, incoming=(*self._sharing.incoming, incoming_entity))

    def _store(self, upload: "Upload") -> None:
        """Add `upload` to those to store, unless its name is taken."""
        from smartensemble.databases.uploads import check_free

        for name, sharing in self._shared():
            check_free(name, sharing.uploads, upload)
        self._sharing = replace(self._sharing, uploads=(*self._sharing.uploads, upload))

    @described_by(DEVICES)
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
        """Store a trained model in every running database, and in a member's own, before the member starts.

        In an ensemble this applies to all members, also those that you add later.

        :param name: the name that clients run it by.
        :param backend: what runs it: ``"TORCH"``, ``"ONNX"``, ``"TF"`` or ``"TFLITE"``.
        :param model: the model, as the bytes that its framework saves; or
        :param model_path: the file that it is saved in, which is read now.
        :param batch_size: the most rows of several clients' runs that are run at once; 0 runs each alone.
        :param min_batch_size: the number of rows to wait for; 0 waits for none.
        :param min_batch_timeout: the most milliseconds to wait for them; 0 sets no limit.
        :param tag: a remark on it, such as its version.
        :param inputs: the names of its inputs; for TF only.
        :param outputs: the names of its outputs; for TF only.
        :raises MissingFileError: there is no such file.
        :raises AccessError: the file cannot be read, or is no file.
        :raises EntityExistsError: a model or script has this name already.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: there is no such backend or device, the model is empty or given twice; a number is too small.
        :raises UnsupportedError: several devices are given where there can be only one.
        """
        from smartensemble.databases.uploads import Devices, ml_model
        from smartensemble.wire.models import Batching

        devices = Devices(device, devices_per_node, first_device)
        batching = Batching(batch_size, min_batch_size, min_batch_timeout)
        self._store(ml_model(self.name, name, backend, model, model_path, devices, batching, tag, inputs, outputs))

    @described_by(DEVICES)
    def add_function(
        self,
        name: str,
        function: Callable[..., Any] | str | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Store a Python function as TorchScript, as :meth:`add_ml_model` does with a model.

        The database stores its source, so the function must not use anything outside of it.

        :param name: the name that clients run it by, by ``run_script`` with its own name as well.
        :param function: the function, or its text.
        :raises EntityExistsError: a model or script has this name already.
        :raises InputTypeError: it is neither a function nor text, or another argument has another type.
        :raises InputValueError: it has no source, or is a lambda; there is no such device; a number is too small.
        :raises UnsupportedError: several devices are given where there can be only one.
        """
        from smartensemble.databases import uploads

        devices = uploads.Devices(device, devices_per_node, first_device)
        self._store(uploads.function(self.name, name, function, devices))

    @described_by(DEVICES)
    def add_script(
        self,
        name: str,
        script: str | None = None,
        script_path: str | PurePath | None = None,
        device: str = "CPU",
        devices_per_node: int = 1,
        first_device: int = 0,
    ) -> None:
        """Store functions in TorchScript, as :meth:`add_ml_model` does with a model.

        :param name: the name that clients run them by.
        :param script: their text; or
        :param script_path: the file with it, which is read now.
        :raises MissingFileError: there is no such file.
        :raises AccessError: the file cannot be read, or is no file.
        :raises EntityExistsError: a model or script has this name already.
        :raises InputTypeError: an argument has another type.
        :raises InputValueError: the script is empty, given twice or no text; there is no such device; a number is too small.
        :raises UnsupportedError: several devices are given where there can be only one.
        """
        from smartensemble.databases import uploads

        devices = uploads.Devices(device, devices_per_node, first_device)
        self._store(uploads.script(self.name, name, script, script_path, devices))


@public
class ModelSharing(Entity):
    """What only a model can have: a database of its own."""

    __slots__ = ("_colocated",)
    _colocated: "Colocated | None"

    @described_by(COLOCATED)
    def colocate_db_uds(
        self,
        unix_socket: str | PurePath | None = None,
        socket_permissions: int = 700,
        db_cpus: int = 1,
        custom_pinning: Iterable[int] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        *,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
        confine: bool = True,
    ) -> None:
        """Give it a database of its own, on its host, that it reaches by a unix socket. It begins and ends with the model.

        :param unix_socket: its path; by default one that no other has, in a directory that only you can enter.
        :param socket_permissions: who may connect: three octal digits, as ``chmod`` takes them.
        """
        from smartensemble.databases import colocated
        from smartensemble.databases.worker_options import worker_options

        self._colocated = colocated.Colocated(
            colocated.checked_identifier(db_identifier),
            pinning=colocated.pinned_cpus(self.name, custom_pinning),
            conf=colocated.configured(db_cpus, debug),
            server=None if server is None else find_program(server, "server"),
            worker_options=worker_options(self.name, workers, intra_op_threads, model_time_limit, confine),
            socket=None if unix_socket is None else colocated.checked_socket(self.name, unix_socket),
            permissions=colocated.checked_permissions(self.name, socket_permissions),
        )

    @described_by(COLOCATED)
    def colocate_db_tcp(
        self,
        port: int | None = None,
        ifname: str = "lo",
        db_cpus: int = 1,
        custom_pinning: Iterable[int] | None = None,
        debug: bool = False,
        db_identifier: str = "",
        *,
        server: str | PurePath | None = None,
        workers: int = 1,
        intra_op_threads: int = 1,
        model_time_limit: Duration = 300.0,
        confine: bool = True,
    ) -> None:
        """Give it a database of its own, on its host, that it reaches by a port, as does every user of that host.

        :param port: its port; by default a free one is chosen when the model starts.
        :param ifname: the network interface that it listens on.
        """
        from smartensemble.databases import colocated
        from smartensemble.databases.shard import checked_port
        from smartensemble.databases.worker_options import worker_options

        self._colocated = colocated.Colocated(
            colocated.checked_identifier(db_identifier),
            pinning=colocated.pinned_cpus(self.name, custom_pinning),
            conf=colocated.configured(db_cpus, debug),
            server=None if server is None else find_program(server, "server"),
            worker_options=worker_options(self.name, workers, intra_op_threads, model_time_limit, confine),
            tcp=True,
            port=None if port is None else checked_port(self.name, port),
            interface=word(f"{self.name}: ifname", ifname),
        )

    colocate_db = colocate_db_tcp

    @property
    def colocated(self) -> bool:
        """True if it has a database of its own."""
        return self._colocated is not None

    @property
    def colocated_database(self) -> "Colocated | None":
        """The options of its own database; None if it has none."""
        return self._colocated


def own_sharing(entity: Entity) -> Sharing:
    """What `entity` shares by its own settings, without those of its ensemble."""
    return entity._sharing


def check_incoming(name: str, known: Iterable[Producer], producer: object) -> None:
    """An error, unless `producer` may be registered beside those that are known."""
    if not isinstance(producer, Entity):
        raise InputTypeError(f"{name}: {shown(producer)} is neither a Model nor an Ensemble; register who writes the data")
    read = {prefix for each in known for prefix in each.key_prefixes}
    if twice := read.intersection(producer.key_prefixes):
        raise EntityExistsError(f"{name}: reads from {min(twice)!r} already; register each once")
