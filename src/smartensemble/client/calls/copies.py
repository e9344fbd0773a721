"""Copies of a model or script: one on each server of a sharded database, and one for each of several GPUs."""

import re
from typing import TYPE_CHECKING

from smartensemble.checks import positive, whole
from smartensemble.client.arguments import integer, text
from smartensemble.client.keys import key_in
from smartensemble.errors import InputTypeError, InputValueError, shown

if TYPE_CHECKING:
    from smartensemble.client.database import Database

MAX_GPUS = 1000  #: of one machine, and far above what any has


def tags(database: "Database") -> list[bytes]:
    """The hash tags of the servers: an empty one if the database is not sharded."""
    return [server.tag for server in database.servers.each]


def first_copy(database: "Database", key: bytes) -> bytes:
    """The key of the copy of a model or script on the first server."""
    return key_in(tags(database)[0], key)


def copies(key: bytes, devices: tuple[str, ...]) -> list[bytes]:
    """The keys of a model or script that is stored for these devices, the last of which stands for all.

    >>> copies(b"net", ("GPU:1", "GPU:2", "GPU")), copies(b"net", ("CPU",))
    ([b'net.GPU:1', b'net.GPU:2', b'net'], [b'net'])
    """
    return [*(b"%s.%s" % (key, device.encode()) for device in devices[:-1]), key]


def copy_for(key: bytes, offset: int, first_gpu: int, num_gpus: int) -> bytes:
    """The key of the copy on the GPU whose turn it is.

    >>> [copy_for(b"net", rank, 1, 2) for rank in range(3)]
    [b'net.GPU:1', b'net.GPU:2', b'net.GPU:1']
    """
    devices = gpus(first_gpu, num_gpus)[:-1]
    return b"%s.%s" % (key, devices[integer("offset", offset) % len(devices)].encode())


def gpus(first_gpu: int, num_gpus: int) -> tuple[str, ...]:
    """The devices of a model or script for several GPUs; the last stands for all.

    >>> gpus(1, 2)
    ('GPU:1', 'GPU:2', 'GPU')
    """
    first, count = whole("first_gpu", first_gpu), positive("num_gpus", num_gpus)
    if first + count > MAX_GPUS:
        raise InputValueError(f"num_gpus: {shown(count)} from {shown(first)} on are more than {MAX_GPUS}; give fewer")
    return (*(f"GPU:{number}" for number in range(first, first + count)), "GPU")


def delete(database: "Database", command: str, key: bytes, devices: tuple[str, ...] = ("",)) -> None:
    """Delete a model or script on each server: those of `devices` that are there, and in the end the one that must be."""
    *others, last = copies(key, devices)
    for tag in tags(database):
        for each in (key_in(tag, other) for other in others):
            if database.call(each, "EXISTS", each):
                database.call(each, command, each)
    database.call_many([(each := key_in(tag, last), (command, each)) for tag in tags(database)])


def device_name(device: object) -> str:
    """A device, as the database has it.

    >>> device_name("gpu:1")
    'GPU:1'
    """
    known = text("device", device).upper()
    if not re.fullmatch(r"CPU|GPU(:[0-9]{1,5})?", known, re.ASCII):
        raise InputTypeError(f"device: {shown(device)} is none; there are CPU, GPU, GPU:0, GPU:1, ...")
    return known
