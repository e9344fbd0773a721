"""SmartSim's containers: the image that a program runs in."""

import shutil
from collections.abc import Iterator
from typing import Any

from smartensemble.errors import InputTypeError, UnsupportedError, public, shown
from smartensemble.settings import container


@public
class Container:
    """An image that a program runs in. See :class:`Singularity`."""

    def __init__(
        self,
        image: str,
        args: str | list[str] = "",
        mount: str | list[str] | dict[str, str | None] = "",
        working_directory: str = "",
    ) -> None:
        """An image.

        :param image: its path, or where it is found.
        :param args: options of the program that runs it.
        :param mount: directories, or ``{"/outside": "/inside"}``.
        :param working_directory: the directory in the image that the program runs in.
        """
        self.image, self.args, self.mount, self.working_directory = image, args, mount, working_directory
        container.Singularity(image, args, mount, working_directory or None)  # what is wrong with them is an error now
        for name, value, kinds in (("args", args, (str, list)), ("mount", mount, (str, list, dict))):
            if not isinstance(value, kinds):
                raise InputTypeError(f"{name}: {shown(value)} is no text and no list; for example ['--nv']")

    def plain(self) -> container.Singularity:
        """The same as this package reads it."""
        raise UnsupportedError(f"{type(self).__name__}: nothing here runs it; give Singularity('image.sif')")


@public
class Singularity(Container):
    """An image to run a program in, by Singularity or Apptainer.

    >>> image = Singularity("lammps.sif", args=["--nv"], mount={"/scratch": "/data", "/opt": None})
    >>> image.image, image.args, image.mount
    ('lammps.sif', ['--nv'], {'/scratch': '/data', '/opt': None})
    """

    def plain(self) -> container.Singularity:
        """The same as this package reads it."""
        return container.Singularity(self.image, self.args, list(self._mounts()), self.working_directory or None)

    def _container_cmds(self, default_working_directory: str = "") -> list[str]:
        """The words before a program, as SmartSim gives them for a member in the directory `default_working_directory`."""
        home, mounts = self.working_directory or default_working_directory, ",".join(self._mounts())
        if home not in mounts:
            mounts = ",".join(filter(None, [home, mounts]))
        args = " ".join(self.args) if isinstance(self.args, list) else self.args
        words: dict[str, Any] = {"--pwd": home, "": args, "--bind": mounts}
        options = [word for name, value in words.items() if value for word in (name, value) if word]
        return [shutil.which("singularity") or "singularity", "exec", *options, self.image]

    def _mounts(self) -> Iterator[str]:
        """Each directory, as the option ``--bind`` has it."""
        if isinstance(self.mount, dict):
            yield from (f"{outside}:{inside}" if inside else outside for outside, inside in self.mount.items())
        else:
            yield from [self.mount] * bool(self.mount) if isinstance(self.mount, str) else self.mount
