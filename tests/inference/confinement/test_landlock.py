"""What Landlock gets is laid out as in linux/landlock.h, and no version gets a right that it does not know."""

import errno

import pytest

from smartensemble.inference.confinement import landlock


@pytest.mark.parametrize(
    ("version", "size", "files", "network", "scopes"),
    [
        (1, 8, 0x1FFF, None, None),  # linux 5.13: up to LANDLOCK_ACCESS_FS_MAKE_SYM
        (2, 8, 0x3FFF, None, None),  # 5.19: _REFER
        (3, 8, 0x7FFF, None, None),  # 6.2: _TRUNCATE
        (4, 16, 0x7FFF, 0x3, None),  # 6.7: TCP
        (5, 16, 0xFFFF, 0x3, None),  # 6.10: _IOCTL_DEV
        (6, 24, 0xFFFF, 0x3, 0x3),  # 6.12: signals, and abstract unix sockets
        (7, 24, 0xFFFF, 0x3, 0x3),
        (99, 24, 0xFFFF, 0x3, 0x3),
    ],
)
def test_a_version_refuses_what_it_knows(version: int, size: int, files: int, network: int | None, scopes: int | None) -> None:
    attributes = landlock.handled(version)
    numbers = [int.from_bytes(attributes[at : at + 8], "little") for at in range(0, size, 8)]

    assert len(attributes) == size
    assert numbers == [number for number in (files, network, scopes) if number is not None]


@pytest.mark.parametrize(
    ("rights", "version", "directory", "expected"),
    [
        (landlock.READ, 1, True, 0b1100),
        (landlock.READ, 1, False, 0b0100),  # a file is in no list
        (landlock.USE, 7, False, 0b110 | 1 << 15),
        (landlock.USE, 4, False, 0b110),
        (landlock.CHANGE, 1, True, 0x1BE),
        (landlock.CHANGE, 2, True, 0x21BE),
        (landlock.CHANGE, 3, True, 0x61BE),
    ],
)
def test_a_rule_has_the_rights_that_a_version_knows(rights: int, version: int, directory: bool, expected: int) -> None:
    packed = landlock.rule(rights, version, directory, 5)

    assert len(packed) == 12
    assert packed == expected.to_bytes(8, "little") + (5).to_bytes(4, "little")


def test_no_rule_lets_run_a_program_or_make_sockets_devices_and_links() -> None:
    for rights in (landlock.READ, landlock.CHANGE, landlock.USE):
        assert not rights & (landlock.EXECUTE | 0b1111001 << 6)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSYS, "this kernel has no Landlock"),
        (errno.EOPNOTSUPP, "lsm="),
        (errno.EPERM, "refused here (Operation not permitted), perhaps by a container"),
    ],
)
def test_a_kernel_without_it_says_why(number: int, expected: str) -> None:
    assert expected in landlock.reason(number)
