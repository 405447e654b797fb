"""DuckDB, embedded: runs the SQL files over Parquet and hands results out as Arrow.

Promises: UTC on the connection; no extension is ever downloaded or loaded; no Python variable is visible to SQL;
values enter only as declared parameters; a file's ORDER BY is the order of its result, and `write` makes equal bytes
for equal input whatever the thread count. The process stays under the memory it was given: DuckDB gets a share of
it and spills to `temp_dir`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from pipeline.engines import dialect
from pipeline.engines.parquet import GroupWriter, group_rows, write_parquet
from pipeline.engines.sqlfile import SqlFile, load
from pipeline.errors import MemoryExhausted, MemoryTooSmall, SqlError
from pipeline.interruptible import interruptible
from pipeline.schema import Table

T = TypeVar("T")

MINIMUM_BYTES = 1_000_000_000
_RESERVED_BYTES = 350_000_000  # the interpreter, its libraries and the Arrow batches in flight
_BATCH_ROWS = 65_536
_NEVER = "1000000 GB"
"""More memory than any process frees."""
_ARROW = {
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "BINARY": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}
_PARAM_CLASSES: dict[str, tuple[type, ...]] = {
    "BIGINT": (int,),
    "INTEGER": (int,),
    "DOUBLE": (float, int),
    "VARCHAR": (str,),
    "BOOLEAN": (bool,),
    "DATE": (date,),
}


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a portable type name of schema.py, lists included."""
    return pa.list_(_ARROW[name[:-2]]) if name.endswith("[]") else _ARROW[name]


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table: its columns in order, all nullable."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in table.columns])


class DuckEngine:
    """A private in-memory DuckDB database that lives as long as the `with` block.

    `memory_bytes` bounds the whole process, not only DuckDB. Raises MemoryTooSmall below 1 GB.
    """

    def __init__(self, *, threads: int, memory_bytes: int, temp_dir: Path) -> None:
        if memory_bytes < MINIMUM_BYTES:
            raise MemoryTooSmall(f"{memory_bytes} bytes of memory are too few: every run needs {MINIMUM_BYTES}. Raise --memory.")
        temp_dir.mkdir(parents=True, exist_ok=True)
        self._threads = threads
        self._views: dict[str, tuple[tuple[Path, ...], Table]] = {}
        self._connection = duckdb.connect(":memory:", config=_settings(threads, memory_bytes, temp_dir))
        self._run("SET TimeZone='UTC'")
        self._run("SET enable_progress_bar = false")  # in a process without a script, as workers are, DuckDB takes a person to be there and writes bars into the data
        for macro in dialect.macros():
            self._run(macro)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; its temporary tables and spilled files go with it."""
        self._connection.close()

    @contextmanager
    def keeping_memory(self) -> Iterator[None]:
        """While the block lasts, DuckDB returns no memory to the system on its own: its threads do so after each task that used much, for the whole heap of the process."""
        names = ("allocator_flush_threshold", "allocator_bulk_deallocation_flush_threshold")
        usual = {name: self._run(f"SELECT current_setting('{name}')")[0][0] for name in names}
        try:
            for name in names:
                self._run(f"SET {name} = '{_NEVER}'")
            yield
        finally:
            for name, value in usual.items():
                self._run(f"SET {name} = '{value}'")

    def view(self, name: str, files: Sequence[Path], table: Table) -> None:
        """Show Parquet files under `name` with exactly the table's columns and types; no files give an empty view.

        A view that already shows these files stays as it is: looking up the columns of a file costs as much as a small query.
        """
        if self._views.get(name) == (tuple(files), table):
            return
        columns = ", ".join(f"CAST({_quoted(c.name)} AS {_duckdb_type(c.type)}) AS {_quoted(c.name)}" for c in table.columns)
        if files:
            paths = ", ".join(_literal(_glob_safe(path)) for path in files)
            query = f"SELECT {columns} FROM read_parquet([{paths}], hive_partitioning = false)"  # noqa: S608 - a view takes no parameters; names and paths are quoted
        else:
            nulls = ", ".join(f"NULL AS {_quoted(c.name)}" for c in table.columns)
            query = f"SELECT {columns} FROM (SELECT {nulls}) WHERE false"  # noqa: S608 - as above
        self._views.pop(name, None)
        self._connection.unregister(name)  # a table in memory would hide the view
        self._attempt(name, lambda: self._run(f"CREATE OR REPLACE VIEW {_quoted(name)} AS {query}"))
        self._views[name] = (tuple(files), table)

    def register(self, name: str, data: pa.Table | pl.DataFrame) -> None:
        """Show a table in memory under `name`; it is not copied."""
        self._views.pop(name, None)
        self._connection.register(name, data.to_arrow() if isinstance(data, pl.DataFrame) else data)

    def select(self, sql_file: str, params: Mapping[str, object]) -> pa.Table:
        """The result of sql/`sql_file`, in the order that the file states."""
        file = load(sql_file)
        values = _bound(file, params)
        table: pa.Table = self._attempt(sql_file, lambda: self._connection.sql(file.text, params=values).to_arrow_table())
        return table

    def write(self, sql_file: str, params: Mapping[str, object], path: Path, table: Table) -> int:
        """Stream the result into a Parquet file with the table's exact columns and types; returns its rows."""
        file = load(sql_file)
        values = _bound(file, params)
        return self._attempt(sql_file, lambda: self._stream(file, values, path, table))

    def write_days(self, sql_file: str, params: Mapping[str, object], paths: Mapping[date, Path], table: Table) -> None:
        """Stream a result whose first order is its column `day` into one Parquet file a day, each as `write` would make it; a day without rows gives a file of none.

        Raises SqlError for a row of any other day.
        """
        file = load(sql_file)
        values = _bound(file, params)
        self._attempt(sql_file, lambda: self._stream_days(file, values, paths, table))

    def _stream(self, file: SqlFile, values: dict[str, object], path: Path, table: Table) -> int:
        schema = arrow_schema(table)
        return write_parquet(self._reader(file, values, table, schema), path, schema)

    def _stream_days(self, file: SqlFile, values: dict[str, object], paths: Mapping[date, Path], table: Table) -> None:
        schema = arrow_schema(table)
        with ExitStack() as open_files:
            writers = {day: open_files.enter_context(GroupWriter(path, schema)) for day, path in paths.items()}
            for batch in self._reader(file, values, table, schema):
                for day, rows in _by_day(batch):
                    if day not in writers:
                        raise SqlError(file.name, f"gives rows of the day {day}, which was not asked for")
                    writers[day].write(rows)

    def _reader(self, file: SqlFile, values: dict[str, object], table: Table, schema: pa.Schema) -> pa.RecordBatchReader:
        reader: pa.RecordBatchReader = self._connection.sql(file.text, params=values).to_arrow_reader(min(_BATCH_ROWS, group_rows(schema)))
        if tuple(reader.schema.names) != table.column_names:
            raise SqlError(file.name, f"gives the columns {', '.join(reader.schema.names)}; the table {table.name} has {', '.join(table.column_names)}")
        return reader

    def _run(self, statement: str) -> list[tuple[object, ...]]:
        return self._connection.execute(statement).fetchall()

    def _attempt(self, name: str, action: Callable[[], T]) -> T:
        """Run one action; what DuckDB or Arrow refuses becomes a SqlError without the values involved. A signal ends it at once, by the exception of the signal's handler.

        Out of memory is tried once more on one thread: threads sort and join side by side, and results do not depend on them.
        """
        try:
            return interruptible(action, self._connection.interrupt)
        except duckdb.OutOfMemoryException:
            return self._alone(name, action)
        except (duckdb.Error, pa.ArrowException, RuntimeError) as error:  # some of DuckDB's own failures arrive as plain RuntimeError
            raise SqlError(name, _reason(error)) from None

    def _alone(self, name: str, action: Callable[[], T]) -> T:
        self._run("SET threads = 1")
        try:
            return interruptible(action, self._connection.interrupt)
        except (duckdb.OutOfMemoryException, MemoryError):
            raise MemoryExhausted(name) from None
        finally:
            self._run(f"SET threads = {self._threads}")


def _by_day(batch: pa.RecordBatch) -> Iterator[tuple[date, pa.RecordBatch]]:
    """The rows of each day of a batch that is sorted by day."""
    numbers = batch.column("day").cast(pa.int32()).to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]])) if len(numbers) else numbers
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(numbers)], strict=False):
        yield batch.column("day")[start].as_py(), batch.slice(start, end - start)


def _settings(threads: int, memory_bytes: int, temp_dir: Path) -> dict[str, str | bool | int | float | list[str]]:
    beyond = (memory_bytes - MINIMUM_BYTES) // 5  # a larger log leaves larger tables in the process beside the engine
    share = int((memory_bytes - _RESERVED_BYTES - beyond) * 0.85)
    return {
        "threads": threads,
        "async_threads": 0,  # of reading beside the query: files are local, and each idle thread gives the free memory of the whole process back
        "memory_limit": f"{share} B",
        "temp_directory": str(temp_dir),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": True,
    }


def _bound(file: SqlFile, params: Mapping[str, object]) -> dict[str, object]:
    """Exactly the declared parameters, each of its declared type."""
    declared = dict(file.params)
    if set(declared) != set(params):
        raise SqlError(file.name, f"takes the parameters {sorted(declared)}, was given {sorted(params)}")
    for name, kind in declared.items():
        value = params[name]
        if value is not None and (not isinstance(value, _PARAM_CLASSES[kind]) or (kind != "BOOLEAN" and isinstance(value, bool))):
            raise SqlError(file.name, f"parameter '{name}' must be {kind}, not {type(value).__name__}")
    return dict(params)


def _duckdb_type(name: str) -> str:
    return "TIMESTAMPTZ" if name == "TIMESTAMP" else name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _glob_safe(path: Path) -> str:
    """The path with glob characters made literal."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _reason(error: BaseException) -> str:
    """First line of an engine's message, without quoted values: a value of the log must not reach an error."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if not isinstance(error, (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)):  # those name columns and tables, not values
        text = re.sub(r"'.*'", "'...'", text)
    return text[:400]
