"""A preview is all that would be written and run; nothing is."""

from pathlib import Path

import pytest

from smartensemble.errors import TagError
from smartensemble.experiment import Experiment
from smartensemble.model import is_generated
from smartensemble.settings.batch import BatchSettings


def test_a_preview_shows_directories_commands_and_filled_files(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.melt").write_text("temp ;T;\nrun 10\n")
    settings = exp.create_run_settings("/bin/echo", ["a b"], env_vars={"OMP_NUM_THREADS": 2})
    ens = exp.create_ensemble("ens", {"T": [1.5, 2]}, run_settings=settings, params_as_args="T")
    ens.attach_generator_files(to_configure="in.melt", to_copy="in.melt")

    exp.preview(ens)

    shown = capsys.readouterr().out
    assert f"member ens_1  T=2\n  directory  {ens[1].path}\n  command    /bin/echo 'a b' -T 2\n" in shown
    assert "  variable   OMP_NUM_THREADS=2\n" in shown
    assert f"  copy       {Path('in.melt').absolute()}\n" in shown
    assert "  configure  in.melt\n    | temp 1.5\n    | run 10\n" in shown


def test_a_preview_of_a_batch_shows_its_script_as_it_is_written(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    settings = BatchSettings(preamble=["module() { :; }", "module load lammps"])
    ens = exp.create_ensemble("ens", None, settings, exp.create_run_settings("true"), 2)

    exp.preview(ens)
    shown = capsys.readouterr().out
    exp.start(ens, progress=False)

    script = Path(ens.path, "ens.sh")
    assert f"batch script {script}\n" in shown
    assert "".join(f"    | {line}".rstrip() + "\n" for line in script.read_text().splitlines()) in shown


def test_the_command_that_is_shown_is_the_one_that_is_run(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    model = exp.create_model("model", exp.create_run_settings("ps", ["-o", "args=", "-C", "ps"]))

    exp.preview(model)
    exp.start(model, progress=False)

    shown = next(line.split(None, 1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("  command"))
    assert shown in Path(model.path, "model.out").read_text().splitlines()


def test_a_preview_writes_nothing(exp: Experiment, tmp_path: Path) -> None:
    ens = exp.create_ensemble("ens", None, BatchSettings(), exp.create_run_settings("true"), 2)

    exp.preview(ens)

    assert list(tmp_path.iterdir()) == []
    assert not is_generated(ens[0])


def test_a_preview_goes_into_a_file(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    model = exp.create_model("größe", exp.create_run_settings("true"))

    exp.preview(model, output_filename="preview.txt")

    assert capsys.readouterr().out == ""
    assert "member größe\n" in Path("preview.txt").read_text(encoding="utf-8")


def test_a_preview_finds_the_mistakes_that_generate_would(exp: Experiment) -> None:
    Path("in.melt").write_text("temp ;T; ;P;\n")
    ens = exp.create_ensemble("ens", {"T": [1]}, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_configure="in.melt")

    with pytest.raises(TagError, match=r"in\.melt:1: .*'P'"):
        exp.preview(ens)
