import shutil
from pathlib import Path

from measure import report
from pages import project, pytest

CACHED = "--tutorkit-cache"

project()
pytest(CACHED)
second = pytest(CACHED)
shutil.rmtree("docs")  # what is left is to import pytest and tutorkit
Path("docs").mkdir()
report(second - pytest(CACHED))
