"""What a worker may do once it is confined: compute, and answer over the connections that it is given.

Models and scripts are programs: a graph of TensorFlow reads and writes files, a script of TorchScript maps them, and a mistake
in a framework may let either run anything. So a worker gives up what it does not need, before it imports a framework, and for
good.
"""

import glob
import importlib.machinery
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from smartensemble.errors import StateError
from smartensemble.inference.confinement import landlock, seccomp
from smartensemble.inference.confinement.kernel import forget_variable, renounce_privileges

#: Where systems keep the libraries that Python and frameworks load, and what says which hardware there is.
SYSTEM = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/nix/store"),
    *("/usr/local/cuda", "/opt/cuda", "/opt/rocm", "/etc/alternatives", "/etc/ld.so.cache"),
    *("/usr/share/zoneinfo", "/usr/share/locale", "/etc/localtime", "/etc/os-release", "/etc/mime.types"),
    *("/sys/devices", "/sys/bus", "/sys/class", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/driver"),
    *("/proc/sys/kernel/osrelease", "/proc/sys/vm/overcommit_memory"),
    *(f"/proc/self/{name}" for name in ("maps", "status", "stat", "statm", "cgroup", "cmdline")),
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)
#: GPUs, by those who make them, and what swallows everything.
DEVICES = ("/dev/null", "/dev/nvidia*", "/dev/nvidia-caps/*", "/dev/dri/*", "/dev/kfd")

#: The variables that a confined worker keeps: where programs are, and what changes how frameworks compute.
VARIABLES = (
    *("PATH", "LANG", "LC_", "TZ", "LD_LIBRARY_PATH", "PYTHON", "MALLOC_", "GLIBC_TUNABLES"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "ONEDNN_", "DNNL_", "ORT_", "TORCH_", "PYTORCH_", "XLA_FLAGS"),
    *("TF_CPP_", "TF_ENABLE_", "TF_DISABLE_", "TF_NUM_", "TF_XLA_", "TF_GPU_", "TF_CUDNN_", "TF_FORCE_", "TF_USE_"),
    *("CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "HIP_", "ROCR_", "HSA_", "GPU_"),
)
#: What says where files of one's own are.
HOMES = (b"HOME", b"TMPDIR", b"XDG_CACHE_HOME", b"XDG_CONFIG_HOME", b"XDG_DATA_HOME", b"CUDA_CACHE_PATH", b"MPLCONFIGDIR")

#: What to do where a confined worker was refused something.
REMEDY = "workers are confined; if you trust those who store models and scripts here, give the database confine=False"


def unavailable() -> str:
    """Why a worker of this machine cannot be confined, or not wholly; nothing if it can."""
    return "; ".join(filter(None, (landlock.unavailable(), seccomp.unavailable())))


def confine(directory: str, keep: Iterable[int] = ()) -> None:
    """Confine this process, for good, as far as this kernel can: it has `directory`, and the files that `keep` has open.

    :raises StateError: it has threads already, which Landlock would not hold.
    :raises OSError: the kernel refuses what it said that it has.
    """
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        raise StateError(f"confine: this process has {threads} threads already; confine it before it imports a framework")
    owned = [os.path.realpath(own) for own in (os.getcwd(), os.path.expanduser("~"))]
    rights = [
        *((path, landlock.READ) for path in readable(sys.path, (sys.prefix, sys.base_prefix), os.environ, owned)),
        *((path, landlock.USE) for pattern in DEVICES for path in glob.glob(pattern)),
        (directory, landlock.CHANGE),
    ]
    _forget_variables(os.fsencode(directory))
    _close_all_but({0, 1, 2, *keep})
    os.chdir(directory)
    renounce_privileges()
    if not landlock.unavailable():
        landlock.restrict(rights)
    if not seccomp.unavailable():
        seccomp.restrict()


def readable(
    search_path: Iterable[str], prefixes: Iterable[str], environ: Mapping[str, str], owned: Collection[str] = ()
) -> Iterator[str]:
    """What Python and the frameworks are read from; no directory with one that is `owned` in it is a directory of libraries."""
    libraries = [os.path.join(prefix, name) for prefix in prefixes for name in ("lib", "lib64")]
    yield from (*SYSTEM, *libraries)
    for entry in environ.get("LD_LIBRARY_PATH", "").split(":"):
        whole = os.path.realpath(entry).rstrip("/")
        if os.path.isabs(entry) and not any(f"{own}/".startswith(f"{whole}/") for own in owned):
            yield entry
    for entry in search_path:
        if os.path.basename(entry) in ("site-packages", "dist-packages"):
            yield entry
        elif not entry.startswith(tuple(f"{each}/" for each in libraries)):  # a project, perhaps, in which runs of it are too
            yield from importable(entry)


def importable(directory: str) -> Iterator[str]:
    """What Python can import from a directory."""
    try:
        found = list(os.scandir(directory))
    except OSError:  # an archive, or nothing
        if os.path.isfile(directory):
            yield directory
        return
    for entry in found:
        package = os.path.join(entry.path, "__init__.py")
        if entry.name.endswith(tuple(importlib.machinery.all_suffixes())) or os.path.isfile(package):
            yield entry.path


def kept(name: str) -> bool:
    """Whether a confined worker keeps a variable.

    >>> [kept(name) for name in ("OMP_NUM_THREADS", "PATH", "REDISCLI_AUTH", "TF_VAR_password", "PATHS")]
    [True, True, False, False, False]
    """
    return name in VARIABLES or name.startswith(tuple(each for each in VARIABLES if each.endswith("_") or each == "PYTHON"))


def _forget_variables(home: bytes) -> None:
    """Forget the variables that it does not need, which may be passwords; `home` is its own directory."""
    for name in list(os.environb):
        if not kept(os.fsdecode(name)):
            forget_variable(name)
    os.environb.update(dict.fromkeys(HOMES, home))


def _close_all_but(keep: set[int]) -> None:
    """Close the files that whoever started this process had open."""
    for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - keep:
        with suppress(OSError):  # that of the list itself
            os.close(descriptor)
