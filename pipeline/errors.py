"""The whole tree of errors that a user can meet, and the exit code each one means.

    StillhuntError            1   base; never raised itself
      UsageError              2   options that do not go together, or say nothing
      LintFailed              3   a report says what it may not, so it was not sealed
      IntegrityError          4   bytes differ from what was recorded
      InputError              6   a log, accounts or context file is missing or unreadable
        SchemaError           6   a column cannot be cast to the contract's type
      ConfigError             7   a key, value or limit in the configuration
        MemoryTooSmall        7   `--memory` below what any run needs
      CheckFailed             5   a stage's own check found rows that break its promise
      PdfUnavailable          5   the system lacks what a PDF needs; the HTML was written
      MemoryExhausted         5   a stage ran out of the memory it was given, and of disk to spill to
      SqlError                1   a stage's SQL file cannot be parsed or run
      StorageError            6   the output folder cannot be written: disk full, no permission
      LockHeld               75   another run holds the output folder

A message says what happened, where, and what to do. It never carries prompt or response text.
"""

from __future__ import annotations


class StillhuntError(Exception):
    """Base of every error that the command line turns into one line and an exit code."""

    exit_code = 1


class UsageError(StillhuntError):
    """Options that contradict each other, or an option whose value says nothing."""

    exit_code = 2


class LintFailed(StillhuntError):
    """A report holds lint findings, and nobody said that it may be handed on with them."""

    exit_code = 3


class IntegrityError(StillhuntError):
    """A file's bytes are not those that were recorded."""

    exit_code = 4


class CheckFailed(StillhuntError):
    """A check query returned rows: a table does not hold what its stage promises."""

    exit_code = 5

    def __init__(self, check: str, count: int, keys: tuple[str, ...]) -> None:
        shown = ", ".join(keys[:5])
        super().__init__(f"check {check} failed on {count} rows (first keys: {shown}). The run's tables cannot be trusted; nothing was published.")
        self.check, self.count, self.keys = check, count, keys


class MemoryExhausted(StillhuntError):
    """A stage needed more memory than it was given and could not spill the rest to disk."""

    exit_code = 5

    def __init__(self, stage: str) -> None:
        super().__init__(f"{stage}: out of memory. Raise --memory, or free disk below the output folder; what was finished is kept.")
        self.stage = stage


class PdfUnavailable(StillhuntError):
    """A PDF was asked for and the system lacks a library that it needs."""

    exit_code = 5


class InputError(StillhuntError):
    """A file that was asked for is missing, empty of files, truncated, or of another format."""

    exit_code = 6


class SchemaError(InputError):
    """A column of an input file cannot be cast to the contract's type, or is required and missing (`found` says so)."""

    def __init__(self, file: str, column: str, expected: str, found: str) -> None:
        what = (
            f"required column '{column}' ({expected}) is missing"
            if found == "missing"
            else f"column '{column}' is {found}, the contract asks for {expected}, and it cannot be cast"
        )
        super().__init__(f"{file}: {what}. Fix the export; of logs, --on-bad-file skip leaves such a file out.")
        self.file, self.column, self.expected, self.found = file, column, expected, found


class ConfigError(StillhuntError):
    """A configuration key that does not exist, or a value outside its range."""

    exit_code = 7


class MemoryTooSmall(ConfigError):
    """The memory limit asked for is below what any run needs."""


class SqlError(StillhuntError):
    """A stage's SQL file is not one SELECT of the portable subset, or the engine refused it."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"sql/{file}: {reason}")
        self.file = file


class StorageError(StillhuntError):
    """The output folder cannot be written: the disk is full, or permission is missing."""

    exit_code = 6


class LockHeld(StillhuntError):
    """Another run is writing to the same output folder."""

    exit_code = 75
