"""How the pages become a site: everything on it is local, every notebook is executed, and types read as they are written."""

import sys
import tomllib
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

import smartensemble

project = "smartensemble"
author = "The smartensemble developers"
copyright = author
version = release = smartensemble.__version__
#: Addresses of the project, of which there are none before it is published.
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
URLS = PROJECT["urls"]
html_baseurl = URLS.get("Documentation", "")
#: How a reader gets the files.
GET = f"git clone {URLS['Repository']}" if "Repository" in URLS else "unpack the source archive, or clone the repository"
rst_prolog = f".. |get| replace:: {GET}"

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "site")]
extensions = [
    "finding",
    "myst_nb",
    "landing",
    "plots",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "signatures",
    "sphinx_codeautolink",
    "sphinx_copybutton",
    "tutorkit.sphinx_extension",
    "ways",
    "wrapping",
]
codeautolink_concat_default = True
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
# The documentation of Python and Matplotlib is not there to link to: the site is built without a network.
nitpick_ignore_regex = [
    (
        "py:class",
        r"((collections\.abc|datetime|numpy\.typing|pathlib)\.)?(ArrayLike|Callable|Figure|Iterable|Iterator|Mapping|NDArray|Path|PurePath|Sequence|timedelta)",
    ),
    ("py:class", r"smartensemble\.(parameters\.strategies\.T|command\.Need|databases\.variables\.Endpoint|model\.Group)"),
    ("py:class", r"numpy\..+"),  # its pages are elsewhere
    ("py:class", "Colocated|Upload"),  # written as text, because their modules are loaded when they are needed
]

# --- notebooks ------------------------------------------------------------------------------------------------------
# Nothing is executed: tutorkit.sphinx_extension takes their outputs, as all others, from the record of the tests.

nb_execution_mode = "force"
nb_output_stderr = "remove"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["colon_fence"]

# --- the reference --------------------------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autosummary_generate = True
autosummary_generate_overwrite = False  # who lists a new class gets a page; commit it, and group its methods
source_encoding = "utf-8"  # of such a page too: the default would begin it with a mark
python_maximum_signature_line_length = 70
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# --- the look ---------------------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "smartensemble"
templates_path = ["_templates"]
html_favicon = "_static/mark.svg"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_context = {
    "default_mode": "auto",
    "addresses": {name: url for name, url in URLS.items() if name != "Documentation"},
    "maturity": next(each.split()[-1].lower() for each in PROJECT["classifiers"] if each.startswith("Development Status")),
    # Tutorials lie beside docs/, which has a link to them.
    "edit_page_url_template": URLS.get("Repository", "")
    + "/edit/main/{{ '' if file_name.startswith('tutorials/') else 'docs/' }}{{ file_name }}",
}
html_show_sourcelink = False
html_search_scorer = str(Path(__file__).parent / "site" / "search.js")
# A landing page has no list beside it, and neither has a page that is alone below its tab.
html_sidebars = (
    {page: [] for page in ("index", "start", "status", "changelog", "license", "cite", "help", "404")}
    | {
        f"{place}/**": ["sidebar-nav-bs"]
        for place in ("learn", "tutorials", "howto", "reference", "understand", "decisions", "teach", "tutorkit")
    }
    | {page: ["sidebar-nav-bs"] for page in ("ensemble", "tutorials")}
)
html_theme_options = {
    "logo": {
        "text": "smartensemble",
        "image_light": "_static/mark-light.svg",
        "image_dark": "_static/mark-dark.svg",
        "alt_text": "",
    },
    "navbar_persistent": ["search-open"],
    "search_as_you_type": True,
    "navbar_start": ["navbar-logo", "version"],
    "show_toc_level": 2,
    "header_links_before_dropdown": 10,
    "use_edit_page_button": "Repository" in URLS,
    "external_links": [{"name": name, "url": url} for name, url in URLS.items() if name != "Documentation"],
    "secondary_sidebar_items": {"**": ["page-toc", "edit-this-page"], "index": [], "404": []},
    "footer_start": ["project"],
    "footer_end": [],
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
}
copybutton_exclude = ".linenos, .gp, .go"


def name_toggles(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Give the buttons that open a list in the sidebar the name of what they open: the theme shows an arrow only."""
    theirs = context["generate_toctree_html"]

    def ours(*args: Any, **options: Any) -> Any:
        made = theirs(*args, **options)
        soup = BeautifulSoup(made, "html.parser") if isinstance(made, str) else made
        for summary in soup.select("summary"):
            link = summary.find_parent("li").find("a")
            summary["aria-label"] = f"Pages of {link.get_text(strip=True)}"
        return str(soup) if isinstance(made, str) else soup

    context["generate_toctree_html"] = ours


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", name_toggles, priority=900)  # after the theme's own
