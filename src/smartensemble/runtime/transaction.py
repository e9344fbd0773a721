"""An act that is done completely, or undone: nothing can interrupt it in the middle.

Ctrl-C can raise KeyboardInterrupt after any instruction of the main thread, also between two lines that belong together, and
in the lines that clean up. So an act runs in a thread of its own, which no signal interrupts, while the main thread waits.
Ctrl-C and `stop` cancel the act. The act notices at its next `check`, where nothing is half done, and takes back what it has
done. Only then does the main thread raise the KeyboardInterrupt.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


class Cancelled(BaseException):
    """The act was cancelled, and takes back what it has done. No ``except Exception`` may stop that."""


class End:
    """The end of an act, to be waited for.

    An Event takes its lock in Python, so Ctrl-C can leave it locked, and nobody could say any more that the act is over.
    ``with`` takes a lock in C.
    """

    def __init__(self) -> None:
        self._open = threading.Lock()
        self._open.acquire()
        self._reached = False

    def reach(self) -> None:
        """It is over. One thread at a time says so."""
        if not self._reached:
            self._reached = True
            self._open.release()

    def wait(self) -> None:
        """Wait until it is over."""
        with self._open:
            pass


class Transaction:
    """One act, and whether it was cancelled."""

    def __init__(self, entities: frozenset[int], grace: float) -> None:
        self.entities = entities  #: the identities of what it is about
        self.grace = grace  #: seconds between SIGTERM and SIGKILL for what it has started, if it is taken back
        self.ended = End()
        self._lock = threading.RLock()  #: a signal's handler, which calls stop, may find it held by its own thread
        self._cancelled = self._noticed = self._begun = self._decided = False
        self._left_out: frozenset[int] = frozenset()
        self._thread = 0
        self._error: BaseException | None = None

    @property
    def cancelled(self) -> bool:
        """It was undone, or never began."""
        return self._noticed or (self._cancelled and not self._begun)

    @property
    def mine(self) -> bool:
        """The calling thread runs the act."""
        return self._thread == threading.get_ident()

    def cancel(self, grace: float | None = None) -> None:
        """Have the act undone, if it is not done yet. It returns at once; see `ended`."""
        with self._lock:
            self.grace = self.grace if grace is None else grace
            self._cancelled = True
            if not self._begun:
                self.ended.reach()

    def leave_out(self, entities: frozenset[int]) -> bool:
        """Have the act go on without `entities`; False if it has come to them already."""
        with self._lock:
            if not self._decided:
                self._left_out |= entities
            return not self._decided

    def decide(self) -> frozenset[int]:
        """The identities of what was left out. From now on nothing can be."""
        with self._lock:
            self._decided = True
        return self._left_out

    def check(self) -> None:
        """Leave the act where it is safe to.

        :raises Cancelled: it was cancelled. It raises only once: while the act is being undone, waiting works as usual.
        """
        if self._cancelled and not self._noticed and self.mine:
            self._noticed = True
            raise Cancelled

    def run(self, act: Callable[[], T], otherwise: T) -> T:
        """The result of `act`, or `otherwise` if it was cancelled and has been undone.

        :raises KeyboardInterrupt: Ctrl-C came; the act is done, or has been undone.
        """
        if threading.current_thread() is not threading.main_thread():
            return self._here(act, otherwise)
        results: list[T] = []
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(self._there, act, otherwise, results), name="smartensemble")
        interrupt: BaseException | None = None
        try:
            thread.start()
        except RuntimeError:  # no more threads: then the act is as safe from Ctrl-C as any other code
            return self._here(act, otherwise)
        except BaseException as error:
            interrupt = error
        while True:  # however often Ctrl-C comes: who went on now would find the act half taken back
            try:
                if interrupt is not None:
                    self.cancel()
                self.ended.wait()
                if thread.is_alive():
                    thread.join()
                break
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt from self._error
        if self._error is not None:
            raise self._error
        return results[0] if results else otherwise

    def _here(self, act: Callable[[], T], otherwise: T) -> T:
        try:
            return self._act(act, otherwise)
        finally:
            self._end()

    def _there(self, act: Callable[[], T], otherwise: T, results: list[T]) -> None:
        """Hand the result, or the error, to the thread that waits."""
        try:
            results.append(self._act(act, otherwise))
        except BaseException as error:
            self._error = error
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.ended.reach()

    def _act(self, act: Callable[[], T], otherwise: T) -> T:
        with self._lock:
            if self._cancelled:
                return otherwise
            self._begun, self._thread = True, threading.get_ident()
        try:
            return act()
        except Cancelled:
            return otherwise
        finally:
            self._thread = 0
