"""The README tells the numbers that were measured, and shows a picture that is there."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("said", "measured"),
    [
        ("`import`", "import (CPU)"),
        ("an ensemble of 10,000 members", "create 10^4 members (CPU)"),
        ("500 programs, started and awaited", "start and wait, 500 x /bin/true"),
    ],
)
def test_the_readme_has_the_measurements_of_the_table(said: str, measured: str) -> None:
    with (ROOT / "docs" / "understand" / "performance.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["what"] == measured)

    assert f"| {said} | {row['SmartSim']} | {row['ours']} |" in README


@pytest.mark.parametrize("path", re.findall(r"\]\(((?!https?:)[^)]+)\)", README))
def test_what_the_readme_links_to_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_example_has_at_most_twelve_lines() -> None:
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]

    assert len([line for line in example.splitlines() if line.strip()]) <= 12
