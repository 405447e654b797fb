"""SQL of an analyst's own over the tables of a finished run, on a connection that can reach nothing else.

Three locks, each of which would do alone. A text is parsed by the engine's own parser and refused unless it is one SELECT that names tables of the run
and no table function but the harmless ones listed here. The connection has no files but those of the tables it names, loads no extension, sees no variable of
Python, and its settings are locked. Memory and time are bounded, nothing spills to disk, and there is nothing in it to write to.

No run uses it, so the shipped error rates are not tied to its code (provenance.READING).
"""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.engines import dialect
from pipeline.errors import IntegrityError, StillhuntError, UsageError
from pipeline.interruptible import interruptible

MEMORY_BYTES = 1_000_000_000
SECONDS = 60.0
_PLAIN = frozenset("BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE VARCHAR".split())
_WHOLE = frozenset({"HUGEINT", "UHUGEINT", "DECIMAL(38,0)", "BIGNUM"})
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
"""What may stand in FROM beside a table: functions of their arguments alone."""
_REFUSED = frozenset("getenv current_setting getvariable write_log nextval currval json_execute_serialized_sql query query_table sleep_ms".split())
"""Functions that ask for something beside the tables, or do something."""


class QueryStopped(StillhuntError):
    """A query took more memory or time than it may."""

    exit_code = 5


@dataclass(frozen=True)
class Answer:
    """What a query gave."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """the engine's names of the columns' types"""
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool
    """Whether there were more rows than asked for."""


def ask(sql: str, values: Mapping[str, object], tables: Mapping[str, Sequence[Path]], limit: int, seconds: float = SECONDS, threads: int = 2) -> Answer:
    """The first `limit` rows of a SELECT. In: values of its `$name` parameters; the files of every table that it may name.

    Raises UsageError for a text that is no SELECT, names what is not there or that the engine refuses, IntegrityError for a table's file that is gone or broken,
    QueryStopped for one that takes more than its memory or time.
    """
    connection = _connection(threads)
    try:
        named = _tables_named(connection, sql, tables)
        _lock(connection, {name: tables[name] for name in named})
        with _bounded(connection, seconds):
            return interruptible(lambda: _answer(connection.sql(sql, params=dict(values)), limit), connection.interrupt)
    finally:
        connection.close()


def _connection(threads: int) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": f"{MEMORY_BYTES} B",
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET enable_progress_bar = false")  # it would write into the data
    for macro in dialect.macros():
        connection.execute(macro)
    return connection


def _tables_named(connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[str, Sequence[Path]]) -> list[str]:
    """The tables of the run that a text names, sorted. Raises UsageError unless it is one SELECT that names nothing else."""
    tree = _tree(connection, sql)
    known = {str(entry["key"]).lower() for node in _nodes(tree) if "cte_map" in node for entry in node["cte_map"]["map"]}
    named = set()
    for node in _nodes(tree):
        _refuse_functions(node)
        if node.get("type") == "SHOW_REF":
            raise UsageError("SHOW, DESCRIBE and SUMMARIZE are not answered here. What there is to ask: stillhunt query --tables.")
        if node.get("type") == "BASE_TABLE":
            path = [str(part) for part in node["qualified_name"]["path"]]
            name = path[-1].lower()
            if len(path) == 1 and name in known and name not in tables:
                continue
            if path[:-1] not in ([], ["main"]) or name not in tables:
                near = difflib.get_close_matches(name, tables, n=1)
                raise UsageError(f"there is no table '{'.'.join(path)}'.{f' Did you mean {near[0]}?' if near else ''} What there is to ask: stillhunt query --tables.")
            named.add(name)
    return sorted(named)


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The one statement of a text as the engine itself parses it."""
    try:
        row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        found: dict[str, Any] = json.loads(row[0]) if row else {}
    except (duckdb.Error, RecursionError) as error:
        raise UsageError(f"this is not SQL that can be run: {'too deeply nested' if isinstance(error, RecursionError) else 'not text in UTF-8'}.") from None
    if found.get("error_type") == "not implemented":
        raise UsageError("only a SELECT is answered here: nothing is written, attached, loaded or set.")
    if found.get("error"):
        raise UsageError(f"this is not SQL that can be run: {found.get('error_message')}{_place(sql, found)}.")
    if len(found.get("statements", ())) != 1:
        raise UsageError(f"one SELECT at a time: this text holds {len(found.get('statements', ()))} statements.")
    return found


def _place(sql: str, found: Mapping[str, Any]) -> str:
    """Where a text stops being SQL, in the analyst's own words."""
    position = str(found.get("position", ""))
    if not position.isdigit():
        return ""
    line = sql.count("\n", 0, int(position)) + 1
    return f", line {line}: {sql.splitlines()[line - 1].strip()[:80]}" if sql.splitlines()[line - 1 : line] else ""


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a parsed statement."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _refuse_functions(node: Mapping[str, Any]) -> None:
    name = str(node.get("function_name", "")).lower()
    if name in _REFUSED:
        raise UsageError(f"the function '{name}' is not answered here: a query sees the run's tables and nothing else.")
    if node.get("type") == "TABLE_FUNCTION":
        table_function = str(node["function"].get("function_name", "")).lower()
        if table_function not in _TABLE_FUNCTIONS:
            raise UsageError(f"'{table_function}' is not answered here: a query sees the run's tables and nothing else. What there is to ask: stillhunt query --tables.")


def _lock(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Sequence[Path]]) -> None:
    """Show the tables as views, allow their files alone, and throw the key away."""
    for name, files in tables.items():
        paths = ", ".join(_literal(str(path)) for path in files)
        try:
            connection.execute(f"CREATE VIEW {_quoted(name)} AS SELECT * FROM read_parquet([{paths}], hive_partitioning = false)")  # noqa: S608 - a view takes no parameters; names and paths are quoted
        except duckdb.Error:
            raise IntegrityError(f"{files[0]}: the table '{name}' is missing or not what the run wrote. Run again with another --out, or restore it.") from None
    everything = ", ".join(_literal(str(path)) for files in tables.values() for path in files)
    if tables:
        connection.execute(f"SET allowed_paths = [{everything}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def _bounded(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what runs longer; every way in which the engine refuses becomes an error of ours."""
    clock = threading.Timer(seconds, connection.interrupt)
    clock.start()
    try:
        yield
    except duckdb.InterruptException:
        raise QueryStopped(f"the query took longer than {seconds:g} s and was stopped. Ask for less, or give it more: --seconds.") from None
    except duckdb.OutOfMemoryException:
        raise QueryStopped(f"the query needed more than {MEMORY_BYTES // 10**9} GB of memory and was stopped. Ask for fewer rows or days at a time.") from None
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        if "parquet" in str(error).lower():
            raise IntegrityError(f"a table of the run cannot be read ({_first_line(error)}). Restore it, or run again with another --out.") from None
        raise UsageError(f"the query cannot be run: {_first_line(error)}") from None
    except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
        raise UsageError(f"the query cannot be run: {_first_line(error)}") from None
    finally:
        clock.cancel()


def _answer(found: duckdb.DuckDBPyRelation, limit: int) -> Answer:
    """The rows as numbers, truth values and text: whatever else SQL has is written out by the engine itself."""
    names, types = tuple(found.columns), tuple(str(kind) for kind in found.types)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two columns are called '{twice[0]}'. Name each: SELECT ... AS name.")
    shown = (_quoted(name) if kind in _PLAIN else f"CAST({_quoted(name)} AS VARCHAR) AS {_quoted(name)}" for name, kind in zip(names, types, strict=True))
    table = found.project(", ".join(shown)).limit(limit + 1).to_arrow_table()
    columns = [_values(column.to_pylist(), kind) for column, kind in zip(table.columns, types, strict=True)]
    return Answer(names, types, tuple(zip(*(column[:limit] for column in columns), strict=True)), table.num_rows > limit)


def _values(column: list[Any], kind: str) -> list[Any]:
    if kind in _WHOLE:  # sums of whole numbers are wider than a column of them
        return [None if value is None else int(value) for value in column]
    if kind.startswith(("TIMESTAMP", "DATE")):
        return [None if value is None else value.replace(" ", "T", 1) for value in column]
    return column


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:400] if lines else type(error).__name__
