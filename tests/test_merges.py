"""No file has a leftover of a merge."""

from collections.abc import Iterator, Sequence

import pytest

from worlds.distributions import ROOT, own_files

MARKERS = ("<" * 7, ">" * 7, "|" * 7)
MIDDLE = "=" * 7  #: also what underlines a title of up to seven letters


def test_no_file_has_a_leftover_of_a_merge() -> None:
    found = {name: left for name in sorted(own_files()) if (left := list(leftovers((ROOT / name).read_bytes().splitlines())))}

    assert found == {}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["Problem", MIDDLE], []),
        (["Ends", MIDDLE, "text"], []),
        ([MIDDLE, "Problem", MIDDLE], []),
        (["a paragraph", MIDDLE, "another"], [2]),
        (["", MIDDLE, ""], [2]),
        ([f"{MARKERS[0]} HEAD", "mine", MIDDLE, "theirs", f"{MARKERS[1]} 532b7cb"], [1, 5]),
        ([f"{MARKERS[2]} base"], [1]),
        (["<" * 8, f"{MARKERS[1]}>", f" {MARKERS[0]}"], []),
    ],
)
def test_a_leftover_is_told_from_an_underline(lines: list[str], found: list[int]) -> None:
    assert list(leftovers([line.encode() for line in lines])) == found


def leftovers(lines: Sequence[bytes]) -> Iterator[int]:
    """The numbers of lines that git writes where two changes meet."""
    for number, line in enumerate(lines, 1):
        before, after = lines[number - 2] if number > 1 else b"", lines[number] if number < len(lines) else b""
        title = 0 < len(before) <= 7 or (0 < len(after) <= 7 and lines[number + 1 : number + 2] == [line])
        if line.split(b" ")[0] in {marker.encode() for marker in MARKERS} or (line == MIDDLE.encode() and not title):
            yield number
