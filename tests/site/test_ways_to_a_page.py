"""A page is found by its reader's words, leads on and back, and is whole on paper.

Each query is one that readers type, with the pages that answer it; the first hit is one of these.
"""

import base64
import io
import re
from collections.abc import Callable
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup

from worlds.patience import eventually

pytest_plugins = ["chromium"]
pytestmark = pytest.mark.needs("chromium")

ROOT = Path(__file__).parents[2]
Go = Callable[[str], Any]
CONTROL, ENTER = "\ue009", "\ue007"  #: as WebDriver spells them

FAILED = "howto/run learn/5-failures tutorials/rerun/rerun"
QUERIES = {
    "resume": "howto/run",
    "restart failed": FAILED,
    "rerun only the failed members": FAILED,
    "why did a member fail": FAILED,
    "kill": "howto/run",
    "time limit": "howto/run",
    "progress bar": "howto/run",
    "pandas": "howto/run",
    "sweep": "howto/parameters",
    "how do I pass parameters": "howto/parameters",
    "random seed": "howto/parameters",
    "grid search": "howto/parameters",
    "perm_strategy": "howto/parameters",
    "latin hypercube": "howto/designs",
    "template": "howto/files",
    "quickstart": "start",
    "conda": "start",
    "version": "start",
    "installing on windows": "start",
    "multiple nodes": "howto/move howto/batch howto/slurm",
    "srun": "howto/run_settings",
    "singularity": "howto/run_settings",
    "job array": "howto/batch",
    "how do I run on slurm": "howto/slurm",
    "pbs": "howto/scheduler",
    "onnx": "howto/models",
    "gpu": "howto/models",
    "redis": "howto/database",
    "shard": "howto/clusters",
    "password": "howto/security",
    "out of memory": "howto/wrong",
    "migrate from smartsim": "howto/smartsim",
    "benchmark": "understand/performance",
    "jupyter": "tutorials",
    "doctest": "tutorkit/index",
    "homework": "teach/exercises teach/assignment",
    "cite": "cite",
    "changelog": "changelog",
    "licence": "license",
    "report a bug": "help",
    "InputValueError": "reference/errors",
    "paramters": "howto/parameters",  # misspelled
    "databse": "howto/database",
}
#: Names of the interface: a query that looks like one leads to its entry.
ENTRIES = {"Experiment.start": "#smartensemble.Experiment.start", "Ensemble.failures()": "#smartensemble.Ensemble.failures"}


def first_hits(browser: Any, queries: list[str]) -> list[tuple[str, str, str]]:
    """The page, the place in it, and the sentence of the first hit of each query, by the script of the search page."""
    found = browser.execute_script(
        """return arguments[0].map(query => {
             const found = Ranking.find(query, Ranking.words(query)).at(-1);
             return found ? [found[0], found[2], found[3]] : ["", "", ""]; })""",
        queries,
    )
    return [(page, place, about) for page, place, about in found]


def test_the_words_of_readers_lead_to_the_page_that_helps(visit: Go) -> None:
    browser = visit("search.html")

    hits = dict(zip(QUERIES, first_hits(browser, list(QUERIES)), strict=True))

    assert {query: page for query, (page, _, _) in hits.items() if page not in QUERIES[query].split()} == {}
    assert {about for _, _, about in hits.values() if not re.match(r"[A-Z`a-z].{20,250}\.$", about)} == set()


def test_a_name_leads_to_its_entry(visit: Go) -> None:
    browser = visit("search.html")

    assert [place for _, place, _ in first_hits(browser, list(ENTRIES))] == list(ENTRIES.values())


def test_what_nothing_is_said_of_is_not_found(visit: Go) -> None:
    browser = visit("search.html")

    assert first_hits(browser, ["xylophone"]) == [("", "", "")]


def test_the_search_shows_its_results_where_one_types(visit: Go) -> None:
    browser = visit("howto/files.html")

    browser.find_element("css selector", "body").send_keys(CONTROL, "k")
    field = eventually(lambda: browser.find_element("css selector", "dialog[open] input[type=search]"))
    field.send_keys("collision prefix")
    eventually(lambda: browser.find_elements("css selector", "#search-results li a")).pop(0).click()

    eventually(lambda: browser.find_element("css selector", "article h1").text.startswith("Preventing data collisions"))


def test_the_search_works_from_a_disk(browser: Any, folder: Path) -> None:
    browser.get_log("browser")
    browser.get(f"{folder.as_uri()}/search.html?q={quote('restart failed')}")

    first = eventually(lambda: browser.find_elements("css selector", "#search-results li"))[0]
    assert "Run members" in first.find_element("css selector", "p.context").text
    assert browser.find_element("css selector", "#search-results [role=status]").text
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


# --- on and back ------------------------------------------------------------------------------------------------------


def test_where_no_page_is_one_leads_on(visit: Go, address: str) -> None:
    browser = visit("howto/no/such/page.html")

    assert browser.find_element("css selector", "article h1").text.startswith("Page not found")
    browser.find_element("css selector", "form.not-found input").send_keys("onnx", ENTER)
    eventually(lambda: browser.find_elements("css selector", "#search-results li a"))
    assert browser.current_url.startswith(f"{address}/search.html")
    browser.back()
    browser.find_element("link text", "Learn").click()
    eventually(lambda: browser.current_url == f"{address}/learn/index.html")


@cache
def pages(folder: Path) -> dict[str, str]:
    """All pages of the site."""
    files = [path for path in folder.rglob("*.html") if "_static" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def said(page: str, name: str) -> str:
    """What a page's head says of this name."""
    tags = [tag for tag in re.findall(r"<meta [^>]*>", page) if f'"{name}"' in tag]
    return unescape(re.findall(r'content="([^"]*)"', tags[0])[0]) if tags else ""


def test_every_page_says_what_it_is(folder: Path) -> None:
    about = {name: said(page, "description") for name, page in pages(folder).items()}

    assert {name: text for name, text in about.items() if not 25 <= len(text) <= 250} == {}
    assert [name for name, page in pages(folder).items() if said(page, "og:description") != about[name]] == []
    assert [name for name, page in pages(folder).items() if not said(page, "og:title")] == []


def test_every_page_leads_to_what_is_said_of_the_project(folder: Path) -> None:
    for name, page in pages(folder).items():
        foot = page[page.index("bd-footer__inner") :]
        links = {link.rpartition("/")[2] for link in re.findall(r'href="([^"]*)"', foot)} | {"#", Path(name).name}
        assert {"changelog.html", "license.html", "cite.html", "help.html", "genindex.html", "status.html"} <= links, name
        assert 'class="version"' in page, name
        assert [nav for nav in re.findall(r"<nav\b[^>]*>", page) if "aria-label" not in nav] == [], name


def test_howto_pages_and_lessons_have_one_before_and_one_after(folder: Path) -> None:
    for name, page in pages(folder).items():
        if name.startswith(("howto/", "learn/")):
            assert ('class="left-prev"' in page, 'class="right-next"' in page) == (True, True), name


def test_the_index_of_howto_pages_has_a_line_for_each(folder: Path) -> None:
    page = BeautifulSoup(pages(folder)["howto/index.html"], "html.parser")
    lines = {item.find("a")["href"]: item.find_all("p")[-1].get_text() for item in page.select(".lines li")}  # type: ignore[index]

    assert set(lines) == {path.name for path in (folder / "howto").glob("*.html")} - {"index.html"}
    assert [line for line in lines.values() if len(line) < 25] == []


def test_the_citation_is_that_of_the_file(folder: Path) -> None:
    version = re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)[0]
    text = re.sub(r"<[^>]*>", "", pages(folder)["cite.html"])

    assert f"version = {{{version}}}" in text


def test_the_card_is_what_its_drawing_shows(browser: Any, tmp_path: Path) -> None:
    """If it is not, copy the picture that this has made."""
    from matplotlib.image import imread

    card, made = ROOT / "docs" / "_static" / "card.png", ROOT / "build" / "card.png"
    size = {"width": 1200, "height": 630, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get((ROOT / "docs" / "drawings" / "card.svg").as_uri())
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    made.write_bytes(base64.b64decode(shot))

    drawn, kept = imread(made), imread(card)
    assert drawn.shape[:2] == kept.shape[:2] == (630, 1200)
    assert abs(drawn[..., :3] - kept[..., :3]).mean() < 0.01, f"copy {made} to {card}"


# --- on paper ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["howto/parameters.html", "reference/errors.html"])
def test_on_paper_nothing_is_cut(visit: Go, page: str) -> None:
    """The longest lines of code, also in a table, where the words of another cell may stand between theirs."""
    browser = visit(page)
    code = browser.execute_script("return [...document.querySelectorAll('article pre')].map(each => each.textContent)")
    lines = [line for each in code for line in each.splitlines()]
    longest = sorted(lines, key=len)[-40:]

    printed = letters(text_of_pdf(browser))

    assert len(longest[-1]) > 90
    words = {line: [re.escape(word) for word in line.split()] for line in (*longest, *lines[-3:])}  # and the end of the page
    assert [line for line in words if not re.search(".{0,80}?".join(words[line]), printed)] == []


def letters(text: str) -> str:
    """A text without its spaces: a line goes on where paper ends."""
    return re.sub(r"\s+", "", text)


def text_of_pdf(browser: Any) -> str:
    """The text of a page that is printed on A4."""
    from pypdf import PdfReader

    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages)
