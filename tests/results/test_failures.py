import subprocess
from pathlib import Path

from smartensemble import Ensemble, Experiment


def run(exp: Experiment, text: str, **params: object) -> Ensemble:
    """An ensemble of shell scripts that see their parameters as arguments."""
    settings = exp.create_run_settings("sh", ["-c", text, "script"])
    ens = exp.create_ensemble("ens", params, run_settings=settings, params_as_args=list(params))
    exp.start(ens, progress=False)
    return ens


def test_nothing_failed_says_so(exp: Experiment) -> None:
    ens = run(exp, "exit 0", T=[1, 2])

    assert str(ens.failures()) == "none failed"
    assert not ens.failures()


def test_members_that_end_the_same_way_are_one_group(exp: Experiment) -> None:
    text = 'case "$2" in 3) echo "step $$: lost atoms in $PWD" >&2; exit 4;; 4) kill -SEGV $$;; esac'
    ens = run(exp, text, T=[1, 2, 3, 4], P=[5, 6])

    first, second = ens.failures()

    assert {first.members, second.members} == {("ens_4", "ens_5"), ("ens_6", "ens_7")}
    assert {first.cause, second.cause} == {"exit code 4", "ended by SIGSEGV; it wrote nothing"}
    assert "lost atoms in" in str(ens.failures())


def test_rows_of_numbers_differ_in_nothing_but_numbers(exp: Experiment) -> None:
    rows = {"T": ["    0   1     -5.2792274", "    0   0.5   6.03", "  100   2.5e-05   -1"]}
    ens = exp.create_ensemble(
        "ens", rows, run_settings=exp.create_run_settings("sh", ["-c", 'echo "$2" >&2; exit 3', "x"]), params_as_args="T"
    )

    exp.start(ens)

    assert [failure.members for failure in ens.failures()] == [("ens_0", "ens_1", "ens_2")]


def test_it_is_told_which_values_only_the_failed_have(exp: Experiment) -> None:
    ens = run(exp, '[ "$2" -lt 3 ]', T=[1, 2, 3, 4], P=[5, 6])

    (failure,) = ens.failures()

    assert failure.shared == {"T": (3, 4)}
    assert "only they have T = 3 or 4" in str(failure)


def test_a_file_that_lies_where_the_driver_is_and_not_where_the_member_is(exp: Experiment) -> None:
    Path("sim.py").write_text("print('here')\n")
    python = exp.create_run_settings("python", ["sim.py"])
    lost, found = (exp.create_model(name, python) for name in ("lost", "found"))
    found.attach_generator_files(to_copy="sim.py")

    exp.start(lost, found, progress=False)

    assert lost.run.cause.startswith(
        f"exit code 2; 'sim.py' is in {Path.cwd()} and not in the directory that it runs in: attach"
    )
    assert found.run.cause == ""


def test_where_all_failed_nothing_tells_them_apart(exp: Experiment) -> None:
    ens = run(exp, "exit 1", T=[1, 2])

    assert ens.failures()[0].shared == {}


def test_the_command_runs_one_of_them_again(exp: Experiment) -> None:
    text = 'echo "$GREETING $2" > said; exit 7'
    settings = exp.create_run_settings("sh", ["-c", text, "it's"], env_vars={"GREETING": "hello  there"})
    ens = exp.create_ensemble("ens", params_as_args={"T": ["a b"]}, run_settings=settings)
    exp.start(ens, progress=False)
    Path(ens[0].path, "said").unlink()

    done = subprocess.run(["bash", "-c", ens.failures()[0].again], check=False)

    assert done.returncode == 7
    assert Path(ens[0].path, "said").read_text() == "hello  there a b\n"


def test_larger_groups_come_first(exp: Experiment) -> None:
    ens = run(exp, '[ "$2" = 1 ] && exit 9; exit 8', T=[1, 2, 3])

    assert [len(failure.members) for failure in ens.failures()] == [2, 1]
