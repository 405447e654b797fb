"""Finding the log files and checking each one's footer and schema, before anything is written.

A file's name in tables is its POSIX path below the LOGS root it came from. Where two roots hold the same name, every name gets its
root's base name in front (more of the root's path if that is not enough). The list is sorted by name.
"""

from __future__ import annotations

import glob
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pyarrow import types as pt

from pipeline.contract import PARTITION_COLUMNS, REQUEST_COLUMNS
from pipeline.errors import InputError, SchemaError
from pipeline.ingest.casting import castable
from pipeline.ingest.columns import read_bytes

_SUFFIXES = (".parquet", ".parq", ".pq")
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


@dataclass(frozen=True)
class _Found:
    """A file before it was opened: its root's path in parts, its name below the root, and where it is."""

    root: tuple[str, ...]
    name: str
    path: str
    filesystem: Any


def list_logs(logs: Sequence[str], *, on_bad_file: str) -> LogListing:
    """Every Parquet file under LOGS, opened and checked.

    A folder gives the Parquet files below it (hidden names and names that start with `_` apart); a file or glob gives just those. A
    file that is empty, truncated, not Parquet, or whose columns cannot be cast raises InputError or SchemaError, or is listed as
    skipped with on_bad_file="skip". No file at all, or none left, raises InputError.
    """
    files: list[LogFile] = []
    skipped: list[SkippedFile] = []
    for name, found in _named([item for log in logs for item in _find(log)]):
        try:
            files.append(_inspect(name, found))
        except InputError as error:
            if on_bad_file != "skip":
                raise
            skipped.append(SkippedFile(name, str(error)))
    if not files:
        raise InputError(f"{', '.join(logs)}: no readable Parquet file. Name a Parquet file, a folder that holds some, or a glob.")
    return LogListing(tuple(files), tuple(skipped))


def _find(log: str) -> list[_Found]:
    if log.startswith("s3://"):
        return _find_remote(log)
    path = Path(log)
    if path.is_dir():
        inside = sorted(item for item in path.rglob("*") if item.is_file() and _wanted(item.relative_to(path).as_posix()))
        return [_local(path, item) for item in inside]
    if path.is_file():
        return [_local(path.parent, path)]
    matches = sorted(Path(match) for match in glob.glob(log, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
    if not matches:
        raise InputError(f"{log}: no such file or folder. Check the path.")
    root = _glob_root(path)
    return [
        _local(root, item)
        for match in matches
        for item in ([match] if match.is_file() else sorted(match.rglob("*")))
        if item.is_file() and (match.is_file() or _wanted(item.relative_to(match).as_posix()))
    ]


def _glob_root(pattern: Path) -> Path:
    """The part of a glob before its first wild card."""
    fixed = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed) if fixed else Path()


def _wanted(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not any(part.startswith(("_", ".")) for part in name.split("/"))


def _local(root: Path, path: Path) -> _Found:
    return _Found(root.resolve().parts, path.relative_to(root).as_posix(), str(path), None)


def _find_remote(log: str) -> list[_Found]:
    """Files under an s3:// URL, through pyarrow's own client."""
    try:
        filesystem, path = fs.FileSystem.from_uri(log)
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.File:
            return [_Found(PurePosixPath(path).parent.parts, PurePosixPath(path).name, path, filesystem)]
        inside = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{log}: cannot be read ({error}). Check the URL, the region and the credentials.") from None
    names = sorted(item.path for item in inside if item.type == fs.FileType.File)
    below = [(name, PurePosixPath(name).relative_to(path).as_posix()) for name in names]
    return [_Found(PurePosixPath(path).parts, short, name, filesystem) for name, short in below if _wanted(short)]


def _named(found: list[_Found]) -> list[tuple[str, _Found]]:
    """Each file once, with a name that no other has, sorted by name."""
    once = {(item.filesystem is not None, str(Path(item.path).resolve()) if item.filesystem is None else item.path): item for item in reversed(found)}
    items = list(once.values())
    longest = max((len(item.root) for item in items), default=0)
    for depth in range(longest + 1):
        names = ["/".join((*item.root[len(item.root) - depth :], item.name)) if depth else item.name for item in items]
        if max(Counter(names).values(), default=1) == 1:
            break
    return sorted(zip((name.replace("//", "/") for name in names), items, strict=True), key=lambda pair: pair[0]) if items else []


def _open(name: str, path: str, filesystem: Any, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    try:
        source = path if filesystem is None else filesystem.open_input_file(path)
        return pq.ParquetFile(source, read_dictionary=list(dictionaries), pre_buffer=filesystem is not None)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{name}: not a readable Parquet file ({str(error).splitlines()[0]}). Export it again, or pass --on-bad-file skip.") from None


def _inspect(name: str, found: _Found) -> LogFile:
    with _open(name, found.path, found.filesystem) as file:
        schema, metadata = file.schema_arrow, file.metadata
        casts = _check_schema(name, schema)
        first, last = _time_range(metadata, schema)
        size, digest = _digest(name, found)
        return LogFile(
            name=name,
            path=found.path,
            size_bytes=size,
            sha256=digest,
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


def _digest(name: str, found: _Found) -> tuple[int, str]:
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
