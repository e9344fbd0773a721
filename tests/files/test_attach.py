"""Files are found when they are attached, not when they are needed."""

import os
from pathlib import Path

import pytest

from smartensemble.errors import AccessError, InputTypeError, InputValueError, MissingFileError, SmartEnsembleError
from smartensemble.files.attach import Files, attach, check_readable
from worlds.strangers import NO_FILES


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two files, a directory and a name with everything in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("in.melt", "data", "é 'b\n", "tree/params.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, []),
        ([], []),
        ("in.melt", ["in.melt"]),
        (Path("in.melt"), ["in.melt"]),
        (["in.melt", Path("data")], ["in.melt", "data"]),
        (("data",), ["data"]),
        (iter(["data"]), ["data"]),
        ("./tree/../data", ["data"]),
        ("tree", ["tree"]),
        ("é 'b\n", ["é 'b\n"]),
    ],
)
def test_paths_are_one_or_several_and_become_absolute(home: Path, given: object, names: list[str]) -> None:
    files = attach("melt", to_copy=given)  # type: ignore[arg-type]

    assert files.to_copy == tuple(f"{home}/{name}" for name in names)


def test_each_kind_is_kept_apart_and_all_are_iterated(home: Path) -> None:
    files = attach("melt", "data", "tree", "in.melt")

    assert files == Files((f"{home}/data",), (f"{home}/tree",), (f"{home}/in.melt",))
    assert [os.path.basename(path) for path in files] == ["data", "tree", "in.melt"]


def test_a_later_change_of_directory_does_not_matter(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = attach("melt", "data")

    monkeypatch.chdir("tree")

    assert os.path.exists(files.to_copy[0])


@pytest.mark.parametrize("word", ["to_copy", "to_symlink", "to_configure"])
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("nope", MissingFileError, "{word}: no file {home}/nope; give the path of one that is there"),
        (["data", "nope"], MissingFileError, "{word}: no file {home}/nope; give the path of one that is there"),
        ("tree/params.json", InputValueError, "{word}: 'params.json' is written by generate itself; rename the file"),
        ("", InputValueError, "{word}: '' is no path; give the path of a file or directory"),
        ([""], InputValueError, "{word}: '' is no path; give the path of a file or directory"),
        (1, InputTypeError, "{word} is 1; give a path or a list of paths"),
        (False, InputTypeError, "{word} is False; give a path or a list of paths"),
        (b"data", InputTypeError, "{word} is b'data'; give a path or a list of paths"),
        ({"data": 1}, InputTypeError, "{word} is {{'data': 1}}; give a path or a list of paths"),
        ([1], InputTypeError, "{word}: 1 is no path; give text or a pathlib.Path"),
        ([None], InputTypeError, "{word}: None is no path; give text or a pathlib.Path"),
    ],
)
def test_what_cannot_be_attached_is_an_error_at_once(
    home: Path, word: str, given: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        attach("melt", **{word: given})  # type: ignore[arg-type]

    assert str(caught.value) == "melt: " + message.format(word=word, home=home)


@pytest.mark.parametrize("word", ["to_copy", "to_configure"])
def test_a_link_does_not_take_the_place_of_another_file(word: str) -> None:
    with pytest.raises(
        InputValueError, match=r"^melt: to_symlink: 'data' would take the place of another file; attach it once$"
    ):
        attach("melt", **{word: "data", "to_symlink": "data"})


def test_two_links_of_one_name_are_one_too_many(home: Path) -> None:
    (home / "tree" / "data").touch()

    with pytest.raises(InputValueError, match="'data' would take the place"):
        attach("melt", to_symlink=["data", "tree/data"])


def test_a_link_to_nothing_is_no_file(home: Path) -> None:
    (home / "link").symlink_to("gone")

    with pytest.raises(FileNotFoundError, match=r"no file .*/link"):
        attach("melt", to_symlink="link")


@pytest.mark.parametrize("argument", ["to_copy", "to_configure"])
@pytest.mark.parametrize("kind", sorted(NO_FILES.keys() - {"directory"}))
def test_what_has_no_end_is_not_attached(home: Path, argument: str, kind: str) -> None:
    """To read a FIFO waits until somebody writes, and a device may never end."""
    NO_FILES[kind](home / "it")

    with pytest.raises((AccessError, MissingFileError), match=rf"^melt: {argument}: .*{home}/it.*; (give|move)"):
        attach("melt", **{argument: "it"})


@pytest.mark.parametrize("kind", ["directory", "fifo", "socket", "device"])
def test_a_link_may_lead_to_anything(home: Path, kind: str) -> None:
    NO_FILES[kind](home / "it")

    assert attach("melt", to_symlink="it").to_symlink == (f"{home}/it",)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000, "data/x"])
def test_what_names_no_file_is_not_attached(name: str) -> None:
    with pytest.raises(SmartEnsembleError, match=r"^melt: to_copy: .*; (give|move)"):
        attach("melt", to_copy=name)


@pytest.mark.parametrize("argument", ["to_copy", "to_configure"])
@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_what_has_no_end_is_found_in_directories_too(home: Path, argument: str, kind: str) -> None:
    (home / "tree/sub").mkdir()
    NO_FILES[kind](home / "tree/sub/it")
    files = attach("melt", **{argument: "tree"})

    if kind == "device":  # it is a link, and stays one
        check_readable("melt", files)
        return
    with pytest.raises(AccessError, match=rf"^melt: {home}/tree/sub/it is a .*; give a file or a directory"):
        check_readable("melt", files)


@pytest.mark.parametrize("argument", ["to_copy", "to_configure", "to_symlink"])
def test_a_file_that_has_gone_since_is_an_error(home: Path, argument: str) -> None:
    files = attach("melt", **{argument: "data"})
    (home / "data").unlink()

    with pytest.raises(MissingFileError, match=rf"^melt: no file {home}/data; give the path of one that is there"):
        check_readable("melt", files)
