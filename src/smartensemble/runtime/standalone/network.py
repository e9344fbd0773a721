"""Addresses of this host, directories for sockets, and a request to a server that listens somewhere."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import struct
import zlib

from .errors import CONNECT_TIMEOUT_S, LostError

Address = str | tuple[str, int]  #: the path of a unix socket, or a host and a port

MAX_SOCKET_BYTES = 100  #: bytes of a path that a socket may have: the kernel takes 107, and some clients less
SPEAKABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_-")  #: what clients take in it
IN_USE = "a server that lives listens at {}; give each member another unix_socket, or none"
SIOCGIFADDR = 0x8915  #: see netdevice(7)


def address_of(interface: str) -> str:
    """The address of a network interface of this host.

    :raises LostError: there is no such interface, or it has no address.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            known = ", ".join(name for _, name in socket.if_nameindex())
            raise LostError(f"no address of an interface {interface!r}; there are {known}") from None
    return socket.inet_ntoa(answer[20:24])


def free_port(host: str) -> int:
    """A port of `host` that nobody listens on, chosen by the kernel."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def claim(path: str) -> socket.socket | None:
    """A claim of a path, which lasts until it is closed; None if another process of this host has one.

    It is a socket without a file, whose name stands for the path. When its process ends, the kernel takes it back.
    """
    folder = os.stat(os.path.dirname(os.path.abspath(path)))
    held = socket.socket(socket.AF_UNIX)
    try:
        held.bind(f"\0smartensemble {folder.st_dev} {folder.st_ino} {zlib.crc32(os.path.basename(path).encode()):08x}")
    except OSError as error:
        held.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    return held


def socket_home() -> str:
    """Where to make a directory for a socket: here, if the path would be short, with characters that clients take."""
    here = f"{os.getcwd()}/.db-12345678/db"
    if len(here.encode()) <= MAX_SOCKET_BYTES and SPEAKABLE.issuperset(here):
        return os.getcwd()
    return os.environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108


def make_socket_directory() -> str:
    """A new directory for the socket of a server, which only its owner can enter."""
    while True:
        path = f"{socket_home()}/.db-{os.urandom(4).hex()}"
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:  # another one of the same draw
            continue
        return path


def remove_socket_directory(path: str) -> None:
    """Delete a directory with the sockets in it, if it exists and is ours."""
    try:
        for name in os.listdir(path):
            remove_socket(f"{path}/{name}")
        os.rmdir(path)
    except OSError:
        pass


def remove_socket(path: str) -> bool:
    """Delete the socket at `path`; False if something else is there, which may be a user's file."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return False
        os.unlink(path)
    except FileNotFoundError:
        pass
    return True


def url(address: Address) -> str:
    """An address as clients take it.

    >>> url("/run/db"), url(("127.0.0.1", 6379))
    ('unix:///run/db', '127.0.0.1:6379')
    """
    return f"unix://{address}" if isinstance(address, str) else "{}:{}".format(*address)


def url_of(user: str, address: Address) -> str:
    """An address as workers take it, who log in.

    >>> url_of("me", "/run/db"), url_of("me", ("127.0.0.1", 6379))
    ('unix://me@/run/db', 'redis://me@127.0.0.1:6379')
    """
    return f"unix://{user}@{address}" if isinstance(address, str) else "redis://{}@{}:{}".format(user, *address)


def connect(address: Address, timeout: float | None = CONNECT_TIMEOUT_S) -> socket.socket:
    """A connection to a server, which waits no longer than `timeout` seconds."""
    connection = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    try:
        connection.settimeout(timeout)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def request(address: Address, command: bytes) -> bytes:
    """The beginning of a server's reply to `command`, a line of words."""
    with connect(address) as connection:
        connection.sendall(command + b"\r\n")
        return connection.recv(4096)


def own_socket(path: str) -> socket.socket:
    """A claim of a path where a server may listen now; the socket that another one has left there is gone.

    :raises LostError: a living server listens there, or soon will; or it is no socket.
    """
    if (held := claim(path)) is None:
        raise LostError(IN_USE.format(path))
    if os.path.lexists(path):
        free_socket(path)
    return held


def free_socket(path: str) -> None:
    """Remove the socket of a server that has ended.

    :raises LostError: a living server listens there, or it is no socket.
    """
    try:
        request(path, b"PING")
    except ConnectionRefusedError:
        if remove_socket(path):
            return
        raise LostError(f"{path} is no socket, and nothing replaces it; give another unix_socket, or none") from None
    raise LostError(IN_USE.format(path))
