"""The files that were attached to a model, by SmartSim's names for the ways in which its directory gets them."""

from collections.abc import Callable

from tabulate import tabulate

from smartensemble.compat.followed import FollowedList
from smartensemble.compat.missing import Missing
from smartensemble.files.attach import Files, Paths, attach


class EntityFiles:
    """Files to configure (`tagged`), to copy and to link to. A change is followed by the model that has them.

    >>> EntityFiles(copy="no-such-file")
    Traceback (most recent call last):
    smartensemble.errors.MissingFileError: EntityFiles: to_copy: no file ...no-such-file; give the path of one that is there
    """

    def __init__(self, tagged: Paths = None, copy: Paths = None, symlink: Paths = None) -> None:
        """Files that exist: paths, or one path, for each way.

        :raises MissingFileError: a file that is not there.
        """
        self._follow: Callable[[Files], None] | None = None
        self._files = attach("EntityFiles", copy, symlink, tagged)

    @property
    def tagged(self) -> list[str]:
        """The files whose tags are filled."""
        return FollowedList(self._files.to_configure, lambda paths: self._set(to_configure=paths))

    @tagged.setter
    def tagged(self, paths: Paths) -> None:
        self._set(to_configure=paths)

    @property
    def copy(self) -> list[str]:
        """The files and directories that are copied."""
        return FollowedList(self._files.to_copy, lambda paths: self._set(to_copy=paths))

    @copy.setter
    def copy(self, paths: Paths) -> None:
        self._set(to_copy=paths)

    @property
    def link(self) -> list[str]:
        """The files and directories that are linked to."""
        return FollowedList(self._files.to_symlink, lambda paths: self._set(to_symlink=paths))

    @link.setter
    def link(self, paths: Paths) -> None:
        self._set(to_symlink=paths)

    def _set(self, **changed: Paths) -> None:
        self._files = attach("EntityFiles", **(vars(self._files) | changed))
        if self._follow is not None:
            self._follow(self._files)

    def __str__(self) -> str:
        rows = [["Copy", self.copy], ["Symlink", self.link], ["Configure", self.tagged]]
        cells = [[word, "\n".join(paths)] for word, paths in rows if paths]
        return tabulate(cells, ["Strategy", "Files"], "grid") if cells else "No file attached to this entity."


def files_of(files: Files, follow: Callable[[Files], None]) -> EntityFiles:
    """`files` by SmartSim's names; `follow` receives them after a change."""
    made = EntityFiles()
    made._files, made._follow = files, follow
    return made


class TaggedFilesHierarchy(Missing):
    """The tree of the files that are configured, which `generate` has no need of."""
