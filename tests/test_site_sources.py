"""What makes the site, beside its pages: the examples of its modules, and what it writes when it has an address."""

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("site")

DOCS = Path(__file__).parents[1] / "docs"
CONF = f"""\
import sys
sys.path.insert(0, {str(DOCS / "site")!r})
project, html_title, html_theme = "p", "p", "basic"
extensions = ["finding", "ways", "wrapping"]
"""
PAGES = {
    "index.rst": "Home\n====\n\n**Question.** Where to?\n\n.. container:: lines\n\n   .. toctree::\n\n      a/b\n      c\n",
    "a/b.rst": ".. meta::\n   :description: What b is.\n   :keywords: bee\n\nB\n=\n\nText.\n",
    "c.rst": "c\n=\n\n.. py:function:: c()\n\n   Everything that c does.\n\n   And how.\n",
    "404.rst": ":orphan:\n\nNot found\n=========\n\nThis address has no page. See :doc:`a/b`.\n",
}


@pytest.mark.parametrize("name", ["site/finding", "site/ways", "site/wrapping", "plots"])
def test_the_examples_are_true(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "site"))
    monkeypatch.syspath_prepend(str(DOCS))

    failed, tried = doctest.testmod(importlib.import_module(Path(name).name))

    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("base", ["", "https://docs.example/here/"])
def test_only_a_site_with_an_address_tells_it(base: str, tmp_path: Path) -> None:
    for name, text in {**PAGES, "conf.py": CONF + f"html_baseurl = {base!r}\n"}.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text)

    argv = [sys.executable, "-m", "sphinx", "-W", "-q", str(tmp_path / "docs"), str(tmp_path / "out")]
    subprocess.run(argv, check=True)

    pages = {
        name: (tmp_path / "out" / name).read_text()
        for name in ("index.html", "a/b.html", "c.html", "404.html", "_static/pages.js")
    }
    assert '<meta name="description" content="Where to?" />' in pages["index.html"]
    assert "<p>What b is.</p>" in pages["index.html"]  # its line in the list
    assert pages["a/b.html"].count("What b is.") == 2  # described by itself, so once for others
    assert '<meta name="description" content="Everything that c does." />' in pages["c.html"]  # an entry of the reference
    assert '"a/b": {"keywords": "bee", "description": "What b is."}' in pages["_static/pages.js"]
    assert f'href="{"/here" if base else ""}/a/b.html"' in pages["404.html"]
    map_file = tmp_path / "out" / "sitemap.xml"
    assert map_file.exists() == bool(base)
    assert ("og:image" in pages["a/b.html"]) == bool(base)
    if base:
        assert "<loc>https://docs.example/here/a/b.html</loc>" in map_file.read_text()
        assert "404" not in map_file.read_text()
        assert '<meta property="og:url" content="https://docs.example/here/a/b.html" />' in pages["a/b.html"]
        assert "Sitemap: https://docs.example/here/sitemap.xml" in (tmp_path / "out" / "robots.txt").read_text()
