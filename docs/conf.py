"""How the pages become a site: everything on it is local, every notebook is executed, and types read as they are written."""

import ast
import doctest
import inspect
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import chdir
from functools import reduce
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from docutils.parsers.rst.directives.images import Image
from myst_nb.core.execute.direct import NotebookClientDirect
from sphinx.util.docutils import SphinxDirective

import smartensemble
from smartensemble import entities, experiment, settings

project = "smartensemble"
author = "The smartensemble developers"
copyright = author
version = release = smartensemble.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_copybutton"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
# The documentation of Python and Matplotlib is not there to link to: the site is built without a network.
nitpick_ignore_regex = [
    (
        "py:class",
        r"((collections\.abc|datetime|pathlib)\.)?(Callable|Figure|Iterable|Iterator|Mapping|Path|PurePath|timedelta)",
    ),
    ("py:class", r"smartensemble\.strategies\.T"),
]

# --- notebooks ------------------------------------------------------------------------------------------------------
# No cache: its key is the cells alone, so it would hide what a change of the package breaks.

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "remove"
myst_enable_extensions = ["colon_fence"]

# Notebooks run the programs of the environment that builds the site, whether or not it is activated.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

execute_in_place = NotebookClientDirect.start_client


def execute_in_a_copy(client: Any) -> None:
    """Execute a notebook in a copy of its directory: its input lies beside it, and nothing is left in the source.

    The page shows "/home/you" for the copy, whose name is random: two builds differ only in measured times.
    """
    original = client.path
    with TemporaryDirectory() as scratch:
        directory = Path(scratch).resolve() / original.parent.name
        shutil.copytree(original.parent, directory)
        client._path = directory / original.name
        try:
            execute_in_place(client)
        finally:
            client._path = original
    for cell in client.notebook.cells:
        for output in cell.get("outputs", []):
            rename(output, {str(directory): "/home/you", sys.prefix: "/home/you/.venv"})


def rename(output: Any, names: Mapping[str, str]) -> None:
    """Replace directories in all that a cell has printed or shown."""
    for holder in (output, output.get("data", {})):
        for key, value in holder.items():
            if isinstance(value, str):
                holder[key] = reduce(lambda text, old: text.replace(old, names[old]), names, value)


NotebookClientDirect.start_client = execute_in_a_copy

# --- pictures -------------------------------------------------------------------------------------------------------
# A page shows a picture that its own examples save: they are run, and compared, when the page is built.


class Picture(Image, SphinxDirective):
    """``.. picture:: file.png`` is the image that the examples of this page save under that name."""

    def run(self) -> Any:
        page = Path(self.env.doc2path(self.env.docname))
        saved = Path(self.env.doctreedir) / "pictures" / self.env.docname
        if self.env.docname not in pictured:
            pictured.add(self.env.docname)
            run_examples(page, saved)
        self.arguments[0] = os.path.relpath(saved / self.arguments[0], page.parent)
        return super().run()


pictured: set[str] = set()  #: pages whose examples were run in this build


def run_examples(page: Path, saved: Path) -> None:
    """Run the examples of `page` in an empty directory, and keep the pictures that they save."""
    examples = doctest.DocTestParser().get_doctest(page.read_text(), {}, page.name, str(page), 0)
    saved.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, chdir(scratch):
        doctest.DebugRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False).run(examples)
        for picture in Path(scratch).glob("*.png"):
            shutil.copy(picture, saved)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_directive("picture", Picture)


# --- the reference --------------------------------------------------------------------------------------------------

autoclass_content = "both"
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autosummary_generate = False
python_use_unqualified_type_names = True
toc_object_entries = False

#: Types that have a name of their own, and where they are.
ALIASES = {
    "Delimiter": "tags",
    "Duration": "settings",
    "Given": "parameters",
    "Paths": "files",
    "Strategy": "strategies",
    "Words": "settings",
}


def keep_written_types(function: Any) -> None:
    """Give back to a function its types as they are written: Python has replaced aliases by what they stand for."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    for each in (*tree.args.args, *tree.args.kwonlyargs):
        if each.annotation:
            function.__annotations__[each.arg] = re.sub("|".join(ALIASES), linked, ast.unparse(each.annotation))


def linked(name: re.Match[str]) -> str:
    """The full name of an alias, marked to be shown without its module."""
    return f"~smartensemble.{ALIASES[name[0]]}.{name[0]}"


def written(module: ModuleType) -> Iterator[Any]:
    """The functions and methods that a module's text defines, without those that a decorator or a dataclass adds."""
    classes = [thing for thing in vars(module).values() if inspect.isclass(thing) and thing.__module__ == module.__name__]
    for thing in chain(vars(module).values(), *(vars(each).values() for each in classes)):
        function = inspect.unwrap(thing) if callable(thing) else None
        if inspect.isfunction(function) and function.__code__.co_filename == module.__file__:
            yield function


for each in chain(written(entities), written(experiment), written(settings)):
    keep_written_types(each)


# --- the look ---------------------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "smartensemble"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "start", "tutorials", "tutorials/**", "reference/**")} | {
    page: ["sidebar-nav-bs"] for page in ("howto/**", "understand/**", "decisions/**")
}
html_theme_options = {
    "logo": {"text": "smartensemble"},
    "show_prev_next": False,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": [],
    "footer_end": [],
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
}
copybutton_exclude = ".linenos, .gp, .go"
