"""The files of a day table as readers for stages that go through all days side by side.

Promises: every file is open once for as long as `open_files` is, whatever columns are read of it how often; a file is read page by page, so that many days together
take little memory.
The process may open a file for each day, where the system lets it.
"""

from __future__ import annotations

import functools
import resource
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schema import Table
from pipeline.stages.days import DayReader

_BUFFER_BYTES = 1 << 16
_OTHER_FILES = 256
"""What the process may have open besides."""


def open_days(table: Table, files: Sequence[Path], open_files: ExitStack) -> list[DayReader]:
    """A reader for each file, in their order; the column of kinds comes as a dictionary. Raises OSError if a file is missing."""
    _allow(len(files) + _OTHER_FILES)
    options = {"pre_buffer": False, "buffer_size": _BUFFER_BYTES, "read_dictionary": [name for name in ("kind",) if name in table.column_names]}
    return [functools.partial(_read, open_files.enter_context(pq.ParquetFile(path, **options))) for path in files]


def _read(file: pq.ParquetFile, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    yield from file.iter_batches(batch_size=rows, columns=list(columns), use_threads=False)


def _allow(files: int) -> None:
    """Ask the system for so many open files, if fewer are allowed and it may be asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
