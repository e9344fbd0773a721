"""The script of a page says in its head what it needs, as `inline script metadata`__ that uv and others read.

__ https://packaging.python.org/specifications/inline-script-metadata/
"""

import re
import tomllib
from dataclasses import replace
from typing import Any

from tutorkit.config import Condition, Config, load
from tutorkit.teaching.download import script
from worlds.projects import Write

PAGE = "# T\n\n```python\n1\n```\n\n% needs: plots gpu\n\n```python\n2\n```\n"
CONDITIONS = """
[tool.tutorkit.conditions]
plots = { program = "sh", reason = "needs plots", requires = ["area[plots]", "rich; python_version < '3.12'"] }
gpu = { program = "sh", reason = "needs a GPU", requires_python = "<3.14" }
other = { program = "sh", reason = "is not on the page", requires = ["other"], requires_python = "<3.5" }
"""


def metadata(text: str) -> dict[str, Any]:
    """What the head of a script says, read as the specification does."""
    (found,) = re.finditer(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$", text)
    assert found["type"] == "script"
    lines = found["content"].splitlines(keepends=True)
    return tomllib.loads("".join(line[2:] if line.startswith("# ") else line[1:] for line in lines))


def loaded(project: Config, text: str) -> Config:
    file = project.root / "pyproject.toml"
    file.write_text(f"{text}\n{file.read_text()}{CONDITIONS}")
    config = load(project.root)
    assert config is not None
    return config


def test_a_script_needs_the_project_and_what_the_conditions_of_its_page_do(write: Write, project: Config) -> None:
    config = loaded(project, '[project]\nname = "area"\nrequires-python = ">=3.11"\n')

    said = metadata(script(write(PAGE, "docs/page.md"), config))

    assert said == {"requires-python": ">=3.11,<3.14", "dependencies": ["area[plots]", "rich; python_version < '3.12'"]}


def test_a_page_that_needs_nothing_needs_the_project(write: Write, project: Config) -> None:
    config = loaded(project, '[project]\nname = "area"\n')

    assert metadata(script(write("# T\n\n```python\n1\n```\n", "docs/page.md"), config)) == {"dependencies": ["area"]}


def test_a_project_that_is_not_installed_says_what_pages_need(write: Write, project: Config) -> None:
    (project.root / "pyproject.toml").write_text('[tool.tutorkit]\nrequires = ["numpy"]\nrequires_python = ">=3.12"\n')
    config = load(project.root)
    assert config is not None

    said = metadata(script(write("# T\n\n```python\n1\n```\n", "docs/page.md"), config))

    assert said == {"requires-python": ">=3.12", "dependencies": ["numpy"]}


def test_what_an_environment_variable_switches_on_is_a_comment(write: Write, project: Config) -> None:
    config = loaded(project, "")
    config = replace(config, conditions={**config.conditions, "clone": Condition("is run in a clone", env="CLONE")})
    page = write(
        "# T\n\n% needs: clone\n\n```console\n$ make\n```\n\n% needs: plots\n\n```python\nx = 1\n```\n", "docs/page.md"
    )

    said = script(page, config)

    assert said.endswith("# Not run on its page: is run in a clone.\n# $ make\n\nx = 1\n")
