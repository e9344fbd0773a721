"""What the directives show: figures with captions, code that is folded, and the steps of an exercise.

Tests directives.
"""

import json
import re

import pytest

from tutorkit.config import Config
from worlds.projects import Command, Write

pytestmark = pytest.mark.needs("sphinx", "plot")

PAGE = """
Title
=====

.. code-cell:: python
   :tags: [hide-input]

   from matplotlib.figure import Figure
   figure = Figure(figsize=(1, 1))
   figure.savefig("one.png")
   print("drawn")

.. picture:: one.png
   :alt: A white square.

   Nothing is drawn *in* it.

.. picture:: one.png
   :alt: The same square.

.. code-cell:: python
   :tags: [remove-cell]

   assert figure.axes == []

.. exercise:: Add
   :name: add-two

   Write ``add``.

   .. starter::

      add = None

   .. checks::

      >>> add(1, 2)
      3

   .. solution::

      add = int.__add__
"""


def test_a_page_has_figures_folded_code_and_steps(write: Write, command: Command, project: Config) -> None:
    (project.root / "docs" / "conf.py").write_text('extensions = ["tutorkit.sphinx_extension"]\nhtml_theme = "basic"\n')
    write(PAGE, "docs/index.rst")

    command("pytest", "-q", "docs")
    done = command("sphinx", "-q", "docs", "out")
    html = re.sub(r"\s+", " ", (project.root / "out" / "index.html").read_text())

    assert done.stderr == ""
    assert re.search(r"<figure.*?alt=\"A white square\.\".*?<figcaption>.*?Nothing is drawn <em>in</em> it\..*?</figure>", html)
    assert re.search(r'<img alt="The same square."', html.replace("</figure>", "", 1))
    assert html.count("<figure") == 1
    folded = re.findall(r'<details class="tutorkit-folded"><summary>Show the code</summary>(.*?)</details>', html)
    assert ["savefig" in each and "drawn" in each for each in folded] == [True]
    assert "figure.axes" not in re.sub("<[^>]*>", "", html)
    assert re.findall(r'<ol class="[^"]*tutorkit-how[^"]*">', html)
    text = re.sub("<[^>]*>", "", html)
    assert "Download add_two.py and exercises.json into one folder, outside of this project." in text
    assert "In that folder, run tutorkit check add_two.py." in text
    assert (project.root / "out/_downloads/tutorkit/add_two.py").is_file()
    book = json.loads((project.root / "out/_downloads/tutorkit/docs-index.ipynb").read_text())
    prose = "".join("".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "markdown")
    assert "![A white square.](one.png)\n\nNothing is drawn *in* it." in prose
