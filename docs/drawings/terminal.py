"""Write ``terminal.svg``: a command that was really run in a terminal, played back by an animation that needs no script.

``python docs/drawings/terminal.py`` runs the demo in an empty directory and writes the drawing beside this file.
"""

import fcntl
import os
import pty
import re
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

DEMO = Path(__file__).parents[2] / "tutorials" / "demo.py"
COMMAND = "python tutorials/demo.py"  #: as a reader types it
COLUMNS, ROWS = 84, 27
SECONDS = 4.6  #: of the whole animation, which plays once: what moves for longer than five seconds would need a button
TYPED = 0.22  #: of it, until the command is typed
SHOWN = 12  #: frames of the run, at most
LINE, CHARACTER = 17, 7.23  #: pixels

#: What a program may send to a terminal besides text: a sequence that ends in a letter.
SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")

Screen = tuple[str, ...]


def record(argv: Sequence[str], folder: str) -> Iterator[str]:
    """What a program prints on a terminal, piece by piece, as it comes."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.environ["TERM"] = "xterm"
        os.execvp(argv[0], argv)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # that of a terminal whose program has ended
            break
        if not piece:
            break
        yield piece.decode("utf-8", "replace")
        time.sleep(0.02)  # what is printed at once is one piece
    os.waitpid(process, 0)


def screens(pieces: Iterable[str]) -> Iterator[Screen]:
    """What the terminal shows after each piece; the same again is left out.

    It knows what a progress bar uses: carriage return, a line up, and a line that is erased.

    >>> [*screens(["1 of 2\\n", "\\x1b[1A\\r\\x1b[2K2 of 2\\n"])]
    [('1 of 2', ''), ('2 of 2', '')]
    """
    lines, row, column, last = [""], 0, 0, None
    for piece in pieces:
        for text, motion in parts(piece):
            if text:
                lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
                column += len(text)
            elif motion == "\n":
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            elif motion == "\r":
                column = 0
            elif motion.endswith("A"):
                row = max(0, row - int(motion[:-1] or 1))
            elif motion.endswith("K"):
                lines[row] = "" if motion[0] == "2" else lines[row][:column]
        if (now := tuple(lines)) != last:
            yield now
        last = now


def parts(piece: str) -> Iterator[tuple[str, str]]:
    """Text, and motions: pairs of which one is empty."""
    at = 0
    for found in re.finditer(rf"{SEQUENCE.pattern}|[\r\n]", piece):
        if found.start() > at:
            yield piece[at : found.start()], ""
        yield "", found[0] if found[2] is None else f"{found[1]}{found[2]}"
        at = found.end()
    if piece[at:]:
        yield piece[at:], ""


def chosen(shown: Sequence[Screen]) -> list[Screen]:
    """Some of many screens, evenly, with the last one."""
    step = max(1, -(-len(shown) // SHOWN))
    return [*shown[:-1:step], *shown[-1:]]


def fitted(screen: Screen) -> list[str]:
    """The last lines of a screen, no longer than it is wide."""
    lines = [line.rstrip() for line in screen]
    while lines and not lines[-1]:
        lines.pop()
    return [line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}\N{HORIZONTAL ELLIPSIS}" for line in lines[-(ROWS - 1) :]]


def svg(command: str, frames: Sequence[Sequence[str]], words: str) -> str:
    """The drawing: each frame is seen for its share of the time, and the last one stays."""
    begin = SECONDS * TYPED
    each = (SECONDS - begin) / len(frames)
    width, height = round(COLUMNS * CHARACTER + 32), max(map(len, frames)) * LINE + 64
    drawn = []
    for number, frame in enumerate(frames):
        kind, lasts = ("frame", f";animation-duration:{each:.2f}s") if number < len(frames) - 1 else ("last", "")
        timing = f"animation-delay:{begin + number * each:.2f}s{lasts}"
        text = "".join(line(row, text) for row, text in enumerate(frame, 1) if text)
        drawn.append(f'<g class="{kind}" style="{timing}">{text}</g>')
    return TEMPLATE.format(
        width=width,
        height=height,
        kept='xml:space="preserve"',
        words=escape(words),
        command=line(0, f"$ {command}"),
        typed=f"{begin * 0.8:.2f}",
        letters=len(command) + 2,
        end=round((len(command) + 2) * CHARACTER + 20),
        drawn="\n".join(drawn),
    )


def line(row: int, text: str) -> str:
    """A line of the terminal."""
    return f'<text x="16" y="{row * LINE + 46}" textLength="{len(text) * CHARACTER:.1f}">{escape(text)}</text>'


TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {kept} role="img">
<title>{words}</title>
<style>
rect {{ fill: #14181a; }}
circle {{ fill: #465155; }}
text {{ font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #dbe2e3; white-space: pre; }}
.frame {{ opacity: 0; animation: shown; }}
.last {{ animation: appear 0.01s both; }}
.typed {{ clip-path: inset(0); animation: typed {typed}s steps({letters}, end) both; }}
@keyframes shown {{ from {{ opacity: 1; }} to {{ opacity: 1; }} }}
@keyframes typed {{ from {{ clip-path: inset(0 100% 0 0); }} to {{ clip-path: inset(0); }} }}
@keyframes appear {{ from {{ opacity: 0; }} to {{ opacity: 1; }} }}
@media (prefers-reduced-motion: reduce) {{ .frame, .last, .typed {{ animation: none; }} }}
</style>
<rect width="{width}" height="{height}" rx="8"/>
<circle cx="20" cy="17" r="5"/><circle cx="38" cy="17" r="5"/><circle cx="56" cy="17" r="5"/>
<g class="typed">{command}</g>
{drawn}
</svg>
"""


def main() -> None:
    """Run the demo, and draw it."""
    with tempfile.TemporaryDirectory() as folder:
        pieces = [piece.replace(folder, "/home/you") for piece in record([sys.executable, str(DEMO)], folder)]
    frames = [fitted(screen) for screen in chosen([*screens(pieces)])]
    words = f"A terminal runs {COMMAND} and shows {len(frames)} moments of it"
    Path(__file__).with_name("terminal.svg").write_text(svg(COMMAND, frames, words), encoding="utf-8")


if __name__ == "__main__":
    main()
