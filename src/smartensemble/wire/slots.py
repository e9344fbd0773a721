"""The slots that a sharded database divides all keys into: which slot a key has, and which keys a slot has.

See the `specification <https://valkey.io/topics/cluster-spec/>`_ of clusters.
"""

from binascii import crc_hqx

SLOTS = 16384


def hash_tag(key: bytes) -> bytes:
    """The part of a key that decides about its slot: what the first braces hold, or all of it.

    >>> hash_tag(b"{run.1}.rho"), hash_tag(b"rho"), hash_tag(b"{}.rho")
    (b'run.1', b'rho', b'{}.rho')
    """
    begin = key.find(b"{")
    end = key.find(b"}", begin + 1)
    return key[begin + 1 : end] if 0 <= begin < end - 1 else key


def slot_of(key: bytes) -> int:
    """The slot of a key.

    >>> slot_of(b"rho"), slot_of(b"{rho}.meta"), slot_of(b"")
    (10658, 10658, 0)
    """
    return crc_hqx(hash_tag(key), 0) % SLOTS


def slot_tag(slot: int) -> bytes:
    r"""The hash tag of a slot: the part between braces in a key of that slot. SmartRedis has the same; it can be any bytes.

    >>> slot_tag(0), slot_tag(5461), slot_tag(10922)
    (b'\x00\x00', b'8M', b'p\x9a')
    """
    value, bits = slot, 0
    while bits < 16 or {*b"{}"} & {*_tag_bytes(value, bits)}:  # longer, rather than with a brace
        if value >> bits & 1:
            value ^= 0x11021 << bits  # a multiple of the polynomial of CRC-16/XMODEM, which leaves the checksum as it is
        bits += 1
    return _tag_bytes(value, bits)


def _tag_bytes(value: int, bits: int) -> bytes:
    return (value >> 16).to_bytes((bits + 7) // 8, "big")
