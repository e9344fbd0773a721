"""Write a member's directory: whole, or not at all."""

import csv
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from smartensemble.ensemble import Ensemble
from smartensemble.errors import DirectoryExistsError, InputValueError, StateError
from smartensemble.files.layout import links
from smartensemble.model import Model, argument_names, attached, columns, set_generated
from smartensemble.results import notes
from smartensemble.runtime.input_files import Renderer, TagOptions
from smartensemble.runtime.member_record import RECORD, origin, write_record
from smartensemble.runtime.own_files import INDEX, OUTPUTS, check_index, check_leftovers, is_leftover
from smartensemble.runtime.ownership import Grounds

logger = notes.logger(__name__)


def check(models: Sequence[Model], options: TagOptions) -> Renderer:
    """An error, unless all of `models` can be generated. Nothing is written."""
    for model in models:
        if model.run.status.active:
            raise StateError(f"{model.name}: is running; wait for it or stop it before you generate it again")
        if around := [source for source in attached(model).to_copy if model.path.startswith(f"{source}/")]:
            raise InputValueError(
                f"{model.name}: to_copy: {around[0]} holds the directory {model.path} itself; copy what is in it"
            )
    for files in dict.fromkeys(attached(model) for model in models):
        if made := links(next(model.name for model in models if attached(model) == files), files):
            _check_output(made, [model for model in models if attached(model) == files])
    renderer = Renderer(options)
    # Models with the same files, parameters and arguments pass or fail together.
    for model in {(attached(model), tuple(model.params), argument_names(model)): model for model in models}.values():
        renderer.check(model)
    return renderer


def _check_output(links: Collection[str], models: Iterable[Model]) -> None:
    """An error, if what `models` write in their directories would go through one of `links`, into a file elsewhere."""
    for model in models:
        if through := [name for suffix in OUTPUTS if (name := f"{model.name}.{suffix}") in links]:
            raise InputValueError(
                f"{model.name}: {through[0]!r} is attached as a link, and the run writes a file of that name; rename the link"
            )


def check_absent(models: Iterable[Model], grounds: Callable[[], Grounds]) -> None:
    """An error, if a directory of `models` is there."""
    if there := [model for model in models if os.path.lexists(model.path)]:
        if why := grounds().refusal(there[0]):
            raise DirectoryExistsError(f"{there[0].path}: {why}")
        more = f" and {len(there) - 1} more" * (len(there) > 1)
        raise DirectoryExistsError(f"{there[0].path}{more}: there already; pass overwrite=True to replace it")


def check_beside(models: Iterable[Model]) -> None:
    """An error, if what is to be written beside the directories of `models` would replace what is not ours."""
    homes: dict[str, list[str]] = {}
    ensembles: dict[Ensemble, None] = {}
    for model in models:
        homes.setdefault(os.path.dirname(model.path), []).append(model.path)
        if isinstance(model.ensemble, Ensemble):
            ensembles[model.ensemble] = None
    for home, paths in homes.items():
        if os.path.isdir(home):
            check_leftovers(each for path in paths for each in _beside(path))
    for ensemble in ensembles:
        check_leftovers(_beside(os.path.join(ensemble.path, INDEX)))
        check_index(ensemble)


class Writer:
    """Writes the directories and indexes of one start or generate, and can undo that until it is done.

    Whoever makes one has checked that everything that it replaces is ours.
    """

    def __init__(self, renderer: Renderer, experiment: str, overwrite: bool = False) -> None:
        """A writer for the experiment in the directory `experiment`; with `overwrite` it replaces directories."""
        self._renderer = renderer
        self._experiment = experiment
        self._overwrite = overwrite
        self._origins: dict[str, dict[str, object]] = {}
        self._made: list[str] = []  #: directories of ensembles
        self._models: list[Model] = []
        self._replaced: set[str] = set()  #: directories of models that were there before
        #: Files beside the members' directories, and whether one that was there before is kept.
        self._files: list[tuple[str, bool]] = []

    def write(self, model: Model) -> None:
        """Write the directory of `model` beside its place, then move it there: it is whole, or not there."""
        ensemble = model.ensemble
        if isinstance(ensemble, Ensemble) and ensemble.path not in self._origins:
            self._origins[ensemble.path] = origin(ensemble)
            if not os.path.lexists(ensemble.path):
                self._made.append(ensemble.path)
        origin_of = {**(self._origins[ensemble.path] if ensemble else {}), "experiment": self._experiment}
        if _write(model, self._renderer, origin_of, self._overwrite):
            self._replaced.add(model.path)
        self._models.append(model)
        set_generated(model, True)

    def write_index(self, ensemble: Ensemble) -> None:
        """Write ``members.csv``: which member has which parameters, and where."""
        path = os.path.join(ensemble.path, INDEX)
        self.will_write(path)
        with suppress(OSError):  # there is none; readers have it until the new one is whole
            os.link(_beside(path)[1], path)
        _write_index(ensemble, path)

    def will_write(self, path: str) -> None:
        """Keep the file `path` as it is now, or have it removed, if the act is taken back."""
        old = _beside(path)[1]
        _remove_leftover(old)
        if there := os.path.isfile(path):
            os.rename(path, old)
        self._files.append((path, there))

    def take_back(self, keep: Callable[[Model], bool] = lambda _: False) -> None:
        """Restore the earlier directories, except those of models to keep."""
        kept: set[str] = set()
        problems: list[OSError] = []  # what cannot be put back keeps nothing else from it
        for model in reversed(self._models):
            if keep(model):
                kept |= {model.path, os.path.dirname(model.path)}
                continue
            with _noted(problems):
                remove(model.path)
                if model.path in self._replaced:
                    os.rename(_beside(model.path)[1], model.path)
            set_generated(model, False)
        for path, there in self._files:
            with _noted(problems):
                new, old = _beside(path)
                remove(new)
                if os.path.dirname(path) in kept:
                    remove(old)
                elif there:
                    os.replace(old, path)
                else:
                    remove(path)
        for path in self._made:
            with suppress(OSError):  # somebody has put something into it
                os.rmdir(path)
        self._models, self._files = [], []
        if problems:
            raise problems[0]

    def done(self) -> None:
        """Delete the replaced directories, and anything that a killed driver left. What was written counts in any case."""
        for path in [*(model.path for model in self._models), *(path for path, _ in self._files)]:
            old = _beside(path)[1]
            try:
                if os.path.lexists(old) and is_leftover(old):
                    remove(old)
            except OSError as error:
                logger.warning("%s: cannot be deleted: %s; delete it yourself", old, error.strerror)


@contextmanager
def _noted(problems: list[OSError]) -> Iterator[None]:
    """Go on after an error of the system, which is added to `problems`."""
    try:
        yield
    except OSError as error:
        problems.append(error)


def _beside(path: str) -> tuple[str, str]:
    """Where a directory or file is made, and where the one that it replaces is kept meanwhile."""
    home, name = os.path.split(path)
    return f"{home}/.{name}.new", f"{home}/.{name}.old"


def _write(model: Model, renderer: Renderer, origin: dict[str, object], overwrite: bool) -> bool:
    """Write the directory of `model`, and keep an existing one aside. True if there was one."""
    path = model.path
    new, old = _beside(path)
    _make(new)
    try:
        write_record(new, model, origin)  # first, so what a killed driver leaves is known to be ours
        _fill(new, model, renderer)
        replaces = os.path.lexists(path)
        if replaces and not overwrite:
            raise DirectoryExistsError(f"{path}: was made by somebody else just now; pass overwrite=True to replace it")
        if replaces:
            _remove_leftover(old)
            os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            if replaces:
                os.rename(old, path)
            raise
    except BaseException:
        remove(new)
        raise
    return replaces


def _make(directory: str) -> None:
    """Make an empty directory."""
    try:
        os.mkdir(directory)
    except FileNotFoundError:  # the first member makes its ensemble's directory
        os.makedirs(directory)
    except FileExistsError:
        _remove_leftover(directory)
        os.mkdir(directory)


def _remove_leftover(path: str) -> None:
    """Delete what a killed driver left at `path`, if there is something.

    :raises DirectoryExistsError: it is somebody's own.
    """
    check_leftovers([path])
    remove(path)


def _fill(directory: str, model: Model, renderer: Renderer) -> None:
    """Copy, link, configure; what is configured replaces what was copied."""
    for source in attached(model).to_copy:
        if os.path.isdir(source):
            ignore = partial(_record_of, source)
            shutil.copytree(source, directory, symlinks=True, dirs_exist_ok=True, ignore=ignore)
            for root, _, _ in os.walk(directory):  # a read-only one brought its mode, and could never be replaced
                os.chmod(root, stat.S_IMODE(os.stat(root).st_mode) | stat.S_IRWXU)
        else:
            shutil.copy(source, f"{directory}/{os.path.basename(source)}")
    for source in attached(model).to_symlink:
        os.symlink(source, f"{directory}/{os.path.basename(source)}")
    for target, source in renderer.copied(model):
        _copy(source, f"{directory}/{target}")
    for target, content, mode in renderer.files(model):
        path = f"{directory}/{target}"
        if os.sep in target:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        remove(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != mode:  # the mask took something away; else it is a call saved
                os.fchmod(file.fileno(), mode)


def _record_of(source: str, directory: str, _: object) -> Iterable[str]:
    """What is not copied: the record of the member whose directory is copied."""
    return (RECORD,) if directory == source else ()


def _copy(source: str, path: str) -> None:
    """Copy what has no tags in a directory that is configured, as to_copy does."""
    if os.path.isdir(source) and not os.path.islink(source):
        os.makedirs(path, exist_ok=True)
        return
    remove(path)
    shutil.copy(source, path, follow_symlinks=os.path.isfile(source))


def remove(path: str) -> None:
    """Delete a file, a link or a directory, if it is there."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        try:
            shutil.rmtree(path)
        except PermissionError:  # it is ours, with a directory that a program made read-only
            _make_writable(path)
            shutil.rmtree(path)
    else:
        os.unlink(path)


def _make_writable(directory: str) -> None:
    """Let what is in a directory, and in those inside, be deleted."""
    os.chmod(directory, stat.S_IMODE(os.stat(directory).st_mode) | stat.S_IRWXU)
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _make_writable(entry.path)


def _write_index(ensemble: Ensemble, path: str) -> None:
    rows = [columns(member) | {"replica": member.replica, "path": member.path} for member in ensemble]
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in ("replica", "path")]
    replicas = ["replica"] if any(member.replica for member in ensemble) else []
    new, _ = _beside(path)
    os.makedirs(ensemble.path, exist_ok=True)
    with open(new, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, [*names, *replicas, "path"], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(new, path)
