"""Run commands that are not installed here."""

from pathlib import Path

import pytest


@pytest.fixture
def run_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that say of their version what the real ones say, `srun` and Open MPI's `mpirun` of them on PATH."""
    for directory, name, says in (
        ("bin", "srun", ""),
        ("bin", "mpirun", "mpirun (Open MPI) 5.0.11"),
        ("mpich", "mpirun", "HYDRA build details:\n    Version:   5.0.2"),
        ("pals", "mpiexec", "PALS version 1.2.12"),
        ("strange", "mpirun", "mpirun 1.0"),
    ):
        (tmp_path / directory).mkdir(exist_ok=True)
        path = tmp_path / directory / name
        path.write_text(f"#!/bin/sh\ncat << END\n{says}\nEND\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path
