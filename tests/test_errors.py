"""The error tree is the one that its docstring draws, and messages about unknown words teach."""

import errno
import functools
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

import smartensemble
from smartensemble import BatchSettings, Ensemble, Experiment, RunSettings, errors
from smartensemble.errors import (
    AccessError,
    InputTypeError,
    InputValueError,
    SmartEnsembleError,
    UnknownMemberError,
    did_you_mean,
    public,
    shown,
)

SRC = Path(smartensemble.__file__).parents[1]
ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]


def drawn() -> dict[str, set[str]]:
    """The classes in the docstring's drawing, each with its bases."""
    tree: dict[str, set[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    (?P<branch>[│├└─ ]*)(?P<name>\w+Error)(?: \((?P<builtins>[\w, ]+)\))?(?:\s|$)", line):
            depth = len(match["branch"]) // 4
            path[depth:] = [match["name"]]
            tree[match["name"]] = {path[depth - 1] if depth else "Exception"} | set((match["builtins"] or "").split(", ")) - {
                ""
            }
    return tree


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    real = {error.__name__: {base.__name__ for base in error.__bases__} for error in ERRORS}

    assert len(real) >= 14
    assert drawn() == real


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_prints_its_message_as_it_is(error: type[SmartEnsembleError]) -> None:
    message = str(error("melt: no such thing; there are 'a' and 'b'"))

    assert message == "melt: no such thing; there are 'a' and 'b'"


@pytest.mark.parametrize(
    ("word", "known", "message"),
    [
        ("stepp", ["all_perm", "step"], "; did you mean 'step'? There are all_perm, step"),
        ("replica", ["replicas"], "; did you mean 'replicas'? There are replicas"),
        ("xyz", ["all_perm", "step"], "; there are all_perm, step"),
        ("x", ["a", "b"], "; there are a, b"),
    ],
)
def test_an_unknown_word_is_answered_with_the_likely_one_and_all(word: str, known: list[str], message: str) -> None:
    assert did_you_mean(word, iter(known)) == message


class Settings:
    @public
    def __init__(self, exe: str, exe_args: str = "", *, time_limit: float = 0) -> None:
        """Some settings."""
        self.given = exe, exe_args, time_limit


def test_a_public_call_passes_on_what_is_spelled_right() -> None:
    assert Settings("lmp", exe_args="-in", time_limit=5).given == ("lmp", "-in", 5)
    assert Settings.__init__.__doc__ == "Some settings."


def test_a_public_call_names_the_class_the_misspelt_word_and_the_right_one() -> None:
    with pytest.raises(InputTypeError) as caught:
        Settings("lmp", timelimit=5)  # type: ignore[call-arg]

    assert str(caught.value) == (
        "Settings: no argument 'timelimit'; did you mean 'time_limit'? There are exe, exe_args, time_limit"
    )


def test_a_public_call_names_the_class_that_has_an_inherited_method() -> None:
    with pytest.raises(InputTypeError, match=r"^Ensemble\.add_script: no argument 'scrpt'; did you mean 'script'"):
        Ensemble("e", batch_settings=BatchSettings()).add_script("f", scrpt="")  # type: ignore[call-arg]


def test_a_public_call_does_not_take_a_local_variable_for_an_argument() -> None:
    @public
    def area(width: int) -> int:
        height = width
        return width * height

    with pytest.raises(TypeError, match="no argument 'height'; there are width"):
        area(2, height=3)  # type: ignore[call-arg]


def test_an_unknown_member_is_a_key_error_without_the_quotes_of_one() -> None:
    with pytest.raises(KeyError) as caught:
        raise UnknownMemberError("e: no member 'x'")

    assert str(caught.value) == "e: no member 'x'"


def test_all_names_what_is_there_and_nothing_else() -> None:
    namespace: dict[str, object] = {}
    exec("from smartensemble import *", namespace)
    public = {
        name
        for name, value in vars(smartensemble).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("smartensemble.")
    }

    assert public == set(smartensemble.__all__)
    assert namespace.keys() - {"__builtins__"} == set(smartensemble.__all__)
    assert smartensemble.__all__ == sorted(smartensemble.__all__)


def test_importing_it_loads_the_standard_library_and_itself_only() -> None:
    """-I -S: no site-packages, no user site, so that a third-party import fails or is seen."""
    code = (
        f"import sys; sys.path.insert(0, {str(SRC)!r}); before = set(sys.modules); import smartensemble; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )

    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout.split() == ["smartensemble"]


# --- what a caller sees of a call --------------------------------------------------------------------------------------------


class Talkative:
    """An object that answers nothing."""

    def __repr__(self) -> str:
        raise RuntimeError("no answer")


@public
def opens(path: object) -> int:
    return len(Path(str(path)).read_text())


@public
def shows(value: object) -> str:
    return inner(value)


def inner(value: object) -> str:
    if value == 3:
        raise InputTypeError("shows: 3 is no text; give text")
    return repr(value)


def frames(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_an_error_ends_where_the_call_was() -> None:
    with pytest.raises(InputTypeError) as caught:
        shows(3)

    assert frames(caught.value) == ["test_an_error_ends_where_the_call_was", "shows"]
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "@public"


def test_an_error_ends_where_the_call_was_also_through_other_public_calls(exp: Experiment) -> None:
    with pytest.raises(InputTypeError) as caught:
        exp.create_model("m", 3)  # type: ignore[arg-type]

    assert frames(caught.value)[1:] == ["create_model"]


def test_in_development_mode_an_error_says_where_it_was_raised() -> None:
    code = "import smartensemble; smartensemble.RunSettings('no-such-program')"
    run = functools.partial(subprocess.run, capture_output=True, text=True, check=False)

    assert "in find_program" not in run([sys.executable, "-c", code]).stderr
    assert "in find_program" in run([sys.executable, "-X", "dev", "-c", code]).stderr


def test_what_the_system_refuses_is_an_error_of_ours_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(AccessError) as caught:
        opens(tmp_path)

    assert str(caught.value) == f"opens: {tmp_path}: Is a directory; move it away, or give another"
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, str(tmp_path))
    assert caught.value.__suppress_context__


def test_what_an_argument_raises_is_the_cause_of_an_error_of_ours() -> None:
    with pytest.raises(InputValueError) as caught:
        Ensemble("e", {"T": [1]}, run_settings=RunSettings("true"), perm_strategy=lambda *_: [{"T": 1 / 0}])

    assert str(caught.value) == "Ensemble: an argument raised ZeroDivisionError (division by zero); give one that does not"
    assert caught.value.__cause__
    assert frames(caught.value.__cause__) == ["<lambda>"]


def test_a_wrong_signature_stays_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"shows\(\) missing 1 required positional argument: 'value'") as caught:
        shows()  # type: ignore[call-arg]

    assert type(caught.value) is TypeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Talkative(), "a Talkative that cannot be shown"),
        ([Talkative()], "a list that cannot be shown"),
        pytest.param(10**5000, "an int that cannot be shown", id="huge"),
        ("\ud800", r"'\ud800'"),
        ("x" * 1000, "'" + "x" * 196 + "..."),
    ],
)
def test_a_message_shows_any_value(value: object, text: str) -> None:
    assert shown(value) == text
    assert shown(value).encode()
