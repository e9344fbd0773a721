"""Run a scheduler's program and read its answer: wait for it, or come back for it later."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence

from smartensemble.errors import StateError

ANSWER_TIMEOUT_S = 30.0  #: an answer may take this long
QUICK_ANSWER_TIMEOUT_S = 5.0  #: and this long where a user's program waits for it


def query(
    argv: Sequence[str],
    instead: str | None = None,
    *,
    timeout_s: float = ANSWER_TIMEOUT_S,
    errors: bool = False,
    shielded: bool = False,
) -> str:
    """What a scheduler's program prints; `instead` if it fails.

    :param errors: its standard error too.
    :param shielded: Ctrl-C does not reach it.
    :raises StateError: it fails, and `instead` is None; the message quotes its error.
    """
    told = forgotten()
    try:
        done = subprocess.run(
            with_code(argv) if told else argv,
            capture_output=True,
            text=True,
            errors="replace",  # names of files may be any bytes
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
            process_group=0 if shielded else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        if instead is not None:
            return instead
        raise StateError(f"{argv[0]}: {error}; is the scheduler there?") from None
    code, text = read_code(done.stdout) if told else (done.returncode, done.stdout)
    if code == 0:
        return text + (done.stderr if errors else "")
    if instead is not None:
        return instead
    lines = done.stderr.strip().splitlines() or [f"exit code {code}"]
    raise StateError(f"{argv[0]}: {'; '.join(line.removeprefix(f'{argv[0]}: error: ') for line in lines)}")


def forgotten() -> bool:
    """The kernel forgets how children of this process end, because SIGCHLD is ignored, perhaps by whoever started it."""
    return signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN


def with_code(argv: Sequence[str]) -> list[str]:
    """A command that prints the exit code of `argv` after its output."""
    return ["/bin/bash", "-c", '"$@"; printf "\\n%d" "$?"', "bash", *argv]


def read_code(output: str) -> tuple[int, str]:
    r"""The exit code and the output of a command that `with_code` has made.

    >>> read_code("12 RUNNING\n\n0"), read_code("")
    ((0, '12 RUNNING\n'), (1, ''))
    """
    text, _, code = output.rpartition("\n")
    return int(code or 1), text


class Question:
    """A scheduler's program that runs while we do something else. Its answer goes into files, so it never waits for us."""

    def __init__(self, argv: Sequence[str], jobs: Sequence[str]) -> None:
        """Start it.

        :param jobs: the jobs that it asks about.
        :raises OSError: there is no such program here.
        """
        self.jobs = jobs
        self._told = forgotten()
        self._since = time.monotonic()
        self._out, self._errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                with_code(argv) if self._told else argv,
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=self._errors,
                process_group=0,
            )
        except OSError:
            self._close()
            raise

    @property
    def ended(self) -> bool:
        """The program has ended; one that takes too long is killed."""
        if self._process.poll() is None and time.monotonic() > self._since + ANSWER_TIMEOUT_S:
            self._process.kill()
            self._process.wait()
        return self._process.returncode is not None

    def read(self) -> tuple[bool, str, str]:
        """Whether it succeeded, what it printed, and its errors; once, when it has ended."""
        texts = []
        for file in (self._out, self._errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        self._close()
        code, text = read_code(texts[0]) if self._told else (self._process.returncode, texts[0])
        return code == 0, text, texts[1]

    def drop(self) -> None:
        """End it, because nobody needs the answer any more."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        self._out.close()
        self._errors.close()
