"""Where SmartSim loses what was said or computed, its drivers get an error that says so, or what was meant.

Tests entity and experiment.
"""

import csv
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.compat import Experiment
from smartensemble.compat.entity import Ensemble, Model
from smartensemble.compat.error import SmartSimError, SSUnsupportedError
from smartensemble.compat.settings import RunSettings
from smartensemble.compat.status import SmartSimStatus


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.chdir(tmp_path)
    return Experiment("study")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"params": {"T": [1]}, "replica": 2},
            TypeError,
            "Experiment.create_ensemble: no argument 'replica'; did you mean 'replicas'? There are name, params, "
            "batch_settings, run_settings, replicas, perm_strategy, path, params_as_args, n_models, seed",
        ),
        (
            {"params": {"T": [1, 2, 3], "P": [4, 5]}, "perm_strategy": "step"},
            ValueError,
            "step: 'T' has 3 values and 'P' has 2; give lists of one length, or one value alone",
        ),
        (
            {"params": {"T": []}},
            ValueError,
            "e: params['T'] is an empty list, which makes no members; give at least one value",
        ),
        (
            {"params": {"T": [1, 2]}, "perm_strategy": "random"},
            ValueError,
            "e: perm_strategy='random' without a count; give replicas=, the number of samples",
        ),
        (
            {"params": {"T": [1, 2]}, "n_models": 2},
            ValueError,
            "e: n_models=2 with perm_strategy='all_perm', which makes as many as there are; it counts for 'random'",
        ),
        (
            {"params": {"T": [1, 2]}, "perm_strategy": "stepp"},
            SSUnsupportedError,
            "perm_strategy: no strategy 'stepp'; did you mean 'step'? There are all_perm, step, random, latin_hypercube, "
            "sobol, or any callable",
        ),
    ],
    ids=["misspelt", "lengths", "empty", "no count", "count", "strategy"],
)
def test_what_was_dropped_is_an_error(
    arguments: dict[str, object], error: type[Exception], message: str, study: Experiment
) -> None:
    with pytest.raises(error) as caught:
        study.create_ensemble("e", run_settings=RunSettings("true"), **arguments)

    assert str(caught.value) == message
    assert isinstance(caught.value, SmartSimError)


def test_the_class_answers_a_misspelt_argument_too() -> None:
    with pytest.raises(TypeError) as caught:
        Ensemble("e", {"T": [1]}, run_settings=RunSettings("true"), perm_strategy="step")  # type: ignore[call-arg]

    assert str(caught.value) == (
        "Ensemble: no argument 'perm_strategy'; did you mean 'perm_strat'? There are name, params, path, params_as_args, "
        "batch_settings, run_settings, perm_strat, replicas, n_models, seed"
    )


def test_a_single_value_is_constant_over_the_steps(study: Experiment) -> None:
    ens = study.create_ensemble("e", {"T": [1, 2], "P": 5}, run_settings=RunSettings("true"), perm_strategy="step")

    assert [member.params for member in ens] == [{"T": "1", "P": "5"}, {"T": "2", "P": "5"}]


def test_replicas_clone_each_parameter_set_and_count_samples(study: Experiment) -> None:
    settings = RunSettings("true")

    clones = study.create_ensemble("clones", {"T": [1, 2]}, run_settings=settings, replicas=2)
    samples = study.create_ensemble("samples", {"T": [1, 2, 3]}, run_settings=settings, perm_strategy="random", replicas=2)

    assert [member.params["T"] for member in clones] == ["1", "1", "2", "2"]
    assert len(samples) == 2


def test_samples_can_be_drawn_again_and_more_of_them(study: Experiment) -> None:
    params = {f"p{number}": list(range(10)) for number in range(12)}

    def draw(name: str, seed: int | None) -> Ensemble:
        settings = RunSettings("true")
        return study.create_ensemble(name, params, run_settings=settings, perm_strategy="random", n_models=3, seed=seed)

    first = draw("first", None)
    second = draw("second", first.seed)
    second.extend(1)

    assert [member.params for member in first] == [member.params for member in second][:3]
    assert [type(member) for member in second] == [Model] * 4


def test_tags_are_names_and_values_are_literal(study: Experiment) -> None:
    Path("model.c").write_bytes(b"for (i=0; i<n; i++) { a=;T;; }\r\n\xe9")
    ens = study.create_ensemble("e", {"T": [r"\1;T;"]}, run_settings=RunSettings("true"))
    ens.attach_generator_files(to_configure=["model.c"])

    study.generate(ens)

    assert Path("study/e/e_0/model.c").read_bytes() == b"for (i=0; i<n; i++) { a=\\1;T;; }\r\n\xe9"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"P": [1]},
            "{cwd}/in.txt:1: no parameter named 'T'; have P. If ';T;' is no tag, choose another delimiter, tag=..., "
            "or pass allow_unknown=True",
        ),
        ({"T": [1], "P": [2]}, "e_0: no tag in in.txt and no argument uses 'P'; add the tag, or pass allow_unused=True"),
    ],
    ids=["unknown", "unused"],
)
def test_a_tag_without_parameter_and_a_parameter_without_use_are_errors_before_anything_is_written(
    params: dict[str, list[int]], message: str, study: Experiment
) -> None:
    Path("in.txt").write_text(";T;")
    ens = study.create_ensemble("e", params, run_settings=RunSettings("true"))
    ens.attach_generator_files(to_configure=["in.txt"])

    with pytest.raises(SmartSimError) as caught:
        study.generate(ens)

    assert str(caught.value) == message.format(cwd=os.getcwd())
    assert not Path("study/e").exists()


def test_a_custom_tag_is_taken_as_it_is(study: Experiment) -> None:
    Path("in.txt").write_text("@T@ y=@P@")
    ens = study.create_ensemble("e", {"T": [1], "P": [2]}, run_settings=RunSettings("true"))
    ens.attach_generator_files(to_configure=["in.txt"])

    study.generate(ens, tag="@")

    assert Path("study/e/e_0/in.txt").read_text() == "1 y=2"


def test_an_argument_with_a_blank_stays_one_also_in_a_batch_script(study: Experiment) -> None:
    ens = study.create_ensemble(
        "e",
        {"title": ["two words"]},
        study.create_batch_settings(),
        study.create_run_settings("printf", ["%s|"]),
        params_as_args=["title"],
    )

    study.start(ens)

    assert Path("study/e/e_0/e_0.out").read_text() == "--title=two words|"


def test_a_batch_ensemble_runs_here_and_its_script_fails_if_a_member_does(study: Experiment) -> None:
    ens = study.create_ensemble("e", batch_settings=study.create_batch_settings())
    ens.add_model(study.create_model("good", RunSettings("true")))
    ens.add_model(study.create_model("bad", RunSettings("false")))

    study.start(ens)

    assert study.get_status(ens) == [SmartSimStatus.STATUS_COMPLETED, SmartSimStatus.STATUS_FAILED]
    assert subprocess.run(["bash", "study/e/e.sh"], check=False).returncode != 0


def test_stop_is_always_safe(study: Experiment) -> None:
    ens = study.create_ensemble("e", replicas=2, run_settings=RunSettings("sleep", "1000"))

    study.stop(ens)
    study.start(ens, block=False)
    study.stop()
    assert not study.finished(ens)
    study.stop(ens)
    study.stop(ens)

    assert study.get_status(ens) == [SmartSimStatus.STATUS_CANCELLED] * 2


def test_a_member_that_fails_at_once_keeps_no_other_from_running(study: Experiment) -> None:
    wrong = study.create_model("wrong", RunSettings("false"))
    right = study.create_model("right", RunSettings("true"))

    study.start(wrong, right)

    assert study.get_status(wrong, right) == [SmartSimStatus.STATUS_FAILED, SmartSimStatus.STATUS_COMPLETED]


def test_members_end_with_the_driver(tmp_path: Path, eventually: Callable[[Callable[[], object]], None]) -> None:
    driver = """
        import os, time
        from smartensemble.compat import Experiment
        exp = Experiment("study")
        model = exp.create_model("m", exp.create_run_settings("sh", ["-c", "echo $$; exec sleep 1000"]))
        exp.start(model, block=False)
        while not (os.path.exists("study/m/m.out") and os.path.getsize("study/m/m.out")):
            time.sleep(0.01)
    """

    subprocess.run([sys.executable, "-c", textwrap.dedent(driver)], cwd=tmp_path, check=True)

    pid = int((tmp_path / "study/m/m.out").read_text())
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def test_it_is_recorded_which_member_had_which_parameters(study: Experiment) -> None:
    ens = study.create_ensemble("e", {"T": [1, 2]}, run_settings=RunSettings("true"))

    study.generate(ens)

    with Path("study/e/members.csv").open(newline="") as file:
        assert [(row["name"], row["T"]) for row in csv.DictReader(file)] == [("e_0", "1"), ("e_1", "2")]
    assert Path("study/e/e_0/params.json").exists()


def test_adding_models_takes_no_longer_for_many(study: Experiment) -> None:
    ens = study.create_ensemble("e", batch_settings=study.create_batch_settings())
    settings = RunSettings("true")
    models = [study.create_model(f"m{number}", settings) for number in range(4000)]

    began = time.process_time()
    for model in models:
        ens.add_model(model)

    assert time.process_time() - began < 1


# --- what stays as it was there -------------------------------------------------------------------------------------------


def test_given_nothing_the_verbs_do_nothing(study: Experiment) -> None:
    study.generate()
    study.start()
    study.stop()

    assert study.get_status() == []
    assert Path("study").is_dir()


def test_models_come_before_ensembles_in_the_statuses(study: Experiment) -> None:
    ens = study.create_ensemble("e", replicas=1, run_settings=RunSettings("true"))
    model = study.create_model("m", RunSettings("false"))

    study.start(ens, model)

    assert [status.value for status in study.get_status(ens, model)] == ["Failed", "Completed"]


def test_attached_files_are_shown_in_a_table(study: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.txt").write_text("x")
    ens = study.create_ensemble("e", replicas=1, run_settings=RunSettings("true"))
    empty = study.create_ensemble("empty", batch_settings=study.create_batch_settings())

    empty.print_attached_files()
    ens[0].print_attached_files()
    ens.attach_generator_files(to_copy=["in.txt"])
    ens.print_attached_files()

    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["The ensemble is empty, no files to show.", "No file attached to this model."]
    assert said[3] == "| Model name   | Files" + " " * (len(said[3]) - 23) + "|"
    assert any(str(Path.cwd() / "in.txt") in line and "Copy" in line for line in said)


def test_paths_can_be_set(study: Experiment, tmp_path: Path) -> None:
    ens = study.create_ensemble("e", replicas=1, run_settings=RunSettings("true"))
    model = study.create_model("m", RunSettings("true"))

    ens.set_path("elsewhere")
    model.set_path("there")
    model.params_to_args()
    study.start(ens, model)

    assert (ens[0].path, model.path) == (str(tmp_path / "elsewhere/e_0"), str(tmp_path / "there"))
    assert (ens.type, model.type, model.colocated) == ("Ensemble", "Model", False)
    assert (tmp_path / "elsewhere/e_0").is_dir()


def test_a_model_in_the_working_directory_is_generated_below_the_experiments(study: Experiment, tmp_path: Path) -> None:
    Path("driver.py").write_text("mine")
    for _ in range(2):
        model = study.create_model("m", RunSettings("pwd"), path=os.getcwd())
        study.generate(model, overwrite=True)
        study.start(model)

    assert Path("study/m/m.out").read_text() == f"{tmp_path}/study/m\n"
    assert sorted(os.listdir()) == ["driver.py", "study"]


def test_preview_takes_smartsims_arguments(study: Experiment) -> None:
    model = study.create_model("m", RunSettings("echo", "hello"))

    study.preview(model, verbosity_level="debug", output_format="plain_text", output_filename="preview.txt")

    assert "echo hello" in Path("preview.txt").read_text()
    with pytest.raises(SSUnsupportedError, match="preview: no output_format 'json'; there is 'plain_text'"):
        study.preview(model, output_format="json")
