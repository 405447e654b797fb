"""Hand the summary of a run to a command of the operator's, on its stdin.

The command line is split as a shell would split it and started without a shell: nothing in it or in the summary is expanded, substituted or run. What it
prints goes to stderr. It has a minute. If it cannot be started, fails or takes longer, that is said, and the run stays what it is.
"""

from __future__ import annotations

import shlex
import subprocess

from pipeline.errors import UsageError

TIME_LIMIT_S = 60.0
_STDERR = 2


def split_command(text: str) -> tuple[str, ...]:
    """The words of a command line. Raises UsageError for an empty one or an open quote, before a run is started."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--notify-cmd: {error}. Write it as for a shell, every quote closed.") from None
    if not words:
        raise UsageError("--notify-cmd names no command.")
    return words


def notify(command: tuple[str, ...], summary: str, time_limit_s: float = TIME_LIMIT_S) -> str:
    """Run the command with the summary on its stdin; gives what went wrong, '' if nothing did. Never raises on the command's account."""
    try:
        ended = subprocess.run(command, input=summary.encode(), stdout=_STDERR, timeout=time_limit_s, check=False)  # noqa: S603 (the operator's own command, no shell)
    except subprocess.TimeoutExpired:
        return f"was stopped after {time_limit_s:.0f} s"
    except (OSError, ValueError) as error:
        return f"could not be started ({type(error).__name__})"
    return "" if ended.returncode == 0 else f"ended with exit code {ended.returncode}"
