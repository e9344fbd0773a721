"""Give exercises out, without what would answer them, and grade what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tutorkit.config import Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Answer, Check, Exercise
from tutorkit.teaching import download
from tutorkit.teaching.exercises import Verdict, check, find

HANDOUT = "exercises.json"  #: beside the answers, it has the checks where the pages are not


def handout(exercises: Sequence[Exercise]) -> str:
    """What ``tutorkit check`` needs of exercises, as JSON: neither solutions nor wrong answers."""
    bare = [replace(each, solution=Answer(0, ""), wrong=()) for each in exercises]
    return json.dumps([asdict(each) for each in bare], indent=1) + "\n"


def load(file: Path) -> list[Exercise]:
    """The exercises that were given out in `file`.

    :raises PageError: it holds none.
    """
    try:
        return [_exercise(each) for each in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PageError(f"{file}: holds no exercises ({error!r}); take the file that 'tutorkit give' has written") from error


def _exercise(data: Mapping[str, object]) -> Exercise:
    """An exercise from its JSON."""
    fields = dict(data)
    for name in ("starter", "solution"):
        fields[name] = Answer(**fields[name])  # type: ignore[arg-type]
    fields["checks"] = tuple(Check(**each) for each in fields["checks"])  # type: ignore[attr-defined]
    fields["wrong"], fields["needs"] = (), tuple(fields["needs"])  # type: ignore[arg-type]
    return Exercise(**fields)  # type: ignore[arg-type]


def give(exercises: Sequence[Exercise], folder: Path) -> list[Path]:
    """Write into `folder` a starter for each exercise, and their checks; what was written.

    :raises PageError: one of the files is there already.
    """
    files = {folder / download.starter_name(each): download.starter(each) for each in exercises}
    files[folder / HANDOUT] = handout(exercises)
    if there := [file.name for file in files if file.exists()]:
        raise PageError(f"{folder}: has {', '.join(there)} already, which may hold answers; give another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        file.write_text(content, encoding="utf-8")
    return list(files)


@dataclass(frozen=True)
class Grades:
    """What came of the answers of one student."""

    student: str
    verdicts: Mapping[str, Verdict]  #: by the names of the exercises
    problems: tuple[str, ...] = ()  #: files that answer no exercise, or that cannot be read


def grade(exercises: Sequence[Exercise], folder: Path, config: Config) -> Iterator[Grades]:
    """Check the answers in `folder`, which has a folder for each student.

    :raises PageError: it has none.
    """
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not students:
        raise PageError(f"{folder}: has no folders; put the files of each student into one, called by the student's name")
    for student in students:
        verdicts, problems = {}, []
        for file in sorted(student.glob("**/*.py")):
            try:
                source = file.read_text(encoding="utf-8-sig")
                exercise = find(exercises, source, file)
            except (PageError, UnicodeDecodeError, OSError) as error:
                problems.append(str(error))
                continue
            verdicts[exercise.name] = check(exercise, source, file.name, config)
        yield Grades(student.name, verdicts, tuple(problems))


def cell(verdict: Verdict | None) -> str:
    """What a table of grades says of an answer: "right", how many checks pass, or nothing."""
    if verdict is None:
        return ""
    return "right" if verdict.passed else f"{verdict.right} of {len(verdict.exercise.checks)}"


def rows(exercises: Sequence[Exercise], grades: Sequence[Grades]) -> list[list[str]]:
    """A table of grades: a line for each student, a column for each exercise that somebody answered, and how many are right."""
    names = [each.name for each in exercises if any(each.name in one.verdicts for one in grades)]
    lines = [["student", *names, "right"]]
    for one in grades:
        right = sum(verdict.passed for verdict in one.verdicts.values())
        lines.append([one.student, *(cell(one.verdicts.get(name)) for name in names), f"{right} of {len(names)}"])
    return lines
