"""A built site, served on this machine, and a browser without a screen: ``pytest tests/site --site build/html``."""

import gzip
import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from worlds.patience import PATIENCE_S

AXE = {"resultTypes": ["violations"], "preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
PHONE = 390
#: The pages on which the colors of code are looked at too, and all colors in the dark.
CODE = (
    "index.html",
    "start.html",
    "howto/run.html",
    "howto/functions.html",
    "learn/1-members.html",
    "tutorials/melt/melt.html",
)


class Handler(SimpleHTTPRequestHandler):
    """Files, compressed where that helps, and the page for what is not there, as web servers send them; nothing is logged."""

    def send_head(self) -> Any:
        """The head of an answer, and a file with its body."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".css", ".js"):
            return super().send_head()
        found = path.is_file()
        body = compressed(path if found else Path(self.directory, "404.html"))
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@cache
def compressed(path: Path) -> bytes:
    """A file as it is sent; each page asks for the same styles and scripts."""
    return gzip.compress(path.read_bytes(), 6, mtime=0)


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    """The files of the site."""
    site: Path | None = pytestconfig.getoption("--site")
    if site is None or not (site / "index.html").is_file():
        pytest.fail(f"--site: there is no site at {site}; build it by nox -s docs, and give --site build/html")
    return site.resolve()


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """Where the site is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def chromium(downloads: Path) -> Iterator[Any]:
    """Chromium, driven by its own driver; nothing is downloaded for it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")  # in a container there is no user to drop rights to
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--window-size=1280,900")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver: Any = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.downloads = downloads
        driver.set_page_load_timeout(PATIENCE_S)
        driver.set_script_timeout(PATIENCE_S)
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})  # each page is a first visit
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser that the tests share."""
    with chromium(tmp_path_factory.mktemp("downloads")) as driver:
        yield driver


@pytest.fixture
def visit(browser: Any, address: str) -> Callable[[str], Any]:
    """Go to a page, as somebody who has not been here before."""

    def visit(page: str) -> Any:
        browser.get(f"{address}/{page}")
        browser.execute_script("localStorage.clear()")
        browser.refresh()
        return browser

    return visit


class Kinds(HTMLParser):
    """What a page has that may be of another color: an element's tag, classes and style, inside of its parent's."""

    EMPTY = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, ...]] = [()]
        self.found: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()

    @classmethod
    def of(cls, page: Path) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Those of a page."""
        reader = cls()
        reader.feed(page.read_text(encoding="utf-8"))
        return {kind for kind in reader.found if "highlight" not in str(kind)}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        told = {name: value or "" for name, value in attributes}
        element = (tag, *sorted(told.get("class", "").split()), told.get("style", ""))
        self.found.add((self.open[-1], element))
        if tag not in self.EMPTY:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those in it that nobody has closed."""
        while len(self.open) > 1 and self.open.pop()[0] != tag:
            pass


def with_every_kind(folder: Path, pages: Sequence[str]) -> set[str]:
    """Some of the pages of a site, which have every kind of element that there is on any."""
    kinds = {page: Kinds.of(folder / page) for page in pages}
    left, chosen = set().union(*kinds.values()), set()
    while left:
        best = max(kinds, key=lambda page: len(kinds[page] & left))
        chosen.add(best)
        left -= kinds[best]
    return chosen


class Visit:
    """What came of a first visit to a page, on some also of a look at their `colors`."""

    def __init__(self, browser: Any, address: str, page: str, colors: bool) -> None:
        self.page = page
        browser.get_log("performance")
        browser.get_log("browser")
        browser.get(f"{address}/{page}")
        self.said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        sent = [each["params"] for each in events if each["method"] == "Network.requestWillBeSent"]
        self.urls = {each["requestId"]: each["request"]["url"] for each in sent}
        finished = [each["params"] for each in events if each["method"] == "Network.loadingFinished"]
        self.bytes = sum(each["encodedDataLength"] for each in finished if not self._picture(each["requestId"]))
        browser.execute_script(_axe())
        told = browser.execute_async_script(CHECK, AXE, colors or page in CODE, page in CODE)
        self.violations = [each for each in told if each["impact"] in ("serious", "critical")]
        phone = {"width": PHONE, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        self.phone_width = browser.execute_script(WIDTH)
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def _picture(self, request: str) -> bool:
        url: str = self.urls.get(request, "")
        return url.endswith((".png", ".gif", ".jpg"))


#: How wide the page is, with what its column hides to the right. Code and tables scroll by themselves.
WIDTH = """
const root = document.documentElement, column = document.querySelector(".bd-article-container");
return Math.max(root.scrollWidth, root.clientWidth + (column ? column.scrollWidth - column.clientWidth : 0));
"""

#: Look at the page in the light; at colors apart from all else, since code has so many words that it takes minutes.
CHECK = """
const [options, colors, code, done] = arguments;
const root = document.documentElement;
const contrast = {...options, runOnly: {type: "rule", values: ["color-contrast"]}};
const look = async (theme, where, options) => {
  root.dataset.mode = root.dataset.theme = theme;
  const found = await axe.run(where, options);
  return found.violations.map(({id, impact, nodes}) => (
    {id, impact, theme, where: nodes.slice(0, 3).map(node => node.target.join(" ") + ": " + node.html.slice(0, 80))}));
};
(async () => [
  ...await look("light", document, {...options, rules: {"color-contrast": {enabled: false}}}),
  ...colors ? await look("light", code ? document : {include: "body", exclude: [".highlight", ".sig"]}, contrast) : [],
  ...code ? await look("dark", document, contrast) : [],
])().then(done, error => done([{id: String(error), impact: "critical", where: []}]));
"""


def _axe() -> str:
    """The checks of axe-core, as the package selenium-axe-python carries them."""
    return files("selenium_axe_python").joinpath("axe-core", "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def visits(address: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Visit]:
    """A first visit to each page, by two browsers that take turns."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html") if "_static" not in path.parts)
    sources = [page for page in found if page.startswith("_modules/")]  # which are made in one way
    pages = [page for page in found if page not in sources[2:]]
    downloads = tmp_path_factory.mktemp("downloads")
    colors = with_every_kind(folder, pages)

    def some(pages: Sequence[str]) -> list[Visit]:
        with chromium(downloads) as driver:
            return [Visit(driver, address, page, page in colors) for page in pages]

    with ThreadPoolExecutor(2) as pool:
        return [visit for visits in pool.map(some, (pages[::2], pages[1::2])) for visit in visits]
