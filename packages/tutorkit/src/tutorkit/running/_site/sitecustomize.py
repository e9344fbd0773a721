"""Found first by the Python processes that a traced page starts: they report what they enter."""

import importlib
import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _here]
if "TUTORKIT_TRACE" in os.environ:
    # By its file: any Python can load it, and the package itself stays untouched for those who look at what is imported.
    _spec = importlib.util.spec_from_file_location("_tutorkit_trace", os.path.join(os.path.dirname(_here), "trace.py"))
    if _spec and _spec.loader:
        _trace = sys.modules["_tutorkit_trace"] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(_trace)
        _trace.start_child()
_hidden = sys.modules.pop("sitecustomize")
try:
    importlib.import_module("sitecustomize")  # the one that this one hides
except ImportError:
    sys.modules["sitecustomize"] = _hidden
