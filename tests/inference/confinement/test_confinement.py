"""A confined process does what a worker needs, and nothing to its owner; a process that is not confined does all of it.

Tests kernel.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartensemble.inference import MODULE
from smartensemble.inference.confinement import importable, kept, landlock, readable
from worlds.patience import PATIENCE_S

Errors = dict[str, dict[str, Any]]

pytestmark = pytest.mark.needs("landlock")

PASSWORD = "the password of the owner"
#: How the kernel refuses: by Landlock, for a move between directories too; by the filter; and what it does not know.
REFUSALS = {"EACCES", "EXDEV", "EPERM", "ENOSYS"}


@pytest.fixture(scope="module")
def owner() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the owner of everything."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process


def stranger(how: str, home: Path, owner: "subprocess.Popen[bytes]") -> Errors:
    """The errors of what a stranger tries with what an owner has."""
    for name in ("secret", "new", "moved"):
        (home / name).write_text("the secret")
    (home / "library.so").write_bytes(MODULE.read_bytes())
    with socket.socket(socket.AF_UNIX) as listener, socket.create_server(("127.0.0.1", 0)) as server:
        listener.bind(str(home / "socket"))
        listener.listen()
        program = Path(__file__).with_name("stranger.py")
        argv = [sys.executable, str(program), str(home), str(owner.pid), str(server.getsockname()[1]), how]
        env = os.environ | {"REDISCLI_AUTH": PASSWORD, "COVERAGE_PROCESS_CONFIG": ""}  # coverage could not write what it saw
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")
    found: Errors = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory, owner: Any) -> Errors:
    return stranger("free", tmp_path_factory.mktemp("free"), owner)


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory, owner: Any) -> Errors:
    return stranger("confined", tmp_path_factory.mktemp("confined"), owner)


def test_a_process_that_is_not_confined_does_what_its_user_may(free: Errors) -> None:
    assert set(free["possible"].values()) == {""}


def test_a_confined_one_is_refused_all_of_that_and_more(confined: Errors) -> None:
    errors = confined["possible"] | confined["also refused"]

    assert errors.pop("load a library").endswith("Permission denied")
    assert {name: error for name, error in errors.items() if error not in REFUSALS} == {}


def test_it_does_what_a_worker_needs(confined: Errors) -> None:
    assert set(confined["needed"].values()) == {""}


def test_a_password_that_it_was_started_with_is_nowhere_in_its_memory(confined: Errors) -> None:
    assert confined["copies"]["before"] > 0
    assert confined["copies"]["after"] == 0


def test_a_process_that_has_threads_is_not_confined_halfway() -> None:
    text = """
import threading
from smartensemble.inference.confinement import confine
threading.Thread(target=threading.Event().wait, daemon=True).start()
confine("/tmp")
"""
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)

    assert ended.stderr.endswith("confine: this process has 2 threads already; confine it before it imports a framework\n")


def test_the_owner_lives_on(confined: Errors, owner: "subprocess.Popen[bytes]") -> None:
    assert owner.poll() is None


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no calls of 32 bits by this instruction")
def test_who_asks_as_another_processor_is_ended() -> None:
    text = """
import ctypes, mmap, sys
from smartensemble.inference.confinement import seccomp, kernel
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")  # mov eax, getpid; int 0x80; ret
if "restrict" in sys.argv:
    kernel.renounce_privileges()
    seccomp.restrict()
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
"""
    ended = [subprocess.run([sys.executable, "-c", text, *how], check=False).returncode for how in ((), ("restrict",))]

    assert ended[1] == -signal.SIGSYS
    assert ended[0] in (0, -signal.SIGSEGV)  # a kernel may have no such calls


def test_it_reads_packages_and_libraries_and_of_other_directories_what_python_imports(tmp_path: Path) -> None:
    project, site = tmp_path / "project", tmp_path / "site-packages"
    for directory in (project / "package", project / "study", site):
        directory.mkdir(parents=True)
    for file in ("module.py", "native.so", "secret.txt", "package/__init__.py", "study/input.txt"):
        (project / file).touch()

    libraries = {"LD_LIBRARY_PATH": f":/l:relative:/:{tmp_path}:{project}/study:{project}/stud"}
    search_path = [str(project), str(site), "", "/none", "/opt/python/lib/python3"]
    found = set(map(Path, readable(search_path, ["/opt/python"], libraries, [str(project / "study")])))

    assert found >= {project / "module.py", project / "native.so", project / "package", site, project / "stud"}
    assert found >= {Path("/opt/python/lib"), Path("/l")}
    assert not found & {project, project / "study", project / "secret.txt", tmp_path, Path("/opt/python"), Path(), Path("/")}


def test_an_archive_of_modules_is_read(tmp_path: Path) -> None:
    archive = tmp_path / "modules.zip"
    archive.touch()

    assert [*importable(str(archive)), *importable(str(tmp_path / "none"))] == [str(archive)]


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "HOME", "PYTHO", "TF_VAR_token", "SSDB", "LANGUAGE_"]
)
def test_it_keeps_no_variable_that_may_be_a_secret(name: str) -> None:
    assert not kept(name)


@pytest.mark.parametrize(
    "name", ["PATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL", "PYTHONPATH", "LC_ALL"]
)
def test_it_keeps_what_changes_how_frameworks_compute(name: str) -> None:
    assert kept(name)


def test_this_machine_has_what_it_takes() -> None:
    assert landlock.version() >= 1
