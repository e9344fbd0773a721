"""A container is checked when it is described, and wraps a program's command."""

from collections.abc import Callable

import pytest

from smartensemble import RunSettings, Singularity
from smartensemble.errors import InputTypeError
from smartensemble.settings.container import inside


@pytest.mark.parametrize(
    ("mount", "bind"),
    [
        ((), ()),
        ("/a", ("--bind", "/a")),
        (["/a", "/b"], ("--bind", "/a,/b")),
        ({"/a": "/x", "/b": None}, ("--bind", "/a:/x,/b")),
    ],
)
def test_directories_are_mounted_in_a_container_every_time(mount: list[str], bind: tuple[str, ...]) -> None:
    image = Singularity("a.sif", mount=iter(mount) if isinstance(mount, list) else mount)

    for _ in range(2):
        assert inside(image, ["lmp"])[1:] == ("exec", *bind, "a.sif", "lmp")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Singularity(1.5j),  # type: ignore[arg-type]
        lambda: Singularity("a.sif", args=1),  # type: ignore[arg-type]
        lambda: Singularity("a.sif", mount=1),  # type: ignore[arg-type]
        lambda: RunSettings("lmp", container="a.sif"),  # type: ignore[arg-type]
        lambda: RunSettings(None, container=Singularity("a.sif")),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_a_container_is_a_type_error_at_once(make: Callable[[], object]) -> None:
    with pytest.raises(InputTypeError, match=r"^(image|args|mount|container|exe): .*; (for example|give) "):
        make()
