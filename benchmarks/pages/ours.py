import sys

from measure import report
from pages import project, pytest

project()
pytest(*sys.argv[1:])
report(pytest(*sys.argv[1:]))
