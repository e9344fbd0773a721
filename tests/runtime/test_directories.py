"""A member's directory is written whole, or not at all, and says what it was made from.

Tests input_files.
"""

import csv
import json
import os
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from smartensemble.errors import DirectoryExistsError, InputValueError, StateError, TagError
from smartensemble.experiment import Experiment
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]
Eventually = Callable[[Callable[[], object]], None]


def record(path: str) -> dict[str, object]:
    """What is recorded of a member."""
    found: dict[str, object] = json.loads(Path(path, "params.json").read_text(encoding="utf-8"))
    return found


def test_params_json_has_typed_values_seed_command_and_versions(exp: Experiment) -> None:
    params = {"T": [1.5], "N": [4], "on": [True], "word": ["ü"]}
    settings = exp.create_run_settings("/bin/echo", ["a b"])
    ens = exp.create_ensemble(
        "ens", params, run_settings=settings, params_as_args=["T"], perm_strategy="random", n_models=1, seed=7
    )

    exp.generate(ens)

    assert record(ens[0].path) == {
        "name": "ens_0",
        "ensemble": "ens",
        "perm_strategy": "random",
        "seed": 7,
        "experiment": exp.exp_path,
        "path": ens[0].path,
        "replica": 0,
        "params": {"T": 1.5, "N": 4, "on": True, "word": "ü"},
        "command": ["/bin/echo", "a b", "-T", "1.5"],
        "versions": {"smartensemble": "0.1.0", "python": platform.python_version()},
    }


def test_members_csv_says_which_member_has_which_parameters(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", {"T": [1, 2], "name": ["x, y"]}, run_settings=exp.create_run_settings("true"), replicas=2)

    exp.generate(ens)

    with Path(ens.path, "members.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["T"], row["params.name"], row["replica"]) for row in rows] == [
        ("ens_0", "1", "x, y", "0"),
        ("ens_1", "1", "x, y", "1"),
        ("ens_2", "2", "x, y", "0"),
        ("ens_3", "2", "x, y", "1"),
    ]
    assert [row["path"] for row in rows] == [member.path for member in ens]


def test_bytes_outside_tags_and_mode_bits_survive(exp: Experiment) -> None:
    Path("in.txt").write_bytes(b"caf\xe9 ;T;\r\nlast line without end")
    Path("in.txt").chmod(0o751)
    ens = exp.create_ensemble("ens", {"T": [1.5]}, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_configure="in.txt")

    exp.generate(ens)

    made = Path(ens[0].path, "in.txt")
    assert made.read_bytes() == b"caf\xe9 1.5\r\nlast line without end"
    assert made.stat().st_mode & 0o777 == 0o751


def test_files_are_copied_linked_and_configured_each_in_its_place(exp: Experiment) -> None:
    for path, text in {"data/a": "a", "data/sub/b": "b", "in/deep/in.txt": ";T;", "ü mesh": "mesh", "one": "1"}.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    os.symlink("a", "data/link")
    ens = exp.create_ensemble("ens", {"T": [3]}, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_copy=["data", "one"], to_symlink=["ü mesh", "in"], to_configure="in")

    exp.generate(ens)

    made = Path(ens[0].path)
    assert [(made / name).read_text() for name in ("a", "sub/b", "one", "deep/in.txt", "ü mesh")] == [
        "a",
        "b",
        "1",
        "3",
        "mesh",
    ]
    assert os.readlink(made / "link") == "a"
    assert os.readlink(made / "ü mesh") == os.path.abspath("ü mesh")


def test_a_name_with_blanks_and_umlauts_generates_and_runs(exp: Experiment) -> None:
    ens = exp.create_ensemble("größe und maß", replicas=1, run_settings=exp.create_run_settings("pwd"))

    exp.start(ens, progress=False)

    assert Path(ens[0].path, "größe und maß_0.out").read_text() == ens[0].path + "\n"


def test_a_program_below_a_directory_that_is_no_unicode_generates_and_runs(exp: Experiment) -> None:
    os.mkdir(b"caf\xe9")
    Path("caf\udce9/hello").write_text("#!/bin/sh\necho hello\n")
    os.chmod("caf\udce9/hello", 0o755)
    ens = exp.create_ensemble("ens", replicas=1, run_settings=exp.create_run_settings("caf\udce9/hello"))

    exp.start(ens, progress=False)

    assert Path(ens[0].path, "ens_0.out").read_text() == "hello\n"
    assert record(ens[0].path)["command"] == [os.path.abspath("caf\udce9/hello")]


#: Root may write what is read-only, unless it gives up that right.
BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []


@pytest.mark.needs("setpriv")
def test_what_a_member_made_read_only_is_replaced_and_leaves_nothing(driver: Driver, tmp_path: Path) -> None:
    code = """
        shut = settings("sh", "-c", "mkdir -p a/b; touch a/b/c; chmod 0 a/b; chmod 555 a .")
        ens = exp.create_ensemble("ens", replicas=2, run_settings=shut)
        exp.start(ens, progress=False)
        for _ in range(2):
            exp.generate(ens, overwrite=True)
            exp.start(ens, progress=False)
        print(*exp.get_status(ens), *os.listdir(ens.path))
    """

    process = driver(code, wrapper=BOUND)

    assert sorted(process.communicate(timeout=PATIENCE_S)[0].split()) == [
        "Completed", "Completed", "ens_0", "ens_1", "members.csv"
    ]  # fmt: skip


@pytest.mark.needs("setpriv")
def test_read_only_inputs_are_copied_and_replaced(driver: Driver, tmp_path: Path) -> None:
    code = """
        Path("data/sub").mkdir(parents=True)
        for path in "data/a", "data/sub/b", "in.txt":
            Path(path).write_text(";T;")
            os.chmod(path, 0o444)
        for path in "data/sub", "data":
            os.chmod(path, 0o555)
        ens = exp.create_ensemble("ens", {"T": [1]}, run_settings=settings("true"))
        ens.attach_generator_files(to_copy="data", to_configure="in.txt")
        exp.generate(ens)
        exp.generate(ens, overwrite=True)
        exp.start(ens, progress=False)
        print(ens[0].status)
    """
    process = driver(code, wrapper=BOUND)

    assert process.communicate(timeout=PATIENCE_S)[0] == "Completed\n"
    assert (tmp_path / "study/ens/ens_0/sub/b").stat().st_mode & 0o777 == 0o444


def test_a_driver_killed_while_it_generates_leaves_whole_directories_or_none(
    driver: Driver, tmp_path: Path, eventually: Eventually
) -> None:
    process = driver("""
        for number in range(20):
            Path(f"in.{number}").write_text("temp ;T;")
        ens = exp.create_ensemble("ens", {"T": list(range(5000))}, run_settings=settings("true"))
        ens.attach_generator_files(to_configure=[f"in.{number}" for number in range(20)])
        exp.generate(ens)
    """)
    eventually((tmp_path / "study/ens/ens_20/params.json").exists)

    process.kill()
    process.wait()

    made = list((tmp_path / "study/ens").glob("ens_*"))
    assert 20 <= len(made) < 5000
    assert {len(list(path.iterdir())) for path in made} == {21}


def test_what_a_killed_driver_left_is_in_nobodys_way(exp: Experiment) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    exp.generate(model)
    os.rename("study/model", "study/.model.old")
    Path("study/.model.new").mkdir()

    exp.generate(model)

    assert sorted(os.listdir("study")) == ["journal", "model"]
    assert os.listdir(model.path) == ["params.json"]


def test_a_full_disk_leaves_the_directory_that_was_there(driver: Driver, tmp_path: Path) -> None:
    process = driver("""
        import resource
        from smartensemble.errors import StateError
        Path("in.txt").write_text("x")
        model = exp.create_model("model", settings("true"))
        model.attach_generator_files(to_copy="in.txt")
        exp.generate(model)
        Path("in.txt").write_text("x" * 10_000)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, -1))
        try:
            exp.generate(model, overwrite=True)
        except StateError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    """)

    said = process.communicate(timeout=PATIENCE_S)[0]
    assert re.fullmatch(r"study: File too large at \S+/study/\S+/in.txt; make room, and do it again\n", said)
    assert sorted(os.listdir(tmp_path / "study")) == ["journal", "model"]
    assert (tmp_path / "study/model/in.txt").read_text() == "x"


def test_what_is_there_is_refused_before_anything_is_written(exp: Experiment) -> None:
    ens = exp.create_ensemble("ens", replicas=3, run_settings=exp.create_run_settings("true"))
    exp.generate(ens[2])

    with pytest.raises(DirectoryExistsError, match="pass overwrite=True"):
        exp.generate(ens)

    assert sorted(os.listdir(ens.path)) == ["ens_2", "members.csv"]


def test_a_wrong_tag_is_refused_before_anything_is_written(exp: Experiment, tmp_path: Path) -> None:
    Path("in.txt").write_text(";T; ;P;")
    ens = exp.create_ensemble("ens", {"T": [1]}, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_configure="in.txt")

    with pytest.raises(TagError):
        exp.generate(ens)

    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_start_writes_nothing_at_all_when_a_tag_is_wrong(exp: Experiment, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(";Pressure;")
    ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=exp.create_run_settings("true"))
    ens.attach_generator_files(to_configure="in.txt")

    with pytest.raises(TagError, match="no parameter named 'Pressure'"):
        exp.start(ens)

    assert os.listdir(tmp_path) == ["in.txt"]


def test_verbose_prints_each_directory_on_standard_error(exp: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    ens = exp.create_ensemble("ens", {"T": [1, 2]}, run_settings=exp.create_run_settings("true"))

    exp.generate(ens, verbose=True)

    assert capsys.readouterr().err.splitlines() == [f"{member.name}: generated {member.path}" for member in ens]


def test_a_directory_is_not_copied_into_itself(exp: Experiment, tmp_path: Path) -> None:
    model = exp.create_model("model", exp.create_run_settings("true"))
    model.attach_generator_files(to_copy=tmp_path)

    with pytest.raises(InputValueError, match="holds the directory"):
        exp.generate(model)

    assert list(tmp_path.iterdir()) == []


def test_overwrite_removes_former_members_and_nothing_else(exp: Experiment) -> None:
    settings = exp.create_run_settings("true")
    exp.generate(exp.create_ensemble("ens", replicas=4, run_settings=settings))
    Path("study/ens/results").mkdir()
    Path("study/ens/ens_3/params.json").unlink()  # so it is somebody's own
    Path("study/ens/ens_1/old").touch()

    ens = exp.create_ensemble("ens", replicas=2, run_settings=settings)
    exp.generate(ens, overwrite=True)

    assert sorted(os.listdir(ens.path)) == ["ens_0", "ens_1", "ens_3", "members.csv", "results"]
    assert os.listdir(ens[1].path) == ["params.json"]


def test_overwrite_keeps_a_former_member_that_runs(exp: Experiment) -> None:
    settings = exp.create_run_settings("sleep", ["1000"])
    first = exp.create_ensemble("ens", replicas=2, run_settings=settings)
    exp.start(first, block=False)
    ens = exp.create_ensemble("ens", {"T": [1]}, run_settings=settings, params_as_args="T")
    exp.stop(first[0])

    with pytest.raises(StateError, match="ens_1: runs in"):
        exp.generate(ens, overwrite=True)

    assert Path("study/ens/ens_1/params.json").exists()


def test_what_json_has_no_number_for_is_text_that_every_reader_takes(exp: Experiment) -> None:
    values = [float("nan"), float("inf"), float("-inf"), 1.5]
    ens = exp.create_ensemble("ens", {"T": values}, run_settings=exp.create_run_settings("true"))
    exp.generate(ens)

    def refuse(word: str) -> object:
        raise AssertionError(word)

    texts = [Path(member.path, "params.json").read_text() for member in ens]
    assert [json.loads(text, parse_constant=refuse)["params"]["T"] for text in texts] == ["nan", "inf", "-inf", 1.5]
    again = Experiment("study")
    again.start(again.create_ensemble("ens", {"T": values}, run_settings=exp.create_run_settings("true")), progress=False)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2", "\0\0\0", '{"name": "m", "versions": {"smartensemble": "0"}}'])
def test_a_damaged_record_compares_no_parameters_and_is_an_error(exp: Experiment, text: str) -> None:
    settings = exp.create_run_settings("true")
    exp.generate(exp.create_model("m", settings, {"T": 1}))
    Path("study/m/params.json").write_text(text)

    with pytest.raises(StateError, match=r"m/params.json is (damaged|empty), so nobody can say for which .*; move the"):
        exp.start(exp.create_model("m", settings, {"T": 2}))

    assert sorted(os.listdir("study/m")) == ["params.json"]


def test_a_users_own_params_json_is_no_record(exp: Experiment) -> None:
    Path("params.json").write_text('{"lr": 0.1}')

    exp.start(exp.create_model("m", exp.create_run_settings("true"), {"T": 1}, path="."), progress=False)

    assert Path("params.json").read_text() == '{"lr": 0.1}'
