"""A private Slurm of several nodes on this machine, for tests and pages: below one directory, on loopback, without systemd.

``python tests/cluster.py COMMAND ...`` runs a command beside one. It needs Debian's slurm-wlm and munge; with
``--accounting`` before the command also slurmdbd, mariadb-server-core and mariadb-client-core.

Each node is a slurmd of its own under another name and port. They claim more CPUs than this machine may have.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from worlds.patience import PATIENCE_S, eventually

NODES, CPUS = 4, 8

CONFIGURATION = """\
ClusterName=private
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={home}/munge/socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool/%n
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/%n.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/%n.log
PlugStackConfig=/dev/null
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
ReturnToService=2
KillWait=2
BatchStartTimeout=300
MessageTimeout=60
TCPTimeout=60
MinJobAge={age}
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=n[1-2] MaxTime=00:05:00 State=UP
"""

ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStorageUser={user}
AccountingStoragePass={home}/munge/socket
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
PartitionName=urgent Nodes=ALL PriorityTier=10
"""

DATABASE = """\
AuthType=auth/munge
AuthInfo=socket={home}/munge/socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
PidFile={home}/slurmdbd.pid
LogFile={home}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm
"""


class Cluster:
    """A running Slurm. Its programs find it by the variable SLURM_CONF.

    Its controller remembers jobs for `age` seconds after their end; with `accounting`, a database does for ever, memory is
    watched, and jobs of the partition "urgent" end others.
    """

    def __init__(self, home: Path, nodes: int = NODES, cpus: int = CPUS, age: int = 600, accounting: bool = False) -> None:
        self.home, self.nodes = home, nodes
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.conf = home / "slurm.conf"
        self.env = {"SLURM_CONF": str(self.conf)}
        for name in ("munge", "state", "spool"):
            (home / name).mkdir(parents=True)
        port, host = free_ports(nodes + 3), socket.gethostname().partition(".")[0]
        values = {"host": host, "port": port, "first": port + 1, "last": port + nodes, "home": home, "nodes": nodes}
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.conf.write_text(CONFIGURATION.format(**values, cpus=cpus, age=age, user=user))
        try:
            self._start_munge()
            if accounting:
                self._start_accounting(host, user, port + nodes + 1)
            self.start("slurmctld", "-D")
            for number in range(1, nodes + 1):
                self.start_node(f"n{number}")
            self.wait_until_idle()
        except BaseException:
            self.stop()
            raise

    def _start_munge(self) -> None:
        home = self.home / "munge"
        home.chmod(0o711)
        key = home / "key"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(1024))
        files = [
            f"--{name}={home / name.removesuffix('-file')}"
            for name in ("socket", "key-file", "pid-file", "log-file", "seed-file")
        ]
        self.start("munged", "--foreground", "--force", *files)
        self._await("munged", (home / "socket").exists)

    def _start_accounting(self, host: str, user: str, port: int) -> None:
        """Slurm's accounting at a port, and at the one after it the database that it keeps its records in."""
        values = {"host": host, "user": user, "home": self.home, "port": port, "sql": port + 1}
        password = secrets.token_hex()
        with self.conf.open("a") as file:
            file.write(ACCOUNTING.format(**values))
        conf = self.home / "slurmdbd.conf"
        conf.touch(0o600)
        conf.write_text(DATABASE.format(**values, password=password))
        data = f"--datadir={self.home / 'sql'}"
        install = ["mariadb-install-db", "--no-defaults", data, f"--user={user}", "--auth-root-authentication-method=normal"]
        subprocess.run([*install, "--skip-test-db"], check=True, capture_output=True)
        init = self.home / "sql" / "init"
        init.write_text(  # a statement a line
            f"CREATE DATABASE slurm;\nCREATE USER slurm@localhost IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON slurm.* TO slurm@localhost;\n"
        )
        quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=900", "--innodb-buffer-pool-size=64M"]
        files = [f"--socket={self.home / 'sql.socket'}", f"--pid-file={self.home / 'sql.pid'}", f"--init-file={init}"]
        address = ["--bind-address=127.0.0.1", f"--port={port + 1}"]
        self.start("mariadbd", "--no-defaults", data, f"--user={user}", *address, *files, *quick)
        self._await("mariadbd", lambda: answers(port + 1))
        self.start("slurmdbd", "-D")
        self._await("slurmdbd", lambda: answers(port))  # without it the controller ends at once

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        """Wait until a daemon is `ready`."""
        eventually(lambda: ready() or self.daemons[name].poll() is not None)
        if self.daemons[name].poll() is not None:
            raise RuntimeError(f"{name} did not start; {self.home / name}.err says why")

    def start(self, program: str, *argv: str, name: str | None = None) -> None:
        """Start a daemon in the foreground, in a session of its own."""
        with (self.home / f"{name or program}.err").open("ab") as log:
            self.daemons[name or program] = subprocess.Popen(
                # One that outlived a killed run of the tests would be found by nobody.
                ["setpriv", "--pdeathsig", "TERM", shutil.which(program) or f"/usr/sbin/{program}", *argv],
                env=os.environ | self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        self.start("slurmd", "-D", "-N", name, name=name)

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """End a daemon."""
        daemon = self.daemons.pop(name)
        daemon.send_signal(number)
        try:
            daemon.wait(PATIENCE_S)  # a controller writes down its jobs
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def ask(self, *argv: str) -> str:
        """What one of Slurm's programs prints; nothing if it fails."""
        env = os.environ | self.env
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return done.stdout if done.returncode == 0 else ""

    def wait_until_idle(self) -> None:
        """Wait until no job is there, and all nodes are free."""
        idle = ("sinfo", "--noheader", "--partition=main", "--states=idle", "--format=%D")
        controller = self.daemons["slurmctld"]
        eventually(lambda: self.ask(*idle).strip() == str(self.nodes) or controller.poll() is not None)
        if controller.poll() is not None:
            raise RuntimeError(f"slurmctld has ended; {self.home}/slurmctld.log says why")

    def stop(self) -> None:
        """End all jobs, then all daemons, and what is left of either."""
        if "slurmctld" in self.daemons:
            self.ask("scancel", "--quiet", "--user", str(os.getuid()))
            eventually(lambda: not self.ask("squeue", "--noheader"))
        for name in reversed(list(self.daemons)):
            self.end(name)
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)

    def left(self) -> list[int]:
        """Processes of jobs, and those that wait on them."""
        mark = f"SLURM_CONF={self.conf}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "environ").read_bytes().split(b"\0")
                steps = b"slurmstepd" in (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark in words and (steps or any(word.startswith(b"SLURM_JOB_ID=") for word in words)):
                found.append(int(entry.name))
        return [pid for pid in found if pid != os.getpid()]


def answers(port: int) -> bool:
    """Somebody listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> int:
    """The first of so many neighboring ports at which nobody listens."""
    while True:
        first = 20_000 + secrets.randbelow(10_000)
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, each in enumerate(sockets):
                each.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
        return first


def main() -> int:
    """Run a command beside a cluster."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # it ends by the same way
    home = Path(tempfile.mkdtemp(prefix="slurm-"))
    home.chmod(0o755)
    accounting = sys.argv[1:2] == ["--accounting"]
    cluster = Cluster(home / "cluster", accounting=accounting)
    try:
        return subprocess.run(sys.argv[1 + accounting :], env=os.environ | cluster.env, check=False).returncode
    finally:
        cluster.stop()
        shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
