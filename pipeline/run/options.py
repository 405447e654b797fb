"""What a run is asked for and what comes back, as frozen records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pipeline.config import Config

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); done = total when it is finished."""

MINIMUM_MEMORY_BYTES = 1_000_000_000
DEFAULT_MEMORY_BYTES = 4_000_000_000


@dataclass(frozen=True)
class RunOptions:
    """One run. `night` None: all rows are one window, named by the last day."""

    logs: tuple[str, ...]
    """Parquet files, folders, globs or s3:// URLs."""
    out: Path
    config: Config
    accounts: Path | None = None
    context: Path | None = None
    night: date | None = None
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    """Limit for the whole process, bytes; at least 1e9."""
    threads: int = 1
    on_bad_file: Literal["fail", "skip"] = "fail"
    pages: bool = True
    """False only where nobody reads them and `out` is thrown away, as when error rates are measured: pages judge nobody."""
    apart: tuple[Path, ...] = ()
    """Files that may lie among the logs and are none of them, beside the accounts table."""

    @property
    def not_logs(self) -> tuple[Path, ...]:
        """What is left out where LOGS finds it."""
        return self.apart if self.accounts is None else (self.accounts, *self.apart)


@dataclass(frozen=True)
class RunOutcome:
    """What a run published."""

    run_id: str
    night: date
    folder: Path
    """DIR/runs/<run_id>."""
    already_done: bool
    degraded: tuple[str, ...]
    """Why it is exit 5, in sentences; empty if nothing that should have run did not."""
    tiers: dict[str, int]
    """Networks by tier."""
    manifest: dict[str, Any]
    """run.json."""
    judged_again: tuple[date, ...] = ()
    """Nights before this one that came out otherwise, because late, corrected or deleted files changed their days."""
    days_made: tuple[date, ...] = ()
    """Days whose tables were made for this run, in order."""
