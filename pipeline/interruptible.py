"""Work of an engine, done on a thread of its own while the main thread waits.

Promises: a signal during a query is heard at once, whichever thread of the engine holds the query's tasks. Python runs the handlers of signals on its main
thread alone; a main thread inside DuckDB hears nothing while another thread of DuckDB works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

_LISTEN_SECONDS = 0.5  # a signal that the system gives to another thread of the process does not wake the main thread
_AGAIN_SECONDS = 0.05  # an interruption that comes before a query's start is forgotten at the start


def interruptible(action: Callable[[], T], interrupt: Callable[[], object]) -> T:
    """What `action` returns or raises. Raised here meanwhile (by the handler of a signal), an exception ends the action by `interrupt` and goes on when it has ended.

    On any thread but the main one, which hears no signals, the action is done in place.
    """
    if threading.current_thread() is not threading.main_thread():
        return action()
    done: Future[T] = Future()
    beside = threading.Thread(target=_do, args=(action, done), name="engine")
    try:
        beside.start()
        while not wait([done], _LISTEN_SECONDS).done:
            pass
        beside.join()
    except BaseException:
        while not wait([done], _AGAIN_SECONDS).done and beside.is_alive():
            interrupt()
        raise
    return done.result()


def _do(action: Callable[[], T], done: Future[T]) -> None:
    try:
        done.set_result(action())
    except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
        done.set_exception(error)
