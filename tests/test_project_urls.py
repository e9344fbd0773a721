"""``[project.urls]`` is the one place for addresses: others show what it says, and nothing before it says something."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jinja2 import Template

from worlds.distributions import ROOT, TUTORKIT, build, copy, read

URLS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
PUBLISHED = {"Repository": "https://forge.example/them/smartensemble", "Documentation": "https://docs.example/smartensemble/"}


def with_urls(project: Path, urls: dict[str, str]) -> None:
    """Give a copy of the project addresses."""
    text = (project / "pyproject.toml").read_text()
    lines = [f'{name} = "{url}"\n' for name, url in urls.items()]
    before, table, after = text.partition("[project.urls]\n")
    _, following, rest = after.partition("\n[")
    (project / "pyproject.toml").write_text("".join([before, table, *lines, following, rest]))


#: What conf.py says. It changes annotations of the package, so it is run beside these tests.
CONF = """\
import json, sys
from pathlib import Path
from sphinx.config import eval_config_file
from sphinx.util.tags import Tags
said = eval_config_file(Path(sys.argv[1]), Tags())
options, context = said["html_theme_options"], said["html_context"]
edit = options["use_edit_page_button"] and context["edit_page_url_template"]
print(json.dumps([options["external_links"], said["html_baseurl"], context["addresses"], edit]))
"""


def metadata(project: Path) -> str:
    return read(build(project, "wheel", "any"), ".dist-info/METADATA").decode()


@pytest.mark.parametrize("urls", [{}, PUBLISHED], ids=["before", "published"])
def test_readme_on_pypi_has_no_dead_link(urls: dict[str, str], tmp_path: Path) -> None:
    project = copy(tmp_path / "project")
    with_urls(project, urls)

    text = metadata(project)

    assert re.findall(r"^Project-URL: (.*), (.*)$", text, re.MULTILINE) == [*urls.items()]
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert [target for target in targets if not target.startswith("https://")] == []
    ours = {target for target in targets if target.startswith("https://forge.example")}
    wanted = {f"{PUBLISHED['Repository']}/blob/main/CHANGELOG.md", f"{PUBLISHED['Repository']}/raw/main/docs/drawings/demo.svg"}
    assert wanted <= ours if urls else ours == set()
    assert "Changes" in text


@pytest.mark.needs("site")
@pytest.mark.parametrize("urls", [{}, PUBLISHED], ids=["before", "published"])
def test_the_site_shows_the_addresses(urls: dict[str, str], tmp_path: Path) -> None:
    project = copy(tmp_path / "project")
    with_urls(project, urls)

    argv = [sys.executable, "-c", CONF, str(project / "docs" / "conf.py")]
    links, base, foot, edit = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)

    assert links == ([{"name": "Repository", "url": PUBLISHED["Repository"]}] if urls else [])
    assert base == urls.get("Documentation", "")
    assert foot == ({"Repository": PUBLISHED["Repository"]} if urls else {})
    assert bool(edit) == bool(urls)
    pages = {"howto/run.rst": "docs/howto/run.rst", "tutorials/melt/melt.md": "tutorials/melt/melt.md"}
    for page, file in pages.items() if edit else ():
        assert Template(edit).render(file_name=page) == f"{PUBLISHED['Repository']}/edit/main/{file}"


def test_the_citation_has_the_address_of_the_repository() -> None:
    said = dict(re.findall(r"^(repository-code|url): (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))

    assert said == {
        key: URLS[name] for key, name in [("repository-code", "Repository"), ("url", "Documentation")] if name in URLS
    }


def test_tutorkit_has_the_same_addresses() -> None:
    assert tomllib.loads((ROOT / TUTORKIT / "pyproject.toml").read_text())["project"]["urls"] == URLS


def test_nothing_else_tells_an_address_of_ours() -> None:
    """One that somebody writes elsewhere is dead before it is published, and wrong after it moves."""
    found = {
        f"{path.relative_to(ROOT)}: {url}"
        for folder in ("docs", "tutorials", "src", "packages", ".github", ".")
        for path in (ROOT / folder).glob("*" if folder == "." else "**/*")
        if path.suffix in (".rst", ".md", ".py", ".toml", ".yml", ".cff", ".ipynb") and path.is_file()
        for url in re.findall(r"https?://[^\s\"'<>)\]`]*(?:smartensemble|tutorkit)[^\s\"'<>)\]`]*", path.read_text())
        if not url.startswith((*URLS.values(), "https://github.com/OWNER", "https://OWNER."))
    }

    assert found == set()
