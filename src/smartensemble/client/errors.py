"""What can go wrong with a database, by the names that SmartRedis' client has for it.

Each class is also one of this package's errors, and the built-in exception that a careful caller would expect:

.. display-only: the tree of the classes, which the reference lists one by one

::

    SmartEnsembleError
    ├── RedisConnectionError (RuntimeError, ConnectionError)  no server can be reached there, or none lets this client in
    └── RedisReplyError (RuntimeError)         a server does not do what it was asked to
        ├── RedisRuntimeError                  it answers with an error
        ├── RedisKeyError (KeyError)           it has nothing of this name
        ├── RedisTimeoutError (TimeoutError)   it does not answer in time
        ├── RedisDatabaseError                 the connection is lost before it answers
        ├── RedisInternalError                 it answers with what this client does not know
        └── RedisBadAllocError (MemoryError)   there is no memory for the answer
"""

import re

from smartensemble.errors import SmartEnsembleError


class RedisConnectionError(SmartEnsembleError, RuntimeError, ConnectionError):
    """No server can be reached there, or none lets this client in."""


class RedisReplyError(SmartEnsembleError, RuntimeError):
    """A server does not do what it was asked to."""


class RedisRuntimeError(RedisReplyError):
    """A server answers with an error; the message has its words."""


class RedisKeyError(RedisReplyError, KeyError):
    """The database has nothing of this name."""


class RedisTimeoutError(RedisReplyError, TimeoutError):
    """A server does not answer in time."""


class RedisDatabaseError(RedisReplyError):
    """The connection is lost before the server answers."""


class RedisInternalError(RedisReplyError):
    """A server answers with what this client does not know."""


class RedisBadAllocError(RedisReplyError, MemoryError):
    """There is no memory for the answer."""


#: What to do about an error of a server, by its words. The first that fits counts.
REMEDIES = (
    (r"tensor key is empty", "put it first, or check its name and prefix: set_data_source() says whose data is read"),
    (r"(model|script) key is empty|run info", "store it first, or check its name and prefix"),
    (r"WRONGTYPE", "use another name, or delete what is there"),
    (r"NOAUTH|WRONGPASS|invalid username", "give the right user and password; members and db.client() have them"),
    (r"NOPERM", "leave it to the driver: members may do everything with data, and nothing with the server"),
    (r"expected def but found 'import'", "leave the import out: a script knows torch, and nothing else"),
    (r"OOM", "delete what is no longer needed, or give the database more memory: db.set_max_memory()"),
    (r"unknown command '?AI\.", "connect to a database of create_database(), whose server stores tensors and runs models"),
    (r"MOVED|CROSSSLOT", "set SR_DB_TYPE=Clustered: this server is one of several"),
    (r"LOADING|CLUSTERDOWN|TRYAGAIN|MASTERDOWN", "wait until the database is ready, and do it again"),
    (r"cluster support disabled", "set SR_DB_TYPE=Standalone: this server has all keys"),
)
OTHERWISE = "correct what the server names"


def refusal(subject: str, words: str) -> RedisRuntimeError:
    """The error for a server that answers with an error.

    >>> refusal("rho", "OOM command not allowed when used memory > 'maxmemory'.").args[0].partition(';')[0]
    "rho: OOM command not allowed when used memory > 'maxmemory'"
    """
    words = words.removeprefix("ERR ").partition(", with args beginning with")[0].rstrip(".")
    remedy = next((remedy for pattern, remedy in REMEDIES if re.search(pattern, words)), OTHERWISE)
    return RedisRuntimeError(f"{subject}: {words}; {remedy}")
