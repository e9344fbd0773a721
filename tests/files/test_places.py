"""Whether a directory can be made where it shall be is known before anything is written."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from smartensemble.errors import AccessError, NoDirectoryError
from smartensemble.files.places import check_places
from worlds.patience import PATIENCE_S
from worlds.strangers import NO_FILES

Driver = Callable[..., "Popen[str]"]


def test_a_directory_may_be_made_below_others_that_are_not_there_yet(tmp_path: Path) -> None:
    check_places({f"{tmp_path}/no/such/place/m_0": "m_0", f"{tmp_path}/m_1": "m_1"})

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", sorted(NO_FILES.keys() - {"directory", "link to itself"}))
@pytest.mark.parametrize("below", ["m", "deep/m"])
def test_no_directory_is_made_below_what_is_none(tmp_path: Path, kind: str, below: str) -> None:
    NO_FILES[kind](tmp_path / "it")

    with pytest.raises(NoDirectoryError, match=f"^m: {tmp_path}/it.*; move"):
        check_places({f"{tmp_path}/it/{below}": "m"})


@pytest.mark.parametrize("name", ["x" * 255, "y/" * 2500])
def test_a_path_may_be_too_long_for_a_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(AccessError, match="is too long for a directory; give a shorter path"):
        check_places({f"{tmp_path}/{name}".rstrip("/"): "m"})


#: What makes a directory of a study unusable, and the message about that.
REFUSED = {
    "study/ens": "study/ens",
    "data/sub": "data/sub",
}


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("place", REFUSED)
def test_what_may_not_be_read_or_written_is_an_error_before_anything_is(driver: Driver, tmp_path: Path, place: str) -> None:
    """Each generate fails in the same way, and leaves nothing that the next one stumbles over."""
    code = f"""
        from smartensemble.errors import AccessError
        Path("data/sub").mkdir(parents=True)
        ens = exp.create_ensemble("ens", replicas=2, run_settings=settings("true"))
        ens.attach_generator_files(to_copy="data")
        exp.generate(ens)
        Path({place!r}).mkdir(exist_ok=True)
        os.chmod({place!r}, 0o055)
        before = sorted(os.walk("study"))
        for _ in range(2):
            try:
                exp.generate(ens, overwrite=True)
            except AccessError as error:
                print(error)
        assert sorted(os.walk("study")) == before
        os.chmod({place!r}, 0o755)
        exp.generate(ens, overwrite=True)
        assert not list(Path("study/ens").glob(".*"))
    """
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []

    said = driver(code, wrapper=bound).communicate(timeout=PATIENCE_S)[0].splitlines()

    assert len(said) == 2
    assert said[0] == said[1]
    assert re.search(REFUSED[place], said[0])


def test_where_effective_rights_cannot_be_told_the_others_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser."""
    monkeypatch.setattr(os, "supports_effective_ids", set())

    check_places({str(tmp_path / "new"): "m"})
