from pathlib import Path

from measure import report
from pages import pytest, write

write()
Path("conftest.py").write_text("""
from sybil import Sybil
from sybil.parsers.rest import DocTestParser

pytest_collect_file = Sybil(parsers=[DocTestParser()], patterns=["*.rst"]).pytest()
""")
pytest()
report(pytest())
