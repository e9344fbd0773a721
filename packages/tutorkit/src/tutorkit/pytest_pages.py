"""Pages as files of pytest, and blocks as its tests: a Sybil whose documents are parsed and evaluated by tutorkit."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.example import SybilFailure
from sybil.integration.pytest import SybilFile, SybilItem

from tutorkit.config import Condition, Config
from tutorkit.errors import PageError
from tutorkit.reading.blocks import Block, Exercise, Kind, Page
from tutorkit.reading.pages import read
from tutorkit.record import cache, site
from tutorkit.record.session import Session
from tutorkit.running.clean_process import clean_process
from tutorkit.running.conditions import lacking
from tutorkit.teaching import exercises

REQUIRE = "REQUIRE_ALL"  #: with 1 in this variable of the environment, what this machine lacks is a failure


class PageDocument(Document):
    """A page as Sybil sees it: its blocks are the regions."""

    page: Page


class PageSybil(Sybil):
    """Reads the pages of a project."""

    def __init__(self, config: Config) -> None:
        super().__init__(parsers=[], path=str(config.root))
        self.config = config

    def parse(self, path: Path) -> PageDocument:
        """The page at `path`."""
        page = read(path, self.config.root)
        document = PageDocument(page.text, str(path))
        document.page = page
        lines = [0]
        for line in page.text.splitlines(keepends=True):
            lines.append(lines[-1] + len(line))
        for block in page.blocks:
            if block.kind is not Kind.DISPLAY:
                start = lines[min(block.line, len(lines)) - 1]
                document.add(Region(start, start, block, evaluate))
        return document

    def identify(self, example: Example) -> str:
        """The id of a block."""
        block: Block = example.parsed
        return block.id


def evaluate(example: Example) -> str:
    """What is wrong with a block; "" if nothing."""
    session: Session = example.namespace["tutorkit"]
    return session.run(example.parsed).problem


class PageFile(SybilFile):
    """A page under pytest."""

    def __init__(self, *, pages: Pages, **options: Any) -> None:
        super().__init__(**options)
        self.pages = pages
        self.session_: Session | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each block, and for each exercise."""
        (sybil,) = self.sybils
        try:
            document = sybil.parse(self.path)
            assert isinstance(document, PageDocument)
            self.session_ = self.pages.session(document.page)
        except PageError as error:
            raise self.CollectError(str(error)) from error
        self.documents.append(document)
        document.namespace["tutorkit"] = self.session_
        for example in document.examples():
            yield marked(BlockItem.from_parent(self, sybil=sybil, example=example), example.parsed.needs)
        for exercise in document.page.exercises:
            name = f"exercise-{exercise.name}"
            item = ExerciseItem.from_parent(self, name=name, exercise=exercise, page_session=self.session_)
            yield marked(item, exercise.needs)

    def teardown(self) -> None:
        """End the page; what it left behind is an error."""
        if self.session_ and (problem := self.session_.close()):
            pytest.fail(f"{self.session_.page.name}: {problem}", pytrace=False)


class BlockItem(SybilItem):
    """A block under pytest."""

    @property
    def session_(self) -> Session:
        """The run of its page."""
        session: Session = self.example.namespace["tutorkit"]
        return session

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        block: Block = self.example.parsed
        return self.path, block.line - 1, f"{block.place} {block.id}"

    def runtest(self) -> None:
        """Run it, unless this machine lacks what it needs."""
        block: Block = self.example.parsed
        if condition := self.session_.lacking.get(block.id):
            leave_out(block.place, condition)
        super().runtest()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, in its own words."""
        if isinstance(excinfo.value, SybilFailure):
            return excinfo.value.result
        return super().repr_failure(excinfo, style)


def marked(item: pytest.Item, needs: Iterable[str]) -> pytest.Item:
    """`item`, marked as a test in Python is, so that ``-m "not needs"`` chooses what every machine can run."""
    if names := tuple(needs):
        item.add_marker(pytest.mark.needs(*names))
    return item


def leave_out(subject: str, condition: Condition) -> None:
    """Skip what needs something that this machine lacks; or fail, where all is required."""
    if os.environ.get(REQUIRE) == "1" and not condition.optional:
        pytest.fail(f"{subject}: {condition.reason}, and {REQUIRE}=1 asks for it", pytrace=False)
    pytest.skip(f"{subject}: {condition.reason}")


class ExerciseItem(pytest.Item):
    """An exercise under pytest: the solution passes, the starter and each wrong answer fail."""

    def __init__(self, *, exercise: Exercise, page_session: Session, **options: Any) -> None:
        super().__init__(**options)
        self.exercise = exercise
        self.session_ = page_session

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        return self.path, self.exercise.line - 1, f"{self.exercise.page}:{self.exercise.line} exercise {self.exercise.name}"

    def runtest(self) -> None:
        """Prove it."""
        settings = self.session_.config
        if condition := lacking(self.exercise.needs, settings, self.exercise.place):
            leave_out(self.exercise.place, condition)
        problem = self.session_.proofs[self.exercise.name] = "\n".join(exercises.prove(self.exercise, settings))
        if problem:
            pytest.fail(problem, pytrace=False)


class Pages:
    """The part of the plugin that is there where pages are."""

    def __init__(self, config: Config, options: pytest.Config) -> None:
        self.config = config
        self.options = options
        self.paths = frozenset(config.paths())
        self.sybil = PageSybil(config)
        self.implementation: str = options.getoption("--tutorkit-impl")
        if not options.getoption("collectonly"):
            clean_process()  # which is there when the first page is to run
        self.cached: bool = options.getoption("--tutorkit-cache") and not self.implementation
        self.trace: bool = self.cached or not (self.implementation or options.getoption("--tutorkit-no-api-coverage"))
        self.unchanged: list[str] = []
        self.outcomes: dict[str, Counter[str]] = {}  #: of the blocks of each page

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """Pages are ours: pytest's doctest would run one that is named on the command line a second time, on its own."""
        found = yield
        if file_path not in self.paths:
            return found
        others = [each for each in found if type(each).__module__ != "_pytest.doctest"]
        page = self.page(file_path, parent)
        return [page, *others] if page else others

    def session(self, page: Page) -> Session:
        """The run of a page, as the options say."""
        return Session(page, self.config, trace=self.trace, implementation=self.implementation)

    def page(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A page, unless the cache knows that it would pass again."""
        if self.cached and cache.fresh(file_path, self.config):
            self.unchanged.append(file_path.name)
            return None
        return PageFile.from_parent(parent, path=file_path, sybils=[self.sybil], pages=self)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """The blocks of a page belong to one worker."""
        from xdist.scheduler import LoadFileScheduling

        return LoadFileScheduling(config, log) if config.getoption("dist") == "load" else None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What is chosen now is run: a page's process need not wait for a request for each block."""
        for item in session.items:
            if isinstance(item, BlockItem):
                item.session_.expect(item.example.parsed)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A test is marked with the same conditions as a block: ``@pytest.mark.needs("gpu")``."""
        if isinstance(item, (BlockItem, ExerciseItem)):
            return  # they leave themselves out when they run, because a page that is left out is put on record too
        names = [name for mark in item.iter_markers("needs") for name in mark.args]
        try:
            condition = lacking(names, self.config, item.nodeid)
        except PageError as error:
            pytest.fail(str(error), pytrace=False)
        if condition:
            leave_out(item.nodeid, condition)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what becomes of each page's blocks."""
        page = report.nodeid.partition("::")[0]
        if self.config.root / page in self.paths and (report.when == "call" or report.outcome != "passed"):
            self.outcomes.setdefault(page, Counter())[report.outcome] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A site all of which was run may still be wrong as a whole."""
        self.problems = list(site.problems(site.site(self.config), api=self.trace)) if self.whole(session) else []
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def whole(self, session: pytest.Session) -> bool:
        """Every page was to be run: pytest was given no file, and no choice of tests."""
        chosen = any(self.options.getoption(name, default=None) for name in ("keyword", "markexpr", "lf", "collectonly"))
        named = self.options.args_source is pytest.Config.ArgsSource.ARGS
        return not (chosen or named or self.implementation or session.shouldstop or hasattr(self.options, "workerinput"))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how the site stands."""
        if self.implementation and self.outcomes:
            terminalreporter.section(f"pages against {self.implementation}")
            for page, outcomes in sorted(self.outcomes.items()):
                terminalreporter.line(f"{page}: {outcomes['passed']} of {outcomes.total()} pass")
        if self.unchanged:
            terminalreporter.line(f"tutorkit: {len(self.unchanged)} pages unchanged since they passed, not run again")
        if getattr(self, "problems", []):
            terminalreporter.section("the site as a whole")
            for problem in self.problems:
                terminalreporter.line(problem)
