from pathlib import Path

from pages import measure, write

write()
Path("conftest.py").write_text("""
from sybil import Sybil
from sybil.parsers.rest import DocTestParser

pytest_collect_file = Sybil(parsers=[DocTestParser()], patterns=["*.rst"]).pytest()
""")
measure()
