from measure import report
from pages import project, pytest, sphinx

project()
pytest()
report(sphinx("tutorkit.sphinx_extension"))
