"""A loop that makes, copies, links, replaces and renames."""

import os
import shutil

from inputs import COPIED, COUNT, LINKED, TAGGED

from measure import measured

with measured():
    os.makedirs("study/e")
    with open(TAGGED, "rb") as file:
        text = file.read()
    for number in range(COUNT):
        new = f"study/e/.e_{number}.new"
        os.mkdir(new)
        shutil.copy(COPIED, new)
        os.symlink(LINKED, f"{new}/in.linked")
        with open(f"{new}/in.tagged", "wb") as file:
            file.write(text.replace(b";T;", str(number).encode()))
        os.rename(new, f"study/e/e_{number}")
