"""A supervisor that cannot start says why; where it and its sentinel were killed, the reason says what is known."""

import os
import signal
import subprocess
from collections.abc import Callable

import pytest

from smartensemble.experiment import Experiment
from smartensemble.status import Status
from worlds.drivers import Family, sentinel_and_supervisor
from worlds.patience import PATIENCE_S

Driver = Callable[..., "subprocess.Popen[str]"]

#: Root has no limit of processes, so here it is somebody else, who may still read its files.
SOMEBODY = ["setpriv", "--reuid=54321", "--clear-groups", "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]


def test_where_both_were_killed_the_driver_ends_what_it_finds_and_says_so(exp: Experiment, stubborn_family: Family) -> None:
    model = stubborn_family.run(exp)
    sentinel, supervisor = sentinel_and_supervisor()

    os.kill(supervisor, signal.SIGSTOP)  # so it does not end the members when its sentinel has gone
    os.kill(sentinel, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    exp.wait(timeout=PATIENCE_S)

    assert (model.status, stubborn_family.alive()) == (Status.FAILED, [])
    assert model.run.reason.startswith("the supervisor and its sentinel were killed, and then each process that has its mark; ")
    assert "may still run" in model.run.reason
    exp.start(exp.create_model("another", exp.create_run_settings("true")), progress=False)
    assert exp.summary().count("Completed") == 1


@pytest.mark.parametrize("detach", [False, True])
def test_where_no_file_can_be_opened_a_start_says_so(detach: bool, driver: Driver) -> None:
    process = driver(f"""
        import resource
        model = exp.create_model("model", settings("true"))
        exp.generate(model)
        from smartensemble.errors import StateError
        from smartensemble.runtime.local.launcher import detach, local
        opened = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 1, opened + 1))
        try:
            detach([], Path("journal")) if {detach} else local()
        except StateError as error:
            print(error)
    """)

    said, _ = process.communicate(timeout=PATIENCE_S)

    assert said.startswith("launcher 'local': its supervisor could not be started: Too many open files; look at the limits of")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who has no other processes")
@pytest.mark.parametrize(
    ("processes", "act", "says"),
    [
        (1, "local()", "its supervisor could not be started: Resource temporarily unavailable; look"),
        (2, "print(SupervisorProcess().last_words())", "['failed Resource temporarily unavailable']"),
        (2, "detach([], Path('journal'))", "its supervisor could not be started: Resource temporarily unavailable; look"),
        (3, "exp.start(model, progress=False); print(model.run.reason)", "sh could not be started: Resource temporarily"),
    ],
)
def test_where_no_process_may_start_the_reason_is_true(processes: int, act: str, says: str, driver: Driver) -> None:
    process = driver(
        f"""
        import resource
        from smartensemble.errors import StateError
        from smartensemble.runtime.local.launcher import detach, local
        from smartensemble.runtime.local.supervisor_process import SupervisorProcess
        model = exp.create_model("model", settings("sh"))
        resource.setrlimit(resource.RLIMIT_NPROC, ({processes}, {processes}))
        try:
            {act}
        except StateError as error:
            print(error)
        """,
        wrapper=SOMEBODY,
    )

    said, _ = process.communicate(timeout=PATIENCE_S)

    assert says in said
    assert "Traceback" not in said
