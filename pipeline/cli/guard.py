"""Turns every way a command can end into one line on stderr and an exit code.

An error of ours says what happened, where and what to do. A bug leaves its traceback in a file: where it happened, never
the text of a message that could quote the log. Signals end with 130 and 143; what is finished stays.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pipeline import console, redact
from pipeline.errors import StillhuntError

BUG = 1
INTERRUPTED, TERMINATED = 130, 143
_HARMLESS = (AttributeError, ImportError, NameError, NotImplementedError, TypeError)
"""Exceptions of Python's own whose message names code, never data."""


_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
_arrived: list[int] = []
"""Signals that arrived. A query under way turns the exception of a signal into its own, so the exception alone does not tell."""


class Stopped(BaseException):
    """SIGINT or SIGTERM arrived."""


def under_guard(command: Callable[[], Any]) -> int:
    """Run a command; its exit code, whatever happens."""
    for number in _CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:  # started with nohup or in the background
            signal.signal(number, _stop)
    try:
        command()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else BUG
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 (while reading the arguments)
        return _bug(error)
    return 0


def leave(code: int) -> NoReturn:
    """Leave as `sys.exit` does, but without taking the interpreter apart, which takes a tenth of a short command's time: what was registered for the end runs, output is flushed.

    While another thread or a child process is left, or output cannot be flushed, the interpreter ends in its own way.
    """
    if threading.active_count() > 1 or "multiprocessing" in sys.modules:
        sys.exit(code)
    try:
        atexit._run_exitfuncs()  # noqa: SLF001  # as the interpreter does; there is no public name for it
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # the reader has gone, or a stream is closed
        sys.exit(code)
    os._exit(code)


def guarded(action: Callable[[], int | None]) -> NoReturn:
    """Run the body of a command and leave with its exit code (None is 0). Typer would turn an interrupt into exit 1 itself."""
    gc.enable()
    raise SystemExit(attempt(action))


def attempt(action: Callable[[], int | None], tell: Callable[[str], object] = len) -> int:
    """The exit code of the body of a command, whatever happens in it; `tell` also gets the line of an error of ours."""
    try:
        return action() or 0
    except (KeyboardInterrupt, Stopped):
        return _stopped()
    except StillhuntError as error:
        if _arrived:
            return _stopped()
        if error.exit_code == BUG:
            return _bug(error)
        told = redact.for_error(str(error))
        console.say(f"stillhunt: {told}")
        tell(told)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (the last resort: what is not ours is a bug)
        return _stopped() if _arrived else _bug(error)


def _stopped() -> int:
    number = _arrived[-1] if _arrived else signal.SIGINT
    console.say(f"stillhunt: {'terminated' if number == signal.SIGTERM else 'interrupted'}. Finished days and stages of a run are kept; the same command goes on from there.")
    return _CODES[signal.Signals(number)]


def _bug(error: Exception) -> int:
    handle, name = tempfile.mkstemp(prefix="stillhunt-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("".join(_traceback(error)))
    told = f" ({redact.for_error(str(error))})" if isinstance(error, StillhuntError) else ""
    console.say(f"stillhunt: this is a bug: {type(error).__name__}{told}. Where it happened is in {Path(name)}; please report that file.")
    return BUG


def _traceback(error: BaseException) -> list[str]:
    """The stack of an error and of those before it, without messages that may quote data."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told = f": {redact.for_error(str(error))}" if isinstance(error, (*_HARMLESS, StillhuntError)) else ": (message withheld, it may quote the log)"
    before = [*_traceback(cause), "\n"] if cause is not None else []
    return [*before, *traceback.format_tb(error.__traceback__), f"{type(error).__module__}.{type(error).__name__}{told}\n"]


def _stop(number: int, _frame: object) -> NoReturn:
    _arrived.append(number)
    raise Stopped
