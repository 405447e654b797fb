"""Finding the log files and checking each one's footer and schema, before anything is written.

A file's name in tables is its POSIX path below the LOGS root it came from. Where two roots hold the same name, every name gets its
root's base name in front (more of the root's path if that is not enough). The list is sorted by name.

A file that has not changed since it was listed last (see `stamps.py`) is not opened again, and where a run asks for some days
only, a file whose footer says that it holds none of them is not read.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types as pt

from pipeline.contract import PARTITION_COLUMNS, REQUEST_COLUMNS
from pipeline.errors import InputError, SchemaError
from pipeline.ingest.casting import castable
from pipeline.ingest.columns import read_bytes
from pipeline.ingest.finding import Found, find_logs
from pipeline.ingest.stamps import Stamp, stamp_of

_PIECE = 1 << 20
DAY_US = 86_400_000_000
_PER_MICROSECOND = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}


@dataclass(frozen=True)
class RowGroup:
    """A row group by its footer."""

    rows: int
    read_bytes: int
    """Decompressed bytes of the columns that a scan reads."""
    first_us: int | None
    """Earliest timestamp, microseconds since 1970 UTC; None if the footer does not say."""


@dataclass(frozen=True)
class LogFile:
    """One log file whose footer and schema were read and found good."""

    name: str
    """POSIX path below the LOGS root: `source_file` in tables."""
    path: str
    """Where it is: a local path, or bucket and key."""
    size_bytes: int
    sha256: str
    """Empty for a file that holds none of the days asked for: it was not read."""
    row_count: int
    first_us: int | None
    """Earliest timestamp by the footer, microseconds since 1970 UTC; None if the footer does not say or there is no row."""
    last_us: int | None
    conforms: bool
    """Every contract column it has is of exactly the contract's type."""
    casts: tuple[tuple[str, str, str], ...] = ()
    """(column, type found, type of the contract) where they differ and can be cast."""
    unknown_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    footer_non_null: Mapping[str, int | None] = field(default_factory=dict)
    """Non-null values per contract column present, by the footer; None where it does not say."""
    groups: tuple[RowGroup, ...] = field(default=(), repr=False)
    filesystem: Any = field(default=None, compare=False, repr=False)
    """pyarrow filesystem of a remote file; None for a local one."""
    stamp: Stamp | None = field(default=None, compare=False, repr=False)
    """What the file system said of a local file before it was read."""

    @property
    def is_changed(self) -> bool:
        """Whether a local file was written to, replaced or removed since it was listed."""
        now = stamp_of(self.path) if self.stamp is not None else None
        return self.stamp is not None and (now is None or now.content != self.stamp.content)

    def open(self, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
        """The file, with some columns read as dictionaries. Raises InputError if it has become unreadable."""
        return _open(self.name, self.path, self.filesystem, dictionaries)


@dataclass(frozen=True)
class SkippedFile:
    """A file that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class LogListing:
    """The log files of a run, sorted by name, and those left out."""

    files: tuple[LogFile, ...]
    skipped: tuple[SkippedFile, ...]
    elsewhere: tuple[LogFile, ...] = ()
    """Files that hold none of the days asked for, by their footers. Not read."""


def list_logs(
    logs: Sequence[str], *, on_bad_file: str, known: Mapping[str, LogFile] | None = None, within: tuple[int, int] | None = None, apart: Iterable[Path] = ()
) -> LogListing:
    """Every Parquet file under LOGS, opened and checked.

    `known` are files as they were listed before, by absolute path. `within` are the first and last microsecond (since 1970 UTC) that are asked for; None: all.
    `apart` are files that may lie among the logs and are none, such as the accounts table; one that is a log raises InputError: without it a day would be missing and nobody told.

    A folder gives the Parquet files below it (hidden names and names that start with `_` apart); a file or glob gives just those (a glob hidden
    names only if it writes the `_` or `.` itself). A
    file that is empty, truncated, not Parquet, or whose columns cannot be cast raises InputError or SchemaError, or is listed as
    skipped with on_bad_file="skip"; so is one that changes while it is read. No file at all, or none left, raises InputError.
    """
    files: list[LogFile] = []
    skipped: list[SkippedFile] = []
    others = {path.resolve() for path in apart}
    for name, found in find_logs(logs):
        if found.filesystem is None and Path(found.path).resolve() in others:
            _refuse_log(name, found)
            continue
        try:
            files.append(_inspect(name, found, known or {}, within))
        except InputError as error:
            if on_bad_file != "skip":
                raise
            skipped.append(SkippedFile(name, str(error)))
    if not files:
        raise InputError(f"{', '.join(logs)}: no readable Parquet file. Name a Parquet file, a folder that holds some, or a glob.")
    return LogListing(tuple(file for file in files if _touches(file, within)), tuple(skipped), tuple(file for file in files if not _touches(file, within)))


def _refuse_log(name: str, found: Found) -> None:
    """Raise InputError if a file that is said to be no log has all that a log must have. What cannot be opened is left to whoever reads it."""
    try:
        with _open(name, found.path, found.filesystem) as file:
            columns = set(file.schema_arrow.names)
    except InputError:
        return
    if {column.name for column in REQUEST_COLUMNS.values() if column.required} <= columns:
        raise InputError(f"{name}: is a request log, and is given as the accounts table. Check --accounts.")


def absolute(file: LogFile) -> str:
    """A file's place, the same whatever folder the run was started in."""
    return str(Path(file.path).resolve()) if file.filesystem is None else file.path


def opened_again(file: LogFile) -> LogFile:
    """A remembered file with what only its footer says. Raises InputError if it has become unreadable."""
    return dataclasses.replace(_look(file.name, Found((), file.name, file.path, file.filesystem), file.stamp), sha256=file.sha256, size_bytes=file.size_bytes)


def _open(name: str, path: str, filesystem: Any, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    try:
        source = path if filesystem is None else filesystem.open_input_file(path)
        return pq.ParquetFile(source, read_dictionary=list(dictionaries), pre_buffer=filesystem is not None)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{name}: not a readable Parquet file ({str(error).splitlines()[0]}). Export it again, or pass --on-bad-file skip.") from None


def _inspect(name: str, found: Found, known: Mapping[str, LogFile], within: tuple[int, int] | None) -> LogFile:
    stamp = stamp_of(found.path) if found.filesystem is None else None
    before = known.get(str(Path(found.path).resolve())) if stamp is not None else None
    file = dataclasses.replace(before, name=name, path=found.path) if before is not None and before.stamp == stamp else _look(name, found, stamp)
    if file.sha256 or not _touches(file, within):
        return file
    size, digest = _digest(name, found)
    if file.is_changed:
        raise InputError(f"{name}: changed while it was being read, so it is still being written. Run again when the export is finished.")
    return dataclasses.replace(file, size_bytes=size, sha256=digest)


def _touches(file: LogFile, within: tuple[int, int] | None) -> bool:
    """Whether a file may hold a row of the time asked for."""
    return within is None or file.first_us is None or file.last_us is None or (file.first_us <= within[1] and file.last_us >= within[0])


def _look(name: str, found: Found, stamp: Stamp | None) -> LogFile:
    """A file by its footer alone."""
    with _open(name, found.path, found.filesystem) as file:
        schema, metadata = file.schema_arrow, file.metadata
        casts = _check_schema(name, schema)
        first, last = _time_range(metadata, schema)
        return LogFile(
            name=name,
            path=found.path,
            size_bytes=stamp.size_bytes if stamp else 0,
            sha256="",
            row_count=metadata.num_rows,
            first_us=first,
            last_us=last,
            conforms=not casts,
            casts=casts,
            unknown_columns=tuple(sorted(set(schema.names) - set(REQUEST_COLUMNS) - PARTITION_COLUMNS)),
            missing_columns=tuple(column for column in REQUEST_COLUMNS if column not in schema.names),
            footer_non_null=_non_null(metadata, schema),
            groups=_groups(metadata, schema),
            filesystem=found.filesystem,
            stamp=stamp,
        )


def _check_schema(name: str, schema: pa.Schema) -> tuple[tuple[str, str, str], ...]:
    """The casts a file needs. Raises SchemaError for a type that cannot be cast or a required column that is missing."""
    casts = []
    for column in REQUEST_COLUMNS.values():
        places = schema.get_all_field_indices(column.name)
        if len(places) > 1:
            raise SchemaError(name, column.name, f"one column of {column.type}", f"there {len(places)} times")
        if not places:
            if column.required:
                raise SchemaError(name, column.name, str(column.type), "missing")
            continue
        found = schema.field(places[0]).type
        if not castable(found, column.type):
            raise SchemaError(name, column.name, str(column.type), str(found))
        if found != column.type:
            casts.append((column.name, str(found), str(column.type)))
    return tuple(casts)


def _chunks(metadata: Any, column: str) -> list[Any]:
    """The column's chunk in each row group (flat columns only)."""
    if metadata.num_row_groups == 0:
        return []
    first = metadata.row_group(0)
    at = next((index for index in range(first.num_columns) if first.column(index).path_in_schema == column), None)
    return [] if at is None else [metadata.row_group(group).column(at) for group in range(metadata.num_row_groups)]


def _group_ranges(metadata: Any, schema: pa.Schema) -> list[tuple[int, int] | None]:
    """Earliest and latest timestamp of each row group in microseconds; None where the footer does not say."""
    kind = schema.field("timestamp").type
    chunks = _chunks(metadata, "timestamp")
    if not pt.is_timestamp(kind):
        return [None] * metadata.num_row_groups
    times, over = _PER_MICROSECOND[kind.unit]
    known = [chunk.statistics if chunk.physical_type == "INT64" else None for chunk in chunks]
    return [(int(one.min_raw) * times // over, int(one.max_raw) * times // over) if one is not None and one.has_min_max else None for one in known]


def _time_range(metadata: Any, schema: pa.Schema) -> tuple[int | None, int | None]:
    """Earliest and latest timestamp of a file; None unless every row group says."""
    ranges = [one for one in _group_ranges(metadata, schema) if one is not None]
    if not ranges or len(ranges) != metadata.num_row_groups:
        return None, None
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def _groups(metadata: Any, schema: pa.Schema) -> tuple[RowGroup, ...]:
    ranges = _group_ranges(metadata, schema)
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    return tuple(RowGroup(group.num_rows, read_bytes(group), None if span is None else span[0]) for group, span in zip(groups, ranges, strict=True))


def _non_null(metadata: Any, schema: pa.Schema) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    for column in REQUEST_COLUMNS:
        if column not in schema.names:
            continue
        chunks = _chunks(metadata, column)
        known = all(chunk.statistics is not None and chunk.statistics.has_null_count for chunk in chunks) and (chunks or metadata.num_rows == 0)
        counts[column] = metadata.num_rows - sum(chunk.statistics.null_count for chunk in chunks) if known else None
    return counts


def _digest(name: str, found: Found) -> tuple[int, str]:
    """Size and SHA-256 of a file, read in pieces."""
    digest, size = hashlib.sha256(), 0
    try:
        with Path(found.path).open("rb") if found.filesystem is None else found.filesystem.open_input_stream(found.path) as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error}). Check its permissions.") from None
    return size, digest.hexdigest()
