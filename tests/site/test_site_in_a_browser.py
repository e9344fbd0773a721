"""The built site does what a reader expects of it, in Chromium, without a network, with and without a mouse."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from worlds.patience import PATIENCE_S, eventually

pytest_plugins = ["chromium"]
pytestmark = pytest.mark.needs("chromium")

TABS = ["Start", "Learn", "Tutorials", "Ensemble", "How to", "Reference", "Understand", "Teach", "tutorkit", "Status"]
MOST = 1_000_000  #: bytes that a page may take to be read, without its pictures

CONTROL, ENTER, TAB = "\ue009", "\ue007", "\ue004"  #: as WebDriver spells them

Go = Callable[[str], Any]


def one(browser: Any, selector: str) -> Any:
    """The first element that is to be seen."""
    found = browser.find_elements("css selector", selector)
    return next(element for element in found if element.is_displayed())


def heading(browser: Any) -> str:
    return str(one(browser, "article h1").text).rstrip("#").strip()


# --- finding one's way ------------------------------------------------------------------------------------------------


def test_the_tabs_lead_everywhere_and_say_where_one_is(visit: Go) -> None:
    browser = visit("index.html")
    names = [link.text for link in browser.find_elements("css selector", ".bd-header .navbar-nav a.nav-link") if link.text]
    assert names == TABS

    for name in TABS:
        browser.find_element("link text", name).click()
        eventually(lambda: browser.find_elements("css selector", ".bd-header .current a.nav-link"))
        assert one(browser, ".bd-header .current a.nav-link").text == name
        assert heading(browser)


def test_from_the_first_page_to_a_method_and_to_the_block_that_runs_it(visit: Go) -> None:
    browser = visit("index.html")

    one(browser, "article .cards a[href^='ensemble.html']").click()
    assert heading(browser) == "Ensemble"
    one(browser, "article a[href$='smartensemble.Ensemble.add_model']").click()
    eventually(lambda: "smartensemble.Ensemble.html" in browser.current_url)
    entry = browser.find_element("id", "smartensemble.Ensemble.add_model").find_element("xpath", "..")
    entry.find_element("css selector", ".tutorkit-examples a").click()

    eventually(lambda: "smartensemble.Ensemble.html" not in browser.current_url)
    target = browser.current_url.partition("#")[2]
    assert "add_model" in browser.find_element("id", target).text


def test_every_link_leads_to_something(folder: Path) -> None:
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html") if "_static" not in path.parts}
    dead = []
    for path, links in pages.items():
        for link in links.targets:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            where = folder / parts.path[1:] if parts.path.startswith("/") else path.parent / unquote(parts.path)
            target = where.resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchored = not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].ids
            if not (target.is_file() and anchored):
                dead.append(f"{path.relative_to(folder)}: {link}")

    assert dead == []


class Links(HTMLParser):
    """Where a page leads, and the places in it that can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.ids.add(value)
            if value and ((tag, name) in (("a", "href"), ("link", "href"), ("img", "src"), ("script", "src"))):
                self.targets.append(value)


# --- the reference ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def entries(folder: Path) -> list[Tag]:
    """The entries of the reference."""
    pages = sorted((folder / "reference" / "api").glob("*.html"))
    return [entry for page in pages for entry in BeautifulSoup(page.read_text("utf-8"), "html.parser").select("dl.py")]


def test_of_every_argument_the_reference_shows_type_default_and_meaning(entries: list[Tag]) -> None:
    shown = [(entry, said(entry), *argument) for entry in entries for argument in given(entry)]
    lacking = [
        f"{entry.dt and entry.dt['id']}: {name}{default}"
        for entry, words, name, default in shown
        if not re.fullmatch(rf"{name} \(.+{re.escape(default)}\) \S .+", words.get(name, ""))
    ]

    assert len(shown) > 300
    assert lacking == []


def given(entry: Tag) -> Iterator[tuple[str, str]]:
    """The arguments in the signatures of an entry, with what the description should end its type with."""
    for parameter in entry.select(":scope > dt em.sig-param"):
        if name := parameter.select_one(".n"):
            default = parameter.select_one(".default_value")
            yield name.text, f", default {default.text}" if default else ""


def said(entry: Tag) -> dict[str, str]:
    """The descriptions of the arguments of an entry, without those of entries in it."""
    paragraphs = entry.select(":scope > dd > dl.field-list p:has(> strong)")
    return {each.strong.text: " ".join(each.text.split()) for each in paragraphs if each.strong}


def test_every_method_is_in_the_contents_of_its_page_and_linked_to_its_lines(folder: Path) -> None:
    page = BeautifulSoup((folder / "reference/api/smartensemble.Experiment.html").read_text("utf-8"), "html.parser")
    methods = {str(each["id"]) for each in page.select("dl.py.method > dt")}
    contents = {str(each["href"]).lstrip("#") for each in page.select("#pst-page-toc-nav a")}
    sources = [str(each.parent["href"]) for each in page.select("dl.py.method > dt .viewcode-link") if each.parent]

    assert "smartensemble.Experiment.create_ensemble" in methods
    assert methods - contents == set()
    assert len(sources) == len(methods)


# --- taking something along -------------------------------------------------------------------------------------------


def test_the_copy_button_copies_code_without_prompts_and_outputs(visit: Go, address: str) -> None:
    from selenium.webdriver import ActionChains

    browser = visit("howto/parameters.html")
    permissions = {"origin": address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)

    block = next(each for each in browser.find_elements("css selector", "div.highlight") if each.text.startswith(">>> "))
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", block)
    button = block.find_element("css selector", "button.copybtn")
    ActionChains(browser).move_to_element(block).move_to_element(button).click().perform()
    copied = eventually(lambda: browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])"))

    lines = [line for line in block.text.splitlines() if line.startswith((">>> ", "... "))]
    assert copied.splitlines() == [line[4:] for line in lines]


def test_a_downloaded_script_prints_what_the_page_and_its_notebook_show(visit: Go, tmp_path: Path) -> None:
    browser = visit("howto/parameters.html")

    for word in ("script", "notebook"):
        browser.find_element("css selector", ".tutorkit-along").find_element("link text", word).click()
    script = eventually(lambda: next(browser.downloads.glob("*.py"), None))  # it has another name until it is whole
    notebook = eventually(lambda: next(browser.downloads.glob("*.ipynb"), None))
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert done.returncode == 0, done.stderr
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output["text"] for cell in cells for output in cell.get("outputs", []) if "text" in output]
    assert done.stdout.replace(str(tmp_path), "/home/you") == "".join(line for lines in outputs for line in lines)
    assert any("# Parameters and strategies" in "".join(cell["source"]) for cell in cells)


def test_a_page_says_at_its_top_what_ran_and_opens_to_the_rest(visit: Go) -> None:
    browser = visit("howto/parameters.html")
    stamp = one(browser, "details.tutorkit-stamp")

    said = stamp.text
    stamp.find_element("css selector", "summary").click()

    assert re.fullmatch(r"All \d+ blocks ran on \d+ \w+ \d{4} with Python 3\.\d+ on Linux", said), said
    assert "Versions: smartensemble " in eventually(lambda: stamp.text.partition("\n")[2])
    marks = browser.find_elements("css selector", "span.tutorkit-mark")
    assert {mark.get_attribute("title").partition(" in ")[0] for mark in marks} == {"passed"}
    assert str(len(marks)) in said


# --- how it looks -----------------------------------------------------------------------------------------------------


def test_dark_mode_stays_on(visit: Go) -> None:
    browser = visit("index.html")
    background = "return getComputedStyle(document.body).backgroundColor"
    light = browser.execute_script(background)

    one(browser, ".theme-switch-button").click()
    eventually(lambda: one(browser, ".theme-change-button[data-mode=dark]")).click()
    browser.find_element("link text", "Status").click()

    assert browser.execute_script("return document.documentElement.dataset.theme") == "dark"
    assert browser.execute_script(background) != light
    assert browser.execute_script("return getComputedStyle(document.querySelector('article h1')).color") != "rgb(20, 25, 27)"


def test_drawings_follow_the_theme(visit: Go) -> None:
    browser = visit("ensemble.html")
    fill = "return getComputedStyle(document.querySelector('.drawing-svg text')).fill"

    found = []
    for theme in ("light", "dark"):
        browser.execute_script(f"document.documentElement.dataset.theme = '{theme}'")
        found.append(browser.execute_script(fill))

    assert len(set(found)) == 2


def test_every_measurement_is_drawn_once_where_it_belongs(visit: Go) -> None:
    browser = visit("understand/performance.html")
    text = "return arguments[0].textContent"  # a folded table shows none
    cells = [browser.execute_script("return [...arguments[0].cells].map(each => each.textContent)", row)
             for row in browser.find_elements("css selector", "table.numbers tbody tr")]  # fmt: skip
    measured = {row[0]: (row[1], row[3]) for row in cells}
    table = Path(__file__).parents[2] / "docs" / "understand" / "performance.csv"
    assert len(measured) == len(cells) == len(table.read_text().splitlines()) - 1

    rows = browser.find_elements("css selector", ".measured li:not(.scale)")
    assert [browser.execute_script(text, row.find_element("css selector", ".what")) for row in rows] == list(measured)
    for row, (peer, ours) in zip(rows, measured.values(), strict=True):
        marks = {mark.get_attribute("class"): mark for mark in row.find_elements("css selector", ".track i")}
        assert marks["ours"].get_attribute("title").endswith(f": {ours}")
        assert ("peer" in marks) == bool(peer)
        assert "peer" not in marks or marks["ours"].location["x"] < marks["peer"].location["x"]


def test_no_page_is_wider_than_a_phone(visits: list[Any]) -> None:
    assert [(each.page, each.phone_width) for each in visits if each.phone_width > 390] == []


# --- for everybody ----------------------------------------------------------------------------------------------------


def test_nothing_keeps_anybody_from_reading(visits: list[Any]) -> None:
    found = {each.page: each.violations for each in visits if each.violations}

    assert found == {}, "\n".join(f"{page}: {problem}" for page, problems in found.items() for problem in problems)


def test_the_keyboard_reaches_the_content(visit: Go) -> None:
    browser = visit("howto/run.html")
    browser.switch_to.active_element.send_keys(TAB)
    skip = browser.switch_to.active_element
    eventually(skip.is_displayed)
    assert skip.text == "Skip to main content"
    skip.send_keys(ENTER)
    browser.switch_to.active_element.send_keys(TAB)

    assert browser.execute_script("return document.querySelector('#main-content').contains(document.activeElement)")


def test_the_keyboard_reaches_every_tab(visit: Go) -> None:
    browser = visit("index.html")
    reached = []
    for _ in range(len(TABS) + 4):
        browser.switch_to.active_element.send_keys(TAB)
        reached.append(browser.switch_to.active_element.text)

    assert [name for name in reached if name in TABS] == TABS


# --- without a network ------------------------------------------------------------------------------------------------


def test_no_request_leaves_the_site(visits: list[Any], address: str) -> None:
    away = {each.page: [url for url in each.urls.values() if not url.startswith((address, "data:"))] for each in visits}

    assert {page: urls for page, urls in away.items() if urls} == {}


def test_the_console_has_no_errors(visits: list[Any]) -> None:
    assert {each.page: each.said for each in visits if each.said} == {}


def test_every_page_is_light(visits: list[Any]) -> None:
    assert {each.page: each.bytes for each in visits if each.bytes > MOST} == {}
