"""`run --notify-cmd`: tell the operator's command how the run ended, whatever the end, and leave with the run's exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pipeline import console
from pipeline.cli.guard import attempt, guarded

if TYPE_CHECKING:
    from pipeline.run import RunOutcome

DONE, FOUND, DEGRADED = 0, 3, 5


def told_at_the_end(command: str, body: Callable[[], int], out: Path, outcomes: Sequence[RunOutcome]) -> NoReturn:
    """Run the body, then the command; exit with the body's code, or 5 where the run was well (0, 3) and the command failed. A command line that cannot be read is refused first."""

    def both() -> int:
        from pipeline.operations.notify import notify, split_command

        words = split_command(command)
        said: list[str] = []
        code = attempt(body, said.append)
        wrong = notify(words, _summary(out, outcomes, code, said))
        if wrong:
            console.say(f"--notify-cmd {words[0]}: {wrong}. The run is not affected.")
        return DEGRADED if wrong and code in (DONE, FOUND) else code

    guarded(both)


def _summary(out: Path, outcomes: Sequence[RunOutcome], code: int, said: Sequence[str]) -> str:
    """The summary; if it cannot be made, because what the run left is broken, one that says only how the run ended."""
    from pipeline.errors import StillhuntError
    from pipeline.operations.summary import summary

    try:
        return summary(out, outcomes, code, " ".join(said))
    except (StillhuntError, OSError) as error:
        return summary(out, (), code, f"{' '.join(said)} {type(error).__name__} while the summary was made".strip())
