"""See which functions of a project a block enters, in its own process and in the Python processes that it starts.

On Python 3.12 and later by :mod:`sys.monitoring`, which costs nothing after the first entry; before, by a trace function
that is asked at each call.
It is imported by every Python process of a page, so it imports little.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

STARTS = ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system", "os.exec", "os.spawn")
READS = ("open", "os.listdir", "os.scandir", "sqlite3.connect")
MONITORING_TOOLS = (3, 4)  #: the numbers of sys.monitoring's that no well-known tool has: a page may run pages
SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_site")


class Tracer:
    """What this process has entered, by the block that ran then."""

    def __init__(self, roots: tuple[str, ...], directory: str, root: str, *, child: bool = False) -> None:
        self.roots = tuple(os.path.join(os.path.realpath(folder), "") for folder in roots)
        self.directory = directory
        self.root = os.path.join(os.path.realpath(root), "")
        self.child = child
        self.pid = os.getpid()
        self.now = ""
        self.blocks: dict[str, set[tuple[str, str]]] = {}  #: block -> (file, qualified name)
        self.opened: set[str] = set()
        self.started = False
        self.known: set[CodeType] = set()
        self.modules: dict[str, bool] = {}
        self.current: set[tuple[str, str]] = set()
        self.quiet = False

    # --- what is seen ----------------------------------------------------------------------------------------------------

    def enter(self, code: CodeType) -> None:
        """Code is entered, for the first time in this block."""
        self.known.add(code)
        file = code.co_filename
        ours = self.modules.get(file)
        if ours is None:
            ours = self.modules[file] = os.path.realpath(file).startswith(self.roots)
        if ours:
            self.current.add((os.path.realpath(file), code.co_qualname))

    def call(self, frame: FrameType, event: str, _argument: object) -> None:
        """For sys.settrace, which is asked for calls only, and for sys.setprofile."""
        if event == "call" and frame.f_code not in self.known:
            self.enter(frame.f_code)

    def monitor(self, code: CodeType, _offset: int) -> Any:
        """For sys.monitoring."""
        self.enter(code)
        return sys.monitoring.DISABLE  # type: ignore[attr-defined, unused-ignore]

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """For sys.addaudithook."""
        if event in STARTS:
            self.started = True
        elif event in READS and not self.quiet and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            caller = sys._getframe(0).f_back  # there is none when the interpreter opens what it is to run
            imports = caller is None or caller.f_code.co_filename.startswith("<frozen importlib")
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
            if path.startswith(self.root) and not imports and not writes:
                self.opened.add(path)

    # --- blocks ----------------------------------------------------------------------------------------------------------

    def block(self, name: str) -> None:
        """What is entered from here on is entered by this block."""
        if not self.child:
            with open(os.path.join(self.directory, "block"), "w") as file:
                file.write(name)
        self.current = self.blocks.setdefault(name, set())
        self.now = name
        self.known.clear()
        if sys.version_info >= (3, 12):
            sys.monitoring.restart_events()
        if self.child:
            self.report()

    def entered(self) -> set[str]:
        """The functions that this block has entered so far, as ``module:qualname``."""
        found = set(self.current)
        for report in self.reports():
            found |= {(file, name) for file, name in report["blocks"].get(self.now, [])}
        return {f"{self.module(file)}:{name}" for file, name in found if name != "<module>"}

    def seen(self) -> dict[str, Any]:
        """All that the page executed and opened, and whether it started other processes."""
        executed = set().union(*self.blocks.values()) if self.blocks else set()
        opened, started = set(self.opened), self.started
        for report in self.reports():
            executed |= {(file, name) for entered in report["blocks"].values() for file, name in entered}
            opened |= set(report["opened"])
            started = started or report["started"]
        return {"executed": sorted(executed), "opened": sorted(opened), "started": started}

    def module(self, file: str) -> str:
        """The dotted name of a file."""
        base = max((folder for folder in self.roots if file.startswith(folder)), key=len)
        return file[len(base) :].removesuffix(".py").replace(os.sep, ".").removesuffix(".__init__")

    # --- children --------------------------------------------------------------------------------------------------------

    def report(self) -> None:
        """A child says what it has seen."""
        self.quiet = True
        blocks = {name: sorted(entered) for name, entered in self.blocks.items() if entered}
        data = {"blocks": blocks, "opened": sorted(self.opened), "started": self.started}
        path = os.path.join(self.directory, f"{os.getpid()}.json")
        try:
            with open(f"{path}.new", "w") as file:
                json.dump(data, file)
            os.replace(f"{path}.new", path)
        except OSError:  # the page is over, and its directory gone
            pass
        self.quiet = False

    def reports(self) -> list[dict[str, Any]]:
        """What children have said."""
        found = []
        for name in os.listdir(self.directory):
            if name.endswith(".json"):
                with open(os.path.join(self.directory, name)) as file:
                    found.append(json.load(file))
        return found

    def forked(self) -> None:
        """This process is a child now."""
        self.child, self.opened, self.started = True, set(), False
        self.blocks = {self.now: set()}
        self.current = self.blocks[self.now]
        self.known.clear()


_tracer: Tracer | None = None


def start(roots: tuple[str, ...], directory: str, root: str, *, child: bool = False) -> Tracer:
    """Begin to look at the code below the folders `roots`. Children report to `directory`."""
    global _tracer
    tracer = _tracer = Tracer(roots, directory, root, child=child)
    if sys.version_info >= (3, 12):
        start_monitoring(tracer)
    elif sys.gettrace() is None:
        threading.settrace(tracer.call)
        sys.settrace(tracer.call)
    else:  # a debugger, or coverage.py
        threading.setprofile(tracer.call)
        sys.setprofile(tracer.call)
    sys.addaudithook(tracer.audit)
    os.register_at_fork(after_in_child=tracer.forked)
    leave = os._exit

    def leave_with_report(code: int) -> None:
        if tracer.child:
            tracer.report()
        leave(code)

    os._exit = leave_with_report  # type: ignore[assignment]
    return tracer


def start_monitoring(tracer: Tracer) -> None:
    """Have `tracer` called for each function that is entered; beside that of a page that runs this one, or instead of it."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
    free = [tool for tool in MONITORING_TOOLS if monitoring.get_tool(tool) is None]
    if free:
        monitoring.use_tool_id(free[0], "tutorkit")
    tool = free[0] if free else MONITORING_TOOLS[-1]
    monitoring.register_callback(tool, monitoring.events.PY_START, tracer.monitor)
    monitoring.set_events(tool, monitoring.events.PY_START)


def start_child() -> None:
    """Begin in a child process; what it enters belongs to the block that runs now."""
    directory = os.environ["TUTORKIT_TRACE"]
    tracer = start(tuple(os.environ["TUTORKIT_SOURCE"].split(os.pathsep)), directory, os.environ["TUTORKIT_ROOT"], child=True)
    try:
        with open(os.path.join(directory, "block")) as file:
            tracer.block(file.read())
    except OSError:
        return
    atexit.register(tracer.report)


def switch(block: str) -> None:
    """Another block begins; for a process that runs several, such as a notebook's kernel."""
    if _tracer is not None:
        _tracer.block(block)


def environment(roots: tuple[str, ...], directory: str, root: str) -> dict[str, str]:
    """The variables with which a child process reports."""
    paths = [SITE, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "TUTORKIT_TRACE": directory,
        "TUTORKIT_SOURCE": os.pathsep.join(roots),
        "TUTORKIT_ROOT": root,
    }
