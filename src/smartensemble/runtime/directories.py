"""Write a member's directory: whole, or not at all."""

import csv
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from smartensemble.ensemble import Ensemble
from smartensemble.errors import DirectoryExistsError, InputValueError, StateError
from smartensemble.model import Model, columns, set_generated
from smartensemble.runtime.input_files import Renderer, TagOptions
from smartensemble.version import __version__

RECORD = "params.json"  #: in each member's directory
INDEX = "members.csv"  #: in each ensemble's directory

logger = logging.getLogger(__name__)
_json = json.JSONEncoder(default=str, ensure_ascii=False).encode


def check(models: Sequence[Model], options: TagOptions, overwrite: bool) -> Renderer:
    """An error, unless all of `models` can be generated. Nothing is written."""
    for model in models:
        if model.run.status.active:
            raise StateError(f"{model.name}: is running; wait for it or stop it before you generate it again")
        if around := [source for source in model.files.to_copy if model.path.startswith(f"{source}/")]:
            raise InputValueError(
                f"{model.name}: to_copy: {around[0]} holds the directory {model.path} itself; copy what is in it"
            )
    if not overwrite:
        check_absent(models)
    renderer = Renderer(options)
    # Models with the same files, parameters and arguments pass or fail together.
    for model in {(model.files, tuple(model.params), model.params_as_args): model for model in models}.values():
        renderer.check(model)
    return renderer


def check_absent(models: Iterable[Model]) -> None:
    """An error, if a directory of `models` is there."""
    if there := [model.path for model in models if os.path.lexists(model.path)]:
        more = f" and {len(there) - 1} more" * (len(there) > 1)
        raise DirectoryExistsError(f"{there[0]}{more}: there already; pass overwrite=True to replace it")


class Writer:
    """Writes the directories and indexes of one start or generate, and can undo that until it is done."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
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
        if _write(model, self._renderer, self._origins[ensemble.path] if ensemble else {}):
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
        remove(old)
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
            try:
                remove(_beside(path)[1])
            except OSError as error:
                logger.warning("%s: cannot be deleted: %s; delete it yourself", _beside(path)[1], error.strerror)


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


def _write(model: Model, renderer: Renderer, origin: dict[str, object]) -> bool:
    """Write the directory of `model`, and keep an existing one aside. True if there was one."""
    path = model.path
    new, old = _beside(path)
    _make(new)
    try:
        _fill(new, model, renderer)
        lines = [f'  "{name}": {_json(value)}' for name, value in record(model, origin).items()]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        with open(f"{new}/{RECORD}", "wb") as file:
            # What is no Unicode, such as an old file name, is escaped the way that JSON escapes.
            file.write(text.encode(errors="backslashreplace"))
        replaces = os.path.lexists(path)
        if replaces:
            remove(old)
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
    except FileExistsError:  # what a killed driver may have left
        remove(directory)
        os.mkdir(directory)


def _fill(directory: str, model: Model, renderer: Renderer) -> None:
    """Copy, link, configure; what is configured replaces what was copied."""
    for source in model.files.to_copy:
        if os.path.isdir(source):
            shutil.copytree(source, directory, symlinks=True, dirs_exist_ok=True)
            for root, _, _ in os.walk(directory):  # a read-only one brought its mode, and could never be replaced
                os.chmod(root, stat.S_IMODE(os.stat(root).st_mode) | stat.S_IRWXU)
        else:
            shutil.copy(source, f"{directory}/{os.path.basename(source)}")
    for source in model.files.to_symlink:
        os.symlink(source, f"{directory}/{os.path.basename(source)}")
    for target, content, mode in renderer.files(model):
        path = f"{directory}/{target}"
        if os.sep in target:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        remove(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != mode:  # the mask took something away; else it is a call saved
                os.fchmod(file.fileno(), mode)


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


def record(model: Model, origin: dict[str, object]) -> dict[str, object]:
    """What ``params.json`` says of a member: its parameters, where they come from, how it is run, and by which versions."""
    return {
        "name": model.name,
        **origin,
        "replica": model.replica,
        "params": model.values,
        "command": list(model.command.argv),
        "versions": _versions(),
    }


def origin(ensemble: Ensemble) -> dict[str, object]:
    """Which ensemble, strategy and seed a member comes from."""
    strategy = ensemble.perm_strategy
    return {
        "ensemble": ensemble.name,
        "perm_strategy": strategy if isinstance(strategy, str) else getattr(strategy, "__name__", repr(strategy)),
        "seed": ensemble.seed,
    }


def is_there(model: Model) -> bool:
    """Whether the directory of `model` exists: made for the same parameters, or by somebody else.

    :raises StateError: it was made for other parameters.
    """
    if not os.path.isdir(model.path):
        return False
    before, params = recorded(model), json.loads(json.dumps(model.values, default=str))
    if before is not None and _text(before) != _text(params):
        then = ", ".join(f"{name}={value}" for name, value in before.items()) or "none"
        now = ", ".join(f"{name}={value}" for name, value in params.items()) or "none"
        raise StateError(
            f"{model.name}: {model.path} was generated for other parameters ({then}; now {now}); generate it, overwrite=True"
        )
    return True


def recorded(model: Model) -> dict[str, object] | None:
    """The parameters that the directory of `model` was generated with; None without a record."""
    try:
        params = json.loads(Path(model.path, RECORD).read_text(encoding="utf-8"))["params"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return params if isinstance(params, dict) else None


def _text(params: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items()}


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


def former_members(ensemble: Ensemble) -> list[str]:
    """The directories that an earlier ``generate`` of this ensemble made and that belong to no member now."""
    try:
        with open(os.path.join(ensemble.path, INDEX), newline="", encoding="utf-8", errors="surrogateescape") as file:
            names = [row.get("name") or "" for row in csv.DictReader(file)]
    except OSError:
        return []
    paths = [os.path.join(ensemble.path, name) for name in names if name and name not in ensemble]
    return [path for path in paths if os.path.isfile(os.path.join(path, RECORD))]


@cache
def _versions() -> dict[str, str]:
    from platform import python_version  # only when it is written down: 2 ms of each import

    return {"smartensemble": __version__, "python": python_version()}
