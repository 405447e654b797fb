"""A look at logs without writing anything: what `check` says before a run is started."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.contract import REQUEST_COLUMNS
from pipeline.errors import InputError
from pipeline.ingest.context import Context
from pipeline.ingest.coverage import ENOUGH_PERCENT, Coverage, blind_spots
from pipeline.ingest.days import day_of
from pipeline.ingest.listing import DAY_US, LogFile, LogListing, list_logs


@dataclass(frozen=True)
class Problem:
    """Something that a reader of the log should know."""

    severity: str
    """error (a run would refuse or skip the file), warning (evidence is lost), note."""
    where: str
    what: str


@dataclass(frozen=True)
class LogCheck:
    """What a look at the logs found. Row counts are of the files, before rows are rejected."""

    listing: LogListing
    row_count: int
    first_day: str | None
    """ISO day of the earliest timestamp by the footers; None if they do not say."""
    last_day: str | None
    coverage: Coverage
    """Non-null values by column; empty text still counts as a value here."""
    blind_spots: tuple[tuple[str, str, str], ...]
    """(family, status, reason); without an accounts table, as if none were given."""
    problems: tuple[Problem, ...]

    @property
    def has_errors(self) -> bool:
        """Whether a run would refuse or skip a file."""
        return any(problem.severity == "error" for problem in self.problems)


def check_logs(logs: Sequence[str], context: Context | None = None, apart: Iterable[Path] = ()) -> LogCheck:
    """Open every file, read its footer (and a column's chunk only where the footer has no count of nulls), write nothing.

    `apart`: see list_logs. Raises InputError if no file can be read at all, or one apart is a log.
    """
    listing = list_logs(logs, on_bad_file="skip", apart=apart)
    rows = sum(log.row_count for log in listing.files)
    counts = {name: sum(_non_null(log, name) for log in listing.files) for name in REQUEST_COLUMNS}
    coverage = Coverage(rows, 0, counts, {})
    starts = [log.first_us for log in listing.files if log.row_count]
    ends = [log.last_us for log in listing.files if log.row_count]
    return LogCheck(
        listing, rows, _day(starts, smallest=True), _day(ends, smallest=False), coverage,
        tuple(blind_spots(coverage, context or Context()).iter_rows()), tuple(_problems(listing, coverage)),
    )  # fmt: skip


def _day(moments: Sequence[int | None], *, smallest: bool) -> str | None:
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(moments):
        return None
    number = (min(known) if smallest else max(known)) // DAY_US
    try:
        return day_of(number).isoformat()
    except OverflowError:
        return None


def _non_null(log: LogFile, name: str) -> int:
    """Values of a column in a file: from the footer, else by reading the column."""
    if name not in log.footer_non_null:
        return 0
    known = log.footer_non_null[name]
    if known is not None:
        return known
    try:
        with log.open() as file:
            return sum(batch.num_rows - batch.column(0).null_count for batch in file.iter_batches(columns=[name], use_threads=False))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{log.name}: column '{name}' cannot be read ({str(error).splitlines()[0]}). Export it again.") from None


def _problems(listing: LogListing, coverage: Coverage) -> list[Problem]:
    found = [Problem("error", file.name, file.reason) for file in listing.skipped]
    for log in listing.files:
        if not log.row_count:
            found.append(Problem("note", log.name, "holds no row"))
        elif log.first_us is None:
            found.append(Problem("note", log.name, "its footer does not give the range of timestamps: its days are known only after reading it"))
        found += [Problem("note", log.name, f"column '{column}' is {kind}, read as {wanted}") for column, kind, wanted in log.casts]
        found += [Problem("note", log.name, f"column '{column}' is not in the contract and is not read") for column in log.unknown_columns]
    if not coverage.rows:
        found.append(Problem("warning", "all files", "no row at all"))
        return found
    for column in REQUEST_COLUMNS.values():
        percent = coverage.percent(column.name)
        if column.required and percent < 100:
            found.append(Problem("warning", "all files", f"required column '{column.name}' is null on some rows: they will be rejected"))
        elif column.need == "C" and percent < ENOUGH_PERCENT:
            found.append(Problem("warning", "all files", f"column '{column.name}' has a value on {percent:.0f} % of rows"))
    return found
