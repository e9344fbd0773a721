"""Exercises are given out without answers, and answers are graded by the checks of the one who gave them out."""

import csv
import json
from pathlib import Path

import pytest
from test_exercises import MARKDOWN

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.teaching import classroom
from tutorkit.teaching.exercises import check
from worlds.projects import Command, Write

RIGHT = "def mean(v): return sum(v) / len(v) if v else None\n"
WRONG = "def mean(v): return sum(v) / len(v)\n"


def test_what_is_given_out_can_be_checked_and_holds_no_answers(write: Write, project: Config, tmp_path: Path) -> None:
    page = write(MARKDOWN, "docs/page.md")

    files = classroom.give(page.exercises, tmp_path / "out")
    (exercise,) = classroom.load(tmp_path / "out" / classroom.HANDOUT)

    assert [file.name for file in files] == ["mean.py", "exercises.json"]
    assert "# exercise: mean" in files[0].read_text()
    assert "if values else None" not in "".join(file.read_text() for file in files)
    assert check(exercise, RIGHT, "mean.py", project).passed
    assert check(exercise, WRONG, "mean.py", project).hint == "Nothing to divide by."


def test_answers_are_not_overwritten(write: Write, tmp_path: Path) -> None:
    page = write(MARKDOWN, "docs/page.md")
    (tmp_path / "mean.py").write_text(RIGHT)

    with pytest.raises(PageError, match=r"has mean.py already, which may hold answers; give another folder"):
        classroom.give(page.exercises, tmp_path)

    assert (tmp_path / "mean.py").read_text() == RIGHT
    assert not (tmp_path / classroom.HANDOUT).exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"name": "mean"}]', "[[]]"])
def test_a_file_that_was_not_given_out_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "exercises.json").write_text(content)

    if content == "{}":
        assert classroom.load(tmp_path / "exercises.json") == []
    else:
        with pytest.raises(PageError, match="holds no exercises"):
            classroom.load(tmp_path / "exercises.json")


def test_the_commands_give_check_and_grade(write: Write, command: Command, project: Config) -> None:
    write(MARKDOWN, "docs/page.md")
    given = command("tutorkit", "give", "out")
    for student, answer in (("ada", RIGHT), ("bob", WRONG)):
        folder = project.root / "in" / student
        folder.mkdir(parents=True)
        (folder / "mean.py").write_text(answer)
    (project.root / "in" / "cy").mkdir()
    (project.root / "in" / "bob" / "exercises.json").write_text(json.dumps("mine"))  # a student's checks count for nothing

    graded = command("tutorkit", "grade", "in", "--csv", "grades.csv")
    (project.root / "in" / "cy" / "notes.py").write_text("x = 1\n")
    with_notes = command("tutorkit", "grade", "in")
    without_pages = command("tutorkit", "grade", "in", "--page", "in/ada/mean.py")
    checked = command("tutorkit", "check", "out/mean.py")

    assert given.stdout.split() == ["out/mean.py", "out/exercises.json"]
    assert graded.returncode == 0
    assert graded.stdout.splitlines() == [
        "student  mean    right",
        "ada      right   1 of 1",
        "bob      1 of 2  0 of 1",
        "cy               0 of 1",
    ]
    assert list(csv.reader((project.root / "grades.csv").read_text().splitlines()))[2] == ["bob", "1 of 2", "0 of 1"]
    assert with_notes.returncode == 1
    assert "in/cy/notes.py: no exercise 'notes'" in with_notes.stderr
    assert without_pages.returncode == 2
    assert "in/ada/mean.py: no page has an exercise; name one that has, --page PAGE" in without_pages.stderr
    assert checked.returncode == 1
    assert "not yet. 1 of 2 checks pass" in checked.stdout


def test_a_folder_without_students_is_told(write: Write, project: Config, tmp_path: Path) -> None:
    page = write(MARKDOWN, "docs/page.md")
    (tmp_path / "in").mkdir()

    with pytest.raises(PageError, match="has no folders; put the files of each student into one"):
        list(classroom.grade(page.exercises, tmp_path / "in", project))
