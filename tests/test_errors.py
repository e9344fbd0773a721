"""The error tree is the one that its docstring draws, and messages about unknown words teach."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import smartensemble
from smartensemble import BatchSettings, Ensemble, errors
from smartensemble.errors import InputTypeError, SmartEnsembleError, UnknownMemberError, did_you_mean, strict

SRC = Path(smartensemble.__file__).parents[1]
ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]


def drawn() -> dict[str, set[str]]:
    """The classes in the docstring's drawing, each with its bases."""
    tree: dict[str, set[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    (?P<branch>[│├└─ ]*)(?P<name>\w+Error)(?: \((?P<builtin>\w+)\))?(?:\s|$)", line):
            depth = len(match["branch"]) // 4
            path[depth:] = [match["name"]]
            tree[match["name"]] = {path[depth - 1] if depth else "Exception"} | ({match["builtin"]} - {None})
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
    @strict
    def __init__(self, exe: str, exe_args: str = "", *, time_limit: float = 0) -> None:
        """Some settings."""
        self.given = exe, exe_args, time_limit


def test_strict_passes_on_what_is_spelled_right() -> None:
    assert Settings("lmp", exe_args="-in", time_limit=5).given == ("lmp", "-in", 5)
    assert Settings.__init__.__doc__ == "Some settings."


def test_strict_names_the_class_the_misspelt_word_and_the_right_one() -> None:
    with pytest.raises(InputTypeError) as caught:
        Settings("lmp", timelimit=5)  # type: ignore[call-arg]

    assert str(caught.value) == (
        "Settings: no argument 'timelimit'; did you mean 'time_limit'? There are exe, exe_args, time_limit"
    )


def test_strict_names_the_class_that_has_an_inherited_method() -> None:
    with pytest.raises(InputTypeError, match=r"^Ensemble\.add_script: no argument 'scrpt'; did you mean 'script'"):
        Ensemble("e", batch_settings=BatchSettings()).add_script("f", scrpt="")  # type: ignore[call-arg]


def test_strict_does_not_take_a_local_variable_for_an_argument() -> None:
    @strict
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
