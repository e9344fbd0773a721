"""An image that a program runs in."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from smartensemble.checks import empty
from smartensemble.errors import public
from smartensemble.settings.arguments import Arguments, arguments, text


@public
@dataclass(frozen=True)
class Singularity:
    """An image to run a program in, by Singularity or Apptainer.

    The command line follows their manuals; no test has run it, because the test machines have no engine.

    :param image: the image: a file, or an address that the engine knows.
    :param args: options of ``exec``.
    :param mount: directories that the program sees: one, a list, or ``{"/outside": "/inside"}``.
    :param working_directory: the directory inside in which the program starts; by default the engine's choice.
    :raises InputTypeError: an argument has another type.
    :raises InputValueError: an argument has a value that no program can receive.

    >>> image = Singularity("lammps.sif", mount={"/scratch": "/data"})
    >>> image.image, image.mount
    ('lammps.sif', ('/scratch:/data',))
    """

    image: str
    args: Arguments = ()
    mount: str | Iterable[str] | Mapping[str, str | None] = ()  #: directories, or ``{"/outside": "/inside"}``
    working_directory: str | None = None

    def __post_init__(self) -> None:
        """Check now what would otherwise fail when a member starts."""
        text("image", self.image)
        mount = self.mount
        if isinstance(mount, Mapping):
            pairs = ([text("mount", side) for side in pair if not empty(side)] for pair in mount.items())
            mount = [":".join(pair) for pair in pairs]
        object.__setattr__(self, "mount", tuple([mount] if isinstance(mount, str) else arguments("mount", mount)))
        object.__setattr__(self, "args", tuple(arguments("args", self.args)))


def inside(container: Singularity, argv: Iterable[str]) -> tuple[str, ...]:
    """`argv`, run inside the image.

    >>> inside(Singularity("lammps.sif", mount="/scratch"), ["lmp", "-in", "in.melt"])[1:]
    ('exec', '--bind', '/scratch', 'lammps.sif', 'lmp', '-in', 'in.melt')
    """
    program = shutil.which("singularity") or shutil.which("apptainer") or "singularity"
    binds = ("--bind", ",".join(container.mount)) if container.mount else ()
    pwd = ("--pwd", container.working_directory) if container.working_directory else ()
    return (program, "exec", *arguments("args", container.args), *binds, *pwd, container.image, *argv)
