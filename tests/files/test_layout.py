"""What is attached is merged in a member's directory, and nothing is written through a link into a user's file."""

import os
from pathlib import Path

import pytest

from smartensemble.errors import InputValueError
from smartensemble.experiment import Experiment
from smartensemble.files.attach import attach
from smartensemble.files.layout import links

LINKS = {"one/a": "../precious/a", "one/sub": "../precious", "plain/dangling": "nowhere"}
FILES = ("precious/a", "two/a", "two/sub/a", "a", "sub", "plain/a", "plain/sub/b", "m.out", "wrong/params.json")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directories with the same names in them, as files and as links."""
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    for name, target in LINKS.items():
        Path(name).parent.mkdir(exist_ok=True)
        os.symlink(target, name)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"to_copy": ["plain", "a", "two"]}, {"dangling"}),
        ({"to_copy": "two", "to_configure": "two"}, set()),
        ({"to_copy": "one"}, {"a", "sub"}),
        ({"to_copy": "one", "to_configure": "a"}, {"sub"}),
        ({"to_symlink": ["a", "plain"]}, {"a", "plain"}),
        ({"to_copy": "wrong"}, set()),
    ],
)
def test_what_is_attached_is_merged(given: dict[str, list[str]], found: set[str]) -> None:
    assert links("m", attach("m", **given)) == found


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"to_copy": ["one", "a"]}, "a"),
        ({"to_copy": ["one", "two"]}, "sub"),
        ({"to_copy": ["one"], "to_symlink": "sub"}, "sub"),
        ({"to_copy": ["a", "one"]}, "a"),
        ({"to_copy": ["plain", "sub"]}, "sub"),
        ({"to_symlink": "plain/sub", "to_configure": "plain"}, "sub"),
        ({"to_symlink": "plain/sub", "to_configure": "two"}, "sub"),
        ({"to_copy": "sub", "to_configure": "plain"}, "sub"),
    ],
)
def test_nothing_is_written_through_a_link(given: dict[str, list[str]], name: str) -> None:
    with pytest.raises(
        InputValueError, match=f"m: to_.*: .* would be written over '{name}', a .* that is attached too; attach one"
    ):
        links("m", attach("m", **given))


def test_the_record_is_nobodys_to_configure() -> None:
    with pytest.raises(InputValueError, match=r"wrong/params\.json: 'params\.json' is written by generate itself"):
        links("m", attach("m", to_configure="wrong"))


@pytest.mark.parametrize("given", [{"to_copy": ["one", "a"]}, {"to_symlink": "m.out"}, {"to_symlink": "m.sh"}])
def test_an_error_comes_before_anything_is_written(given: dict[str, list[str]]) -> None:
    Path("m.sh").write_text("mine")
    exp = Experiment("study")
    model = exp.create_model("m", exp.create_run_settings("true"))
    model.attach_generator_files(**given)

    for act in (exp.generate, exp.start):
        with pytest.raises(InputValueError):
            act(model)

    assert not os.path.exists("study")
    assert [Path(name).read_text() for name in FILES] == list(FILES)


def test_a_directory_to_configure_keeps_what_is_no_text_and_its_shape() -> None:
    Path("inputs/deep/empty").mkdir(parents=True)
    Path("inputs/in.txt").write_text("T = ;T;")
    Path("inputs/deep/mesh.bin").write_bytes(b"\0;T;\xff;P;")
    Path("inputs/deep/mesh.bin").chmod(0o640)
    os.symlink("../precious", "inputs/link")
    os.symlink("nowhere", "inputs/dangling")
    os.symlink("../a", "inputs/file")
    exp = Experiment("study")
    ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_configure="inputs")

    exp.generate(ens)

    for member in ens:
        made = Path(member.path)
        assert (made / "in.txt").read_text() == f"T = {member.params['T']}"
        assert (made / "deep/mesh.bin").read_bytes() == b"\0;T;\xff;P;"
        assert (made / "deep/mesh.bin").stat().st_mode & 0o777 == 0o640
        assert (made / "deep/empty").is_dir()
        assert [os.readlink(made / name) for name in ("link", "dangling")] == ["../precious", "nowhere"]
        assert ((made / "file").read_text(), (made / "file").is_symlink()) == ("a", False)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("given", ["inputs", "inputs/in.txt"])
def test_text_in_which_no_tag_is_found_is_an_error(encoding: str, given: str) -> None:
    Path("inputs").mkdir()
    Path("inputs/in.txt").write_bytes("\ufeffT = ;T;".encode(encoding))
    exp = Experiment("study")
    model = exp.create_model("m", exp.create_run_settings("true"), {"T": 1})
    model.attach_generator_files(to_configure=given)

    with pytest.raises(InputValueError, match=r"in\.txt: is text in UTF-16, in which no tag is found; save it in UTF-8"):
        exp.generate(model)
