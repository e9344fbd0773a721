"""What SmartSim has as plain attributes of models and ensembles is read and set here, and followed.

Tests ensemble, entity, entityList, files, model and strategies.
"""

import pickle
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.entity import Model
from smartensemble.compat.entity.files import EntityFiles
from smartensemble.compat.error import EntityExistsError
from smartensemble.compat.settings import BatchSettings, RunSettings
from smartensemble.compat.status import SmartSimStatus
from smartensemble.errors import InputTypeError, InputValueError, StateError
from smartensemble.results import no_effect
from smartensemble.settings.batch import portable_options


def test_files_are_read_by_smartsims_names_and_a_change_is_followed(theirs: Experiment, tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.txt", "b.txt", "c.txt")]
    for path in paths:
        Path(path).write_text("")
    model = theirs.create_model("model", RunSettings("true"))
    assert model.files is None

    model.attach_generator_files(to_copy=paths[0])
    assert model.files is not None
    model.files.link.append(paths[1])
    model.files.tagged = [paths[2]]
    theirs.generate(model)

    files = model.files
    assert (files.copy, files.link, files.tagged) == ([paths[0]], [paths[1]], [paths[2]])
    assert sorted(path.name for path in Path(model.path).iterdir()) == ["a.txt", "b.txt", "c.txt", "params.json"]


def test_files_of_another_model_are_taken_over_and_none_takes_them_away(theirs: Experiment, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    model = theirs.create_model("model", RunSettings("true"))

    model.files = EntityFiles(copy=[str(tmp_path / "a.txt")])
    assert "a.txt" in model.attached_files_table
    model.files = None
    assert model.attached_files_table == "No file attached to this model."
    with pytest.raises(InputTypeError, match=r"model: files are 'a\.txt'"):
        model.files = "a.txt"  # type: ignore[assignment]


def test_a_file_that_is_not_there_changes_nothing(theirs: Experiment, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    model = theirs.create_model("model", RunSettings("true"))
    model.attach_generator_files(to_copy=[str(tmp_path / "a.txt")])
    assert model.files
    copied = model.files.copy

    with pytest.raises(FileNotFoundError):
        copied.append("no-such-file")

    assert copied == model.files.copy == [str(tmp_path / "a.txt")]


def test_incoming_entities_are_entities_and_can_be_changed(theirs: Experiment) -> None:
    reader, writer, other = (theirs.create_model(name, RunSettings("true")) for name in ("reader", "writer", "other"))
    ens = theirs.create_ensemble("ens", replicas=2, run_settings=RunSettings("true"))
    reader.register_incoming_entity(writer)

    reader.incoming_entities.append(ens)
    assert reader.incoming_entities == [writer, ens]
    reader.incoming_entities = [other]

    assert reader.incoming_entities == [other]
    with pytest.raises(EntityExistsError, match="reads from 'other' already"):
        reader.incoming_entities.append(other)


def test_what_an_ensemble_reads_each_member_reads(theirs: Experiment) -> None:
    writer, other = (theirs.create_model(name, RunSettings("true")) for name in ("writer", "other"))
    ens = theirs.create_ensemble("ens", replicas=1, run_settings=RunSettings("true"))
    ens.register_incoming_entity(writer)

    ens.entities[0].incoming_entities.append(other)

    assert ens.entities[0].incoming_entities == [writer, other]
    ens.entities[0].incoming_entities = [writer]
    assert ens.entities[0].incoming_entities == [writer]


def test_arguments_are_set_and_changed(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("echo"), {"T": 1, "P": 2})

    model.params_as_args = ["T"]
    model.params_as_args.append("P")

    assert model.command.argv[1:] == ("-T", "1", "-P", "2")
    with pytest.raises(InputValueError, match="no values"):
        model.params_as_args.append("X")
    assert model.params_as_args == ["T", "P"]


def test_a_model_gets_another_name_and_a_member_of_an_ensemble_does_not(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("echo", "hello"))
    ens = theirs.create_ensemble("ens", replicas=1, run_settings=RunSettings("true"))

    model.name = "other"
    theirs.start(model)

    assert Path(model.path, "other.out").read_text() == "hello\n"
    with pytest.raises(StateError, match="ens_0: is a member of an ensemble"):
        ens.entities[0].name = "other"
    with pytest.raises(InputValueError, match="cannot name a directory"):
        model.name = "a/b"


def test_a_status_is_smartsims_wherever_it_is_read(theirs: Experiment) -> None:
    model = theirs.create_model("model", RunSettings("true"))
    assert model.status is SmartSimStatus.STATUS_NEVER_STARTED

    theirs.start(model)

    assert [model.status] == theirs.get_status(model) == [SmartSimStatus.STATUS_COMPLETED]


def test_an_attribute_of_the_drivers_own_stays_with_copies(theirs: Experiment) -> None:
    model: Any = theirs.create_model("model", RunSettings("true"))

    model.comment = "mine"

    for twin in (copy(model), deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (twin.comment, twin.name, type(twin)) == ("mine", "model", Model)


def test_copies_of_members_are_members_of_the_copy(theirs: Experiment) -> None:
    ens = theirs.create_ensemble("ens", {"T": [1, 2]}, run_settings=RunSettings("true"))

    for twin in (copy(ens), deepcopy(ens)):
        twin.entities[0].params = {"T": 3}
        assert [member.params["T"] for member in twin.entities] == ["3", "2"]
    assert [member.params["T"] for member in ens.entities] == ["1", "2"]


def test_the_list_of_entities_is_the_ensemble(theirs: Experiment) -> None:
    ens = theirs.create_ensemble("ens", replicas=3, run_settings=RunSettings("true"))
    first, second, third = ens.entities

    ens.entities.remove(second)
    ens.entities.append(theirs.create_model("extra", RunSettings("true")))
    ens.entities.reverse()

    assert [member.name for member in ens] == ["extra", "ens_2", "ens_0"]
    ens.entities = [third]
    assert (len(ens), ens["ens_2"], ens["ens_0"]) == (1, third, None)
    with pytest.raises(InputTypeError, match="is no Model"):
        ens.entities.append("ens_9")
    assert ens.entities == [third]
    assert first.name == "ens_0"


@pytest.mark.parametrize(("name", "value"), [("params", {"T": [3]}), ("params_as_args", ["T"]), ("replicas", 4)])
def test_what_comes_too_late_is_said(theirs: Experiment, name: str, value: object) -> None:
    ens = theirs.create_ensemble("ens", {"T": [1, 2]}, run_settings=RunSettings("true"))

    setattr(ens, name, value)

    assert getattr(ens, name) == value
    assert [line.split(" = ")[0] for line in no_effect.said()] == [f"ens: {name}"]


def test_the_parameters_of_an_ensemble_are_as_they_were_given(theirs: Experiment) -> None:
    ens = theirs.create_ensemble("ens", {"T": [1, 2], "P": "low"}, run_settings=RunSettings("true"), params_as_args=["T"])

    assert (ens.params, [*ens.params_as_args]) == ({"T": [1, 2], "P": "low"}, ["T"])


def test_a_case_directory_with_a_binary_file_is_configured(theirs: Experiment, tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "in.txt").write_text("T = ;T;")
    (tmp_path / "case" / "grid.bin").write_bytes(bytes(range(256)))
    model = theirs.create_model("model", RunSettings("true"), {"T": 3})

    model.attach_generator_files(to_configure=[str(tmp_path / "case")])
    theirs.generate(model)

    assert Path(model.path, "in.txt").read_text() == "T = 3"
    assert Path(model.path, "grid.bin").read_bytes() == bytes(range(256))


def test_directives_in_a_preamble_are_options_of_the_job() -> None:
    settings = BatchSettings(nodes=1)

    settings.add_preamble(["#SBATCH --constraint=gpu", "module load lammps"])

    assert portable_options(settings)["directives"] == ["#SBATCH --constraint=gpu"]
