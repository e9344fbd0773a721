"""The command: ``tutorkit run PAGE``, ``check FILE``, ``give FOLDER``, ``grade FOLDER``, ``status``; ``python -m tutorkit``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tutorkit import fix
from tutorkit.config import Config, load
from tutorkit.errors import ConfigError, PageError, TutorkitError
from tutorkit.reading.blocks import Block, Exercise, Kind, Page
from tutorkit.reading.pages import read
from tutorkit.record import ledger, site
from tutorkit.record.session import Session
from tutorkit.running.evaluate import Result
from tutorkit.teaching import classroom, exercises

GIVE = f"Write a starter for each exercise, and {classroom.HANDOUT} with their checks, without solutions."
GRADE = "Check the answers in a folder that has a folder for each student, by the exercises of the pages here."


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 0 if all is well, 1 if a block or an answer is wrong, 2 if it cannot be done."""
    options = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (FileNotFoundError, NotADirectoryError) as error:
        print(f"{error.filename}: is not there; give the path of what is", file=sys.stderr)
        return 2
    except (TutorkitError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    top = argparse.ArgumentParser(prog="tutorkit", description="Documentation that runs, and cannot pretend to.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run pages, block by block", description="Run pages, block by block.")
    run.add_argument("pages", nargs="+", metavar="PAGE", type=Path)
    which = run.add_mutually_exclusive_group()
    which.add_argument("--to", metavar="LINE", type=int, help="stop after the block at this line")
    which.add_argument("--block", metavar="ID", help="run this block, after those before it")
    which.add_argument("--last-failed", action="store_true", help="run up to the last block that failed, on record")
    run.add_argument("--fix", action="store_true", help="write the outputs into the page, where they differ")
    run.set_defaults(command=run_pages)

    check = commands.add_parser("check", help="check an answer to an exercise", description="Check an answer to an exercise.")
    check.add_argument("file", metavar="FILE", type=Path)
    check.add_argument("--exercise", metavar="NAME", help="its name; by default, what the file says it answers")
    check.set_defaults(command=check_answer)

    give = commands.add_parser("give", help="write exercises into a folder, to give out", description=GIVE)
    give.add_argument("folder", metavar="FOLDER", type=Path)
    give.set_defaults(command=give_out)

    grade = commands.add_parser("grade", help="check the answers of many students", description=GRADE)
    grade.add_argument("folder", metavar="FOLDER", type=Path)
    grade.add_argument("--csv", metavar="FILE", type=Path, help="write the table into this file too")
    grade.set_defaults(command=grade_answers)

    for each in (check, give, grade):
        each.add_argument(
            "--page", metavar="PAGE", type=Path, action="append", help="look for exercises here; by default, in all pages"
        )

    status = commands.add_parser("status", help="say how the site stands", description="Say how the site stands.")
    status.add_argument("--failed", action="store_true", help="print only what failed")
    status.set_defaults(command=show_status)
    return top


def settings(directory: Path) -> Config:
    """The settings of the project around `directory`; without any, those of a project of one page."""
    return load(directory) or Config(root=directory)


# --- run ----------------------------------------------------------------------------------------------------------------


def run_pages(options: argparse.Namespace) -> int:
    """Run pages; 1 if a block fails."""
    wrong = 0
    for path in options.pages:
        path = path.resolve()
        config = settings(path.parent)
        page = read(path, config.root)
        if options.fix and fix.uncommitted(path):
            raise PageError(f"{page.name}: has changes that are not committed; commit them, to be able to undo what --fix does")
        wrong += run_page(page, chosen(page, config, options), config, fixing=options.fix)
    return min(wrong, 1)


def chosen(page: Page, config: Config, options: argparse.Namespace) -> list[Block]:
    """The blocks to run, and those before them."""
    blocks = list(page.blocks)
    if options.to is not None:
        return [block for block in blocks if block.line <= options.to]
    if options.block is not None:
        ids = [block.id for block in blocks]
        if options.block not in ids:
            raise PageError(f"{page.name}: no block {options.block!r}; there are {', '.join(ids) or 'none'}")
        return blocks[: ids.index(options.block) + 1]
    if options.last_failed:
        failed = [number for number, entry in enumerate(site.current(page, config).blocks, 1) if entry.result == ledger.FAILED]
        if not failed:
            print(f"{page.name}: no block failed, on record")
        return blocks[: max(failed, default=0)]
    return blocks


def run_page(page: Page, blocks: Sequence[Block], config: Config, *, fixing: bool) -> int:
    """Run blocks of a page, one line each; how many failed."""
    session = Session(page, config, trace=bool(config.api))
    results: dict[str, Result] = {}
    try:
        for block in blocks:
            if block.kind is Kind.DISPLAY:
                continue
            if reason := session.skipped.get(block.id):
                print(f"{block.place} {block.id}: skipped: {reason}")
            else:
                results[block.id] = run_block(block, session)
    finally:
        left = session.close()
    if left:
        print(f"{page.name}: {left}")
    if fixing:
        write_outputs(page, results, config)
    return sum(bool(result.problem) for result in results.values()) + bool(left)


def run_block(block: Block, session: Session) -> Result:
    """Run a block, and print a line, with its problem below."""
    if sys.stdout.isatty():
        print(f"{block.place} {block.id} ...", end="\r", flush=True)
    result = session.run(block)
    print(f"{block.place} {block.id}: {'failed' if result.problem else 'passed'} in {result.seconds:.2f} s")
    if result.problem:
        print(result.problem.rstrip())
    return result


def write_outputs(page: Page, results: Mapping[str, Result], config: Config) -> None:
    """Write into a page the outputs that differ, and print what changes."""
    got = {
        (block, number): outcome.other
        for block, result in results.items()
        for number, outcome in enumerate(result.outcomes)
        if outcome.other is not None
    }
    new = fix.rewrite(page, got, config)
    if new != page.text:
        print(fix.diff(page, new))
        page.path.write_bytes(new.encode())


# --- exercises and status -----------------------------------------------------------------------------------------------------


def known(options: argparse.Namespace, config: Config) -> list[Exercise]:
    """The exercises of the chosen pages, by default of all.

    :raises PageError: there are none.
    """
    paths = [path.resolve() for path in options.page] if options.page else list(config.paths())
    found = [exercise for path in paths for exercise in read(path, config.root).exercises]
    if not found:
        where = ", ".join(map(str, options.page)) if options.page else str(config.root)
        raise PageError(f"{where}: no page has an exercise; name one that has, --page PAGE, or give pages in [tool.tutorkit]")
    return found


def check_answer(options: argparse.Namespace) -> int:
    """Check an answer, by the exercises handed out with it, or by those of the project; 1 if it is wrong."""
    config, handout = settings(Path.cwd()), options.file.parent / classroom.HANDOUT
    source = options.file.read_text(encoding="utf-8-sig")
    all_of_them = classroom.load(handout) if handout.is_file() and not options.page else known(options, config)
    exercise = exercises.find(all_of_them, source, options.file, options.exercise)
    verdict = exercises.check(exercise, source, str(options.file), config)
    print(verdict)
    return 0 if verdict.passed else 1


def give_out(options: argparse.Namespace) -> int:
    """Write exercises into a folder."""
    for file in classroom.give(known(options, settings(Path.cwd())), options.folder):
        print(file)
    return 0


def grade_answers(options: argparse.Namespace) -> int:
    """Print what came of the answers of all students; 1 if a file answers no exercise."""
    config = settings(Path.cwd())
    exercises = known(options, config)
    grades = list(classroom.grade(exercises, options.folder, config))
    rows = classroom.rows(exercises, grades)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if options.csv:
        with options.csv.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    problems = [problem for each in grades for problem in each.problems]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def show_status(options: argparse.Namespace) -> int:
    """Print what failed, what did not run and why; 1 if something is wrong."""
    config = load(Path.cwd())
    if config is None:
        raise ConfigError(f"{Path.cwd()}: no pyproject.toml here or above has a section [tool.tutorkit]; add one")
    now = site.site(config)
    wrong = [*site.failures(now), *(() if options.failed else site.problems(now, api=True))]
    print("\n".join([*wrong, site.summary(now)]))
    return 1 if wrong else 0
