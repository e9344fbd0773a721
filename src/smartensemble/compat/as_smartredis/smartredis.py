"""What ``import smartredis`` finds in the members of a driver that ``python -m smartensemble.compat`` runs."""

import sys
from importlib import import_module

try:
    from smartensemble.compat.stand_ins import stand_in
except ModuleNotFoundError:  # another Python, which may have the real one
    sys.path[:] = [folder for folder in sys.path if not __file__.startswith(folder + "/")]
    del sys.modules[__name__]
else:
    stand_in([__name__])

sys.modules[__name__] = import_module(__name__)
