"""Only what carries our own record is replaced or removed, and nothing in which somebody works or something else lives.

Tests member_record and own_files.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.errors import DirectoryExistsError
from smartensemble.experiment import Experiment
from smartensemble.model import Model
from smartensemble.runtime.member_record import DamagedRecordError, Record, record_in
from smartensemble.runtime.ownership import Evidence, refusal
from smartensemble.settings.batch import BatchSettings
from smartensemble.settings.run import RunSettings

TRUE = RunSettings("true")
OURS = {"name": "m", "params": {}, "versions": {"smartensemble": "0"}}


def contents(directory: str | Path = ".") -> dict[str, bytes]:
    """Every file below a directory, and what is in it."""
    return {str(path): path.read_bytes() for path in sorted(Path(directory).rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (Evidence(record=Record("m", {})), ""),
        (Evidence(record=Record("m", {}, "ens")), ""),
        (Evidence(), "was not written by generate"),
        (Evidence(record=Record("n", {}, "ens")), "belongs to 'n' of 'ens'"),
        (Evidence(record=Record("m", {}, "other")), "belongs to 'm' of 'other'"),
        (Evidence(record=Record("m", {}, "ens", "/a"), stranger=True), "belongs to the experiment in /a"),
        (Evidence(link=True, record=Record("m", {})), "is a symbolic link"),
        (Evidence(place="your home directory", record=Record("m", {})), "is or holds your home directory"),
        (Evidence(entity="/a/b", record=Record("m", {})), "holds /a/b"),
        (Evidence(damaged="is empty"), "its params.json is empty"),
    ],
)
def test_a_directory_is_replaced_only_if_nothing_speaks_against_it(evidence: Evidence, why: str) -> None:
    answer = refusal("m", "ens", evidence)

    assert answer.startswith(why.partition("its")[0] if "its" in why else why)
    assert why in answer
    assert not why or "; " in answer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps(OURS), Record("m", {})),
        (json.dumps({"lr": 0.1}), None),
        (json.dumps({"params": {"lr": 0.1}}), None),
        (json.dumps([1, 2]), None),
        ("", "is damaged"),
        ("{}", "is empty"),
        ('{"name": "m", "par', "is damaged"),
        ("\0\0\0\0", "is damaged"),
        (json.dumps(OURS | {"params": 3}), "is damaged"),
        (json.dumps(OURS | {"name": 3}), "is damaged"),
    ],
)
def test_a_record_is_known_by_what_it_says(tmp_path: Path, text: str, found: Record | str | None) -> None:
    (tmp_path / "params.json").write_text(text)

    if isinstance(found, str):
        with pytest.raises(DamagedRecordError, match=found):
            record_in(str(tmp_path))
    else:
        assert record_in(str(tmp_path)) == found


# --- directories ------------------------------------------------------------------------------------------------------

PLACES: dict[str, Callable[[Experiment], str]] = {
    "the working directory": lambda _: ".",
    "its whole path": lambda _: os.getcwd(),
    "a parent of it": lambda _: "..",
    "the experiment's directory": lambda exp: exp.exp_path,
    "a way round": lambda _: "study/../study/../study",
    "an ensemble's directory": lambda exp: f"{exp.exp_path}/ens",
    "a parent of a model": lambda exp: f"{exp.exp_path}/nest",
    "another model's directory": lambda exp: f"{exp.exp_path}/nest/inner",
    "a link to the working directory": lambda _: "here",
    "a link to a model's directory": lambda _: "there",
    "below a link": lambda _: "here/study",
    "a user's own directory": lambda _: "mine",
    "with a file that has our record's name": lambda _: "mine/too",
    "a file": lambda _: "mine/data",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("started", [False, True])
def test_what_is_not_ours_is_not_replaced(exp: Experiment, place: str, started: bool) -> None:
    exp.generate(exp.create_ensemble("ens", replicas=2, run_settings=TRUE))
    exp.generate(exp.create_model("inner", TRUE, path="study/nest/inner"))
    for name, text in {"driver.py": "import smartensemble", "mine/data": "1", "mine/too/params.json": '{"params": {}}'}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    os.symlink(".", "here")
    os.symlink("study/nest/inner", "there")
    model = exp.create_model("m", TRUE, path=PLACES[place](exp))
    if started and os.path.isdir(model.path):
        exp.start(model, progress=False)
    before = contents()

    for overwrite in (True, False):
        with pytest.raises(DirectoryExistsError, match=r"; .*give m another path, or none$"):
            exp.generate(model, overwrite=overwrite)

    assert {path: text for path, text in contents().items() if path in before} == before


def test_the_directory_that_a_user_stands_in_is_not_replaced(exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    model, ens = exp.create_model("m", TRUE), exp.create_ensemble("ens", replicas=2, run_settings=TRUE)
    exp.generate(model, ens)
    for path, entity in ((model.path, model), (ens[1].path, ens), (ens[1].path, ens[1])):
        os.makedirs(f"{path}/below", exist_ok=True)
        monkeypatch.chdir(f"{path}/below")

        with pytest.raises(DirectoryExistsError, match="is or holds the working directory"):
            exp.generate(entity, overwrite=True)

        assert os.path.samefile(".", f"{path}/below")


def test_a_home_directory_with_our_record_is_not_replaced(exp: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    model = exp.create_model("m", TRUE)
    exp.generate(model)
    monkeypatch.setenv("HOME", model.path)

    with pytest.raises(DirectoryExistsError, match="your home directory"):
        exp.generate(model, overwrite=True)


def inside(exp: Experiment, path: str) -> None:
    """Something else in the directory of the model ``m``."""
    what = os.path.basename(path)
    if what == "generated":
        exp.generate(exp.create_model(what, TRUE, path=path))
    elif what == "ens":
        exp.generate(exp.create_ensemble(what, replicas=1, run_settings=TRUE, path=path))
    else:
        os.makedirs(path)
        if what == "started":
            exp.start(exp.create_model(what, TRUE, path=path), progress=False)
        elif what == "experiment":
            other = Experiment("other", path)
            other.start(other.create_model("x", TRUE), progress=False)
            shutil.rmtree(f"{path}/x")


@pytest.mark.parametrize("what", ["generated", "ens", "started", "experiment"])
@pytest.mark.parametrize("again", [False, True])
def test_a_directory_with_something_else_in_it_is_not_replaced(exp: Experiment, what: str, again: bool) -> None:
    model = exp.create_model("m", TRUE)
    exp.generate(model)
    inside(exp, f"{model.path}/{what}")
    before = contents(model.path)
    exp = Experiment("study") if again else exp  # another process knows of it by what is on the disk

    with pytest.raises(DirectoryExistsError, match=f"m: holds .*{'journal' if what == 'experiment' else what}"):
        exp.generate(exp.create_model("m", TRUE), overwrite=True)

    assert contents(model.path) == before


def test_a_model_that_is_only_described_keeps_its_directory(exp: Experiment) -> None:
    model = exp.create_model("m", TRUE)
    exp.generate(model)
    os.makedirs("study/m/inner")
    inner = exp.create_model("inner", TRUE, path="study/m/inner")

    with pytest.raises(DirectoryExistsError, match=f"m: holds {inner.path}"):
        exp.generate(model, overwrite=True)


def test_a_copy_of_a_members_directory_in_another_one_keeps_nothing(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=2, run_settings=TRUE)
    exp.generate(ens)
    model = exp.create_model("m", TRUE)
    model.attach_generator_files(to_copy=[ens.path, ens[0].path])

    exp.generate(model)
    exp.generate(model, overwrite=True)

    assert sorted(os.listdir(model.path)) == ["ens_0", "ens_1", "members.csv", "params.json"]
    assert record_in(model.path) == Record("m", {}, "", exp.exp_path, model.path)


def test_another_experiments_directory_is_not_replaced_and_a_moved_one_is(exp: Experiment, tmp_path: Path) -> None:
    exp.start(exp.create_model("m", TRUE), progress=False)
    other = Experiment("other")
    with pytest.raises(DirectoryExistsError, match=f"belongs to the experiment in {exp.exp_path}"):
        other.generate(other.create_model("m", TRUE, path="study/m"), overwrite=True)

    shutil.copytree("study", "copied")
    os.rename("study", "moved")
    for name in ("copied", "moved"):
        again = Experiment(name)
        again.generate(again.create_model("m", TRUE), overwrite=True)

    assert not Path("moved/m/m.out").exists()
    assert not Path("copied/m/m.out").exists()


def test_two_models_of_one_directory_do_not_replace_each_other(exp: Experiment) -> None:
    one, two = (exp.create_model(name, TRUE, path="shared") for name in ("one", "two"))
    exp.generate(one)

    with pytest.raises(DirectoryExistsError, match="'one'"):
        exp.generate(two, overwrite=True)

    assert record_in("shared") == Record("one", {}, "", exp.exp_path, os.path.abspath("shared"))


@pytest.mark.parametrize("argument", ["to_symlink", "to_configure"])
def test_a_directory_with_a_file_that_its_model_needs_is_not_replaced(exp: Experiment, argument: str) -> None:
    model = exp.create_model("m", TRUE)
    exp.generate(model)
    Path("study/m/mesh").write_text("mine")
    model.attach_generator_files(**{argument: "study/m/mesh"})

    with pytest.raises(DirectoryExistsError, match="mesh, which m needs"):
        exp.generate(model, overwrite=True)

    assert Path("study/m/mesh").read_text() == "mine"


def test_a_directory_is_filled_again_from_what_is_in_it(exp: Experiment) -> None:
    model = exp.create_model("m", TRUE)
    exp.generate(model)
    Path("study/m/restart").write_text("step 100")
    model.attach_generator_files(to_copy="study/m/restart")

    exp.generate(model, overwrite=True)

    assert Path("study/m/restart").read_text() == "step 100"


def test_a_directory_with_the_program_of_its_model_is_not_replaced(exp: Experiment) -> None:
    exp.generate(exp.create_model("m", TRUE))
    Path("study/m/a.out").write_text("#!/bin/sh\n")
    Path("study/m/a.out").chmod(0o755)

    with pytest.raises(DirectoryExistsError, match=r"a\.out, which m needs"):
        exp.generate(exp.create_model("m", RunSettings("study/m/a.out")), overwrite=True)


# --- ensembles --------------------------------------------------------------------------------------------------------


def test_members_below_the_working_directory_are_replaced_and_nothing_beside_them(exp: Experiment) -> None:
    Path("driver.py").write_text("mine")
    for _ in range(2):
        ens = exp.create_ensemble("ens", replicas=2, run_settings=TRUE, path=os.getcwd())
        exp.generate(ens, overwrite=True)
        Path(ens[0].path, "old").touch()

    assert Path("driver.py").read_text() == "mine"
    assert sorted(os.listdir()) == ["driver.py", "ens_0", "ens_1", "members.csv", "study"]


@pytest.mark.parametrize("text", ["name,email\nada,a@b\n", "name\n", "path,name\n", "\0\xff"])
def test_a_users_own_table_is_not_replaced(exp: Experiment, text: str) -> None:
    Path("members.csv").write_text(text)
    ens = exp.create_ensemble("ens", replicas=2, run_settings=TRUE, path=".")

    for act in (exp.generate, exp.start):
        with pytest.raises(DirectoryExistsError, match=r"members.csv: is there already, and not ours; move it away"):
            act(ens)

    assert contents() == {"members.csv": text.encode()}


def test_two_ensembles_of_one_directory_do_not_remove_each_others_members(exp: Experiment) -> None:
    one, two = (exp.create_ensemble(name, replicas=2, run_settings=TRUE, path="runs") for name in ("one", "two"))
    exp.generate(one)

    with pytest.raises(DirectoryExistsError, match="lists the members of 'one'; give two another path"):
        exp.generate(two, overwrite=True)

    assert sorted(os.listdir("runs")) == ["members.csv", "one_0", "one_1"]


def test_a_former_member_is_removed_only_from_below_its_ensemble(exp: Experiment) -> None:
    exp.generate(exp.create_model("other", TRUE))
    exp.generate(exp.create_ensemble("ens", replicas=2, run_settings=TRUE))
    with Path("study/ens/members.csv").open("a") as file:
        file.write(f"../other,{exp.exp_path}/other\n../ens/../other,x\n")

    exp.generate(exp.create_ensemble("ens", replicas=1, run_settings=TRUE), overwrite=True)

    assert sorted(os.listdir("study")) == ["ens", "journal", "other"]
    assert sorted(os.listdir("study/ens")) == ["ens_0", "members.csv"]


@pytest.mark.parametrize("suffix", ["new", "old"])
@pytest.mark.parametrize("place", ["study/.m.{}", "study/ens/.ens_0.{}", "study/ens/.members.csv.{}"])
def test_hidden_files_of_a_user_beside_a_directory_stay(exp: Experiment, suffix: str, place: str) -> None:
    model, ens = exp.create_model("m", TRUE), exp.create_ensemble("ens", replicas=1, run_settings=TRUE)
    exp.generate(model, ens)
    own = Path(place.format(suffix), "notes") if "csv" not in place else Path(place.format(suffix))
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    before = contents()

    with pytest.raises(DirectoryExistsError, match=r"is in the way of what is to be written, and not ours; move it away"):
        exp.generate(model, ens, overwrite=True)

    assert contents() == before


# --- files in a directory that is shared ------------------------------------------------------------------------------


def shared(exp: Experiment) -> list[Model]:
    """Models that run in the working directory."""
    batch = exp.create_model("b", TRUE, path=".", batch_settings=BatchSettings())
    own = exp.create_model("c", TRUE, path=".")
    own.colocate_db_uds()
    return [exp.create_model("m", TRUE, path="."), batch, own]


@pytest.mark.parametrize("name", ["m.out", "m.err", "b.sh", "b.batch.sh", "b.batch.out", "b.exit", "c.db.conf", "c.worker.err"])
def test_a_run_writes_over_no_file_of_the_users(exp: Experiment, name: str) -> None:
    Path(name).write_text("mine")
    (model,) = [model for model in shared(exp) if model.name == name[0]]

    with pytest.raises(
        DirectoryExistsError, match=f"{name}: is there already, and no run of this experiment wrote it; move it"
    ):
        exp.start(model, progress=False)

    assert contents() == {name: b"mine"}


def test_a_run_writes_over_no_file_that_a_link_leads_to(exp: Experiment) -> None:
    Path("precious").touch()
    os.symlink("precious", "m.out")

    with pytest.raises(DirectoryExistsError, match=r"m\.out: is there already"):
        exp.start(shared(exp)[0], progress=False)


def test_a_run_writes_over_what_an_earlier_one_wrote(exp: Experiment) -> None:
    for experiment in (exp, exp, Experiment("study")):
        for model in shared(experiment)[:2]:
            model.run_settings.exe, model.run_settings.exe_args = "/bin/echo", ["hello"]
            experiment.start(model, progress=False)

    assert Path("m.out").read_text() == Path("b.out").read_text() == "hello\n"


def test_the_script_of_a_batch_ensemble_writes_over_no_script_of_the_users(exp: Experiment) -> None:
    Path("run.sh").write_text("echo mine\n")
    ens = exp.create_ensemble("run", replicas=1, run_settings=TRUE, batch_settings=BatchSettings(), path=".")

    with pytest.raises(DirectoryExistsError, match=r"run\.sh: is there already"):
        exp.start(ens, progress=False)

    assert contents() == {"run.sh": b"echo mine\n"}
