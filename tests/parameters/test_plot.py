"""A plot shows which points of parameter space an ensemble covers, each parameter on an axis that suits its values.

Tests dimension.
"""

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from smartensemble.ensemble import Ensemble
from smartensemble.errors import InputTypeError, ParameterError, UnsupportedError
from smartensemble.model import Model
from smartensemble.settings.run import RunSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RUN = RunSettings("echo")
BLUE, ORANGE = (0x00 / 255, 0x72 / 255, 0xB2 / 255), (0xD5 / 255, 0x5E / 255, 0x00 / 255)


def ensemble(params: dict[str, object], **options: Any) -> Ensemble:
    return Ensemble("space", params, run_settings=RUN, **options)


def clouds(axes: "Axes") -> list[PathCollection]:
    return [each for each in axes.collections if isinstance(each, PathCollection)]


def places(cloud: PathCollection) -> list[tuple[float, float]]:
    return sorted((float(x), float(y)) for x, y in np.asarray(cloud.get_offsets()))


def points(axes: "Axes") -> list[tuple[float, float]]:
    return sorted(place for cloud in clouds(axes) for place in places(cloud))


def heights(axes: "Axes") -> list[float]:
    return [bar.get_height() for bar in axes.patches]  # type: ignore[attr-defined]


def png(figure: "Figure") -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("params", "options", "panels"),
    [
        ({"T": (0.5, 3.0), "P": (1, 10)}, {"perm_strategy": "latin_hypercube", "replicas": 16}, 3),
        ({"T": (0.5, 3.0), "lattice": ["fcc", "bcc"]}, {"perm_strategy": "sobol", "replicas": 16}, 3),
        ({"T": range(1000), "P": range(1000), "Q": range(1000)}, {"perm_strategy": "random", "replicas": 9}, 6),
        ({"T": [1, 2, 3], "P": [5.5, 6.5]}, {}, 3),
        ({"T": [1, 2, 3], "file": ["a $b$", "ü\n2", "x" * 99]}, {"perm_strategy": "step"}, 3),
        ({"T": [1.0, float("inf"), 10**400], "flag": [True, False]}, {}, 3),
        ({"T": (1.0, 2.0)}, {"perm_strategy": "sobol", "replicas": 4}, 2),
        ({"T": range(500)}, {}, 2),
        ({"T": [1e-9, 1.0, 1e9]}, {"replicas": 3}, 2),
        ({"T": 1.5}, {}, 2),
        ({f"p{number}": (0.0, 1e9) for number in range(8)}, {"perm_strategy": "sobol", "replicas": 8}, 36),
    ],
)
def test_every_design_has_a_figure(params: dict[str, object], options: dict[str, Any], panels: int) -> None:
    figure = ensemble(params, **options).plot_design()

    assert len(figure.axes) == panels
    assert png(figure).startswith(b"\x89PNG")


def test_a_panel_below_the_diagonal_shows_the_values_of_the_members() -> None:
    ens = ensemble({"T": (0.5, 3.0), "N": (1, 100)}, perm_strategy="latin_hypercube", replicas=20, seed=1)

    _, pairs, _ = ens.plot_design().axes

    assert points(pairs) == sorted((member.values["T"], member.values["N"]) for member in ens)
    assert (pairs.get_xlabel(), pairs.get_ylabel()) == ("T", "N")


def test_the_diagonal_counts_each_member_once() -> None:
    ens = ensemble({"T": (0.0, 1.0), "lattice": ["fcc", "bcc"], "N": [1, 2, 4]}, perm_strategy="sobol", replicas=64, seed=1)

    axes = ens.plot_design().axes

    assert heights(axes[0]) == [8] * 8
    assert heights(axes[2]) == [32, 32]
    assert sum(heights(axes[5])) == 64


@pytest.mark.parametrize(("high", "counts"), [(80, [10] * 8), (100, [10] * 10), (101, [13, 12, 13, 12, 13, 13, 12, 13])])
def test_bins_of_whole_numbers_are_fair(high: int, counts: list[int]) -> None:
    ens = ensemble({"N": range(1, high + 1)})

    assert heights(ens.plot_design().axes[0]) == counts


def test_texts_are_ticks_in_the_order_in_which_they_were_given() -> None:
    ens = ensemble({"lattice": ["hcp", "fcc", "bcc"], "T": [1, 2]})

    _, pairs, _ = ens.plot_design().axes

    assert [tick.get_text() for tick in pairs.get_xticklabels()] == ["hcp", "fcc", "bcc"]
    assert points(pairs) == [(place, T) for place in range(3) for T in (1, 2)]


def test_many_texts_share_few_ticks() -> None:
    ens = ensemble({"file": [f"in.{number}" for number in range(100)]})

    assert len(ens.plot_design().axes[1].get_xticklabels()) == 12


def test_the_area_of_a_point_grows_with_its_members() -> None:
    ens = ensemble({"T": [1, 2], "P": [5, 6]})
    for number in range(2):
        ens.add_model(Model(f"again_{number}", {"T": 1, "P": 5}, RUN))

    (cloud,) = clouds(ens.plot_design().axes[1])

    assert sorted(cloud.get_sizes() / min(cloud.get_sizes())) == [1, 1, 1, 3]


def test_members_that_extend_added_have_a_second_color_and_a_legend() -> None:
    ens = ensemble({"T": (0.0, 1.0), "P": (0.0, 1.0)}, perm_strategy="sobol", replicas=4, seed=1)
    ens.add_model(Model("mine", {"T": 0.5, "P": 0.5}, RUN))
    added = ens.extend(2)

    figure = ens.plot_design()

    first, second = clouds(figure.axes[1])
    assert len(places(first)) == 5
    assert places(second) == sorted(tuple(member.values.values()) for member in added)
    assert [tuple(np.asarray(cloud.get_facecolor())[0, :3]) for cloud in (first, second)] == [BLUE, ORANGE]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["5 at first", "2 by extend"]


def test_a_design_that_did_not_grow_has_no_legend() -> None:
    assert not ensemble({"T": [1, 2]}).plot_design().legends


def test_one_parameter_is_a_strip() -> None:
    ens = ensemble({"T": [1, 2, 4]})

    above, below = ens.plot_design().axes

    assert heights(above) == [1, 1, 1]
    assert points(below) == [(1, 0), (2, 0), (4, 0)]


def test_a_member_without_a_parameter_is_not_where_that_is_shown() -> None:
    ens = ensemble({"T": [1, 2], "P": [5, 6]})
    ens.add_model(Model("other", {"T": 7}, RUN))

    T, pairs, P = ens.plot_design().axes  # noqa: N806

    assert (sum(heights(T)), len(points(pairs)), sum(heights(P))) == (5, 4, 4)


@pytest.mark.parametrize(
    ("params", "shown"), [(None, ["T", "P"]), ("seed", ["seed"]), (["P", "seed"], ["P", "seed"]), (["T", "T"], ["T"])]
)
def test_the_parameters_that_differ_are_shown_or_those_that_are_named(params: list[str] | None, shown: list[str]) -> None:
    figure = ensemble({"T": [1, 2], "seed": 7, "P": [5, 6]}).plot_design(params)

    assert [label for axes in figure.axes if (label := axes.get_xlabel())] == shown


@pytest.mark.parametrize(
    ("options", "title"),
    [
        ({"perm_strategy": "random", "replicas": 3, "seed": 7}, "space: 3 members, random, seed 7"),
        ({}, "space: 4 members, all_perm"),
        ({"perm_strategy": lambda _names, _values, _n_models: [{"T": 1}]}, "space: 1 member, <lambda>"),
    ],
)
def test_the_title_says_what_makes_the_design(options: dict[str, Any], title: str) -> None:
    assert ensemble({"T": [1, 2, 3, 4]}, **options).plot_design().get_suptitle() == title


WIDE = {f"p{number}": [1, 2] for number in range(9)}


@pytest.mark.parametrize(
    ("given", "params", "kind", "message"),
    [
        (WIDE, None, ParameterError, f"space: 9 parameters, where 8 are the most in a figure; choose: params={[*WIDE][:3]}"),
        ({"temp": [1, 2]}, "tmp", ParameterError, "space: no parameter 'tmp'; did you mean 'temp'? There are temp"),
        ({"T": [1, 2]}, [7], ParameterError, "space: no parameter 7; there are T"),
        ({"T": [1, 2], "P": 1}, [], ParameterError, "space: params is empty; there are T, P"),
        ({"T": [1, 2]}, 7, InputTypeError, "space: params is 7; give the name of a parameter, or a list of names"),
        (None, None, ParameterError, "space: no member has parameters; an ensemble with params can be plotted"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_said(given: Any, params: Any, kind: type[Exception], message: str) -> None:
    ens = ensemble(given, replicas=None if given else 2, perm_strategy="step" if given else None)

    with pytest.raises(kind) as caught:
        ens.plot_design(params)

    assert str(caught.value) == message


def test_without_matplotlib_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(UnsupportedError, match=r"plot_design: needs Matplotlib; run pip install 'smartensemble\[plot\]'"):
        ensemble({"T": [1, 2]}).plot_design()


def test_nothing_is_shown_or_kept_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it is an error

    assert png(ensemble({"T": [1, 2], "P": [1, 2]}).plot_design())
