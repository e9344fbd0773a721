import sys
from pathlib import Path

from pages import measure, write

write()
Path("area.py").write_text("def area():\n    return 1\n")
Path("pyproject.toml").write_text(
    '[tool.tutorkit]\npages = ["docs/*.rst"]\napi = ["area"]\napi_threshold = 0\nsource = ["."]\n'
)
measure(*sys.argv[1:])
