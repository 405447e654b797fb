"""The engine's promises: exact types, sorted and repeatable bytes, bounded memory, nothing but declared parameters and tables."""

import contextlib
import hashlib
import subprocess
import sys
import time
from datetime import date
from unittest.mock import patch

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.engines import parquet, sqlfile
from pipeline.engines.duckdb import MINIMUM_BYTES, DuckEngine, arrow_schema, arrow_type
from pipeline.engines.parquet import ROW_GROUP_ROWS, WIDE_GROUP_ROWS, in_runs, write_parquet
from pipeline.errors import MemoryExhausted, MemoryTooSmall, SqlError
from tests.conftest import ROOT

PAIRS = schema.Table("pairs", 1, ("a", "b"), (schema.Column("a", "BIGINT", "", ""), schema.Column("b", "VARCHAR", "", "")))


@pytest.fixture
def engine(tmp_path):
    with DuckEngine(threads=2, memory_bytes=MINIMUM_BYTES, temp_dir=tmp_path / "spill") as engine:
        yield engine


@pytest.fixture
def sql(tmp_path, monkeypatch):
    """Write SQL files into a folder of the test's own and load from there."""
    folder = tmp_path / "sql"
    folder.mkdir()
    monkeypatch.setattr(sqlfile, "sql_folder", lambda: folder)
    sqlfile.load.cache_clear()
    yield lambda name, text: (folder / name).write_text(text, encoding="utf-8")
    sqlfile.load.cache_clear()


def test_no_bar_is_written_into_the_data_where_no_script_runs(tmp_path):
    """A worker process has no `__main__` file; DuckDB would draw bars on its stdout for queries of more than two seconds."""
    ask = "SELECT value FROM duckdb_settings() WHERE name = 'enable_progress_bar'"
    code = (
        "import sys, duckdb\nfrom pathlib import Path\nfrom pipeline.engines.duckdb import DuckEngine\n"
        f"print(duckdb.connect().execute({ask!r}).fetchone()[0])\n"
        f"with DuckEngine(threads=1, memory_bytes=10**9, temp_dir=Path(sys.argv[1])) as engine: print(engine._connection.execute({ask!r}).fetchone()[0])"
    )
    told = subprocess.run([sys.executable, "-c", code, str(tmp_path / "spill")], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == ["true", "false"]


def test_an_engine_of_one_thread_starts_no_other(tmp_path):
    """Each idle thread of DuckDB gives the free memory of the whole process back, whoever will ask for it next."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom pipeline.engines.duckdb import DuckEngine\nbefore = len(os.listdir('/proc/self/task'))\n"
        "with DuckEngine(threads=1, memory_bytes=10**9, temp_dir=Path(sys.argv[1])): print(len(os.listdir('/proc/self/task')) - before)"
    )
    told = subprocess.run([sys.executable, "-c", code, str(tmp_path / "spill")], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == ["0"]


def test_memory_is_kept_as_long_as_asked_and_then_no_longer(engine):
    ask = "SELECT current_setting('allocator_flush_threshold'), current_setting('allocator_bulk_deallocation_flush_threshold')"
    usual = engine._run(ask)
    with contextlib.suppress(KeyError), engine.keeping_memory():
        assert all(float(value.split()[0]) >= 900 and value.endswith(("TiB", "GB")) for value in engine._run(ask)[0])
        raise KeyError
    assert engine._run(ask) == usual


def header(reads="pairs", params="none"):
    return f"-- what it makes\n-- grain: a\n-- reads: {reads}\n-- params: {params}\n"


def test_a_view_has_exactly_the_tables_columns_whatever_the_file_has(engine, sql, tmp_path):
    pq.write_table(pa.table({"b": ["x"], "extra": [1], "a": pa.array([7], pa.int32())}), tmp_path / "p.parquet")
    sql("1_x.sql", header() + "SELECT * FROM pairs ORDER BY a")
    engine.view("pairs", [tmp_path / "p.parquet"], PAIRS)
    assert engine.select("1_x.sql", {}).equals(pa.table({"a": [7], "b": ["x"]}))


def test_a_view_of_no_files_is_empty_and_typed(engine, sql):
    sql("1_x.sql", header() + "SELECT * FROM pairs ORDER BY a")
    engine.view("pairs", [], PAIRS)
    assert engine.select("1_x.sql", {}).schema.equals(arrow_schema(PAIRS))


def test_a_path_is_never_a_pattern_nor_a_partition(engine, sql, tmp_path):
    folder = tmp_path / "a=5" / "it's [ab]*?"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), folder / "p.parquet")
    (tmp_path / "a=5" / "it's ax").mkdir()
    pq.write_table(pa.table({"a": [2], "b": ["y"]}), tmp_path / "a=5" / "it's ax" / "p.parquet")
    sql("1_x.sql", header() + "SELECT a FROM pairs ORDER BY a")
    engine.view("pairs", [folder / "p.parquet"], PAIRS)
    assert engine.select("1_x.sql", {})["a"].to_pylist() == [1]


def test_a_file_without_a_column_is_an_error_that_names_the_table(engine, tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "p.parquet")
    with pytest.raises(SqlError, match="pairs"):
        engine.view("pairs", [tmp_path / "p.parquet"], PAIRS)


def test_polars_and_arrow_tables_are_registered_alike(engine, sql):
    sql("1_x.sql", header() + "SELECT a, b FROM pairs ORDER BY a")
    engine.register("pairs", pa.table({"a": [1, 2], "b": ["x", None]}))
    first = engine.select("1_x.sql", {})
    engine.register("pairs", pl.DataFrame({"a": [1, 2], "b": ["x", None]}))
    assert engine.select("1_x.sql", {}).to_pylist() == first.to_pylist()


def test_parameters_are_bound_and_never_pasted(engine, sql):
    sql("1_x.sql", header(params="word VARCHAR") + "SELECT a FROM pairs WHERE b = $word ORDER BY a")
    engine.register("pairs", pa.table({"a": [1, 2], "b": ["x", "' OR 1=1 --"]}))
    assert engine.select("1_x.sql", {"word": "' OR 1=1 --"})["a"].to_pylist() == [2]


@pytest.mark.parametrize("given", [{}, {"low": 1, "high": 2}, {"low": "1"}, {"low": True}, {"low": 1.5}])
def test_missing_surplus_and_mistyped_parameters_are_refused(engine, sql, given):
    sql("1_x.sql", header(params="low BIGINT") + "SELECT a FROM pairs WHERE a > $low ORDER BY a")
    engine.register("pairs", pa.table({"a": [1], "b": ["x"]}))
    with pytest.raises(SqlError):
        engine.select("1_x.sql", given)


def test_written_rows_have_the_tables_types_and_the_files_order(engine, sql, tmp_path):
    sql("1_x.sql", header() + "SELECT a, b FROM pairs ORDER BY a DESC, b")
    engine.register("pairs", pa.table({"a": pa.array([1, 3, 3], pa.int64()), "b": ["x", "z", "y"]}))
    assert engine.write("1_x.sql", {}, tmp_path / "o.parquet", PAIRS) == 3
    written = pq.read_table(tmp_path / "o.parquet")
    assert written.schema.equals(arrow_schema(PAIRS))
    assert written.to_pylist() == [{"a": 3, "b": "y"}, {"a": 3, "b": "z"}, {"a": 1, "b": "x"}]
    assert pq.ParquetFile(tmp_path / "o.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_other_columns_than_the_tables_are_refused(engine, sql, tmp_path):
    sql("1_x.sql", header() + "SELECT a FROM pairs ORDER BY a")
    engine.register("pairs", pa.table({"a": [1], "b": ["x"]}))
    with pytest.raises(SqlError, match="columns"):
        engine.write("1_x.sql", {}, tmp_path / "o.parquet", PAIRS)


def test_bytes_do_not_depend_on_threads_or_on_how_rows_arrive(sql, tmp_path):
    sql("1_x.sql", header() + "SELECT a, b, count(*) AS n FROM pairs GROUP BY a, b ORDER BY a, b")
    table = schema.Table("counts", 1, ("a", "b"), (*PAIRS.columns, schema.Column("n", "BIGINT", "", "")))
    rows = pl.DataFrame({"a": [(i * 7919) % 100_003 for i in range(300_000)]}).with_columns(b=(pl.col("a") % 97).cast(pl.String))
    found = []
    for threads, data in ((1, rows), (4, rows), (4, rows.reverse())):
        with DuckEngine(threads=threads, memory_bytes=MINIMUM_BYTES, temp_dir=tmp_path / "spill") as engine:
            engine.register("pairs", data)
            path = tmp_path / f"{len(found)}.parquet"
            assert engine.write("1_x.sql", {}, path, table) == 100_003
            found.append(path.read_bytes())
    assert found[0] == found[1] == found[2]


def test_row_groups_are_of_one_size_whatever_the_batches(tmp_path):
    table = pa.table({"a": list(range(2 * ROW_GROUP_ROWS + 5)), "b": ["x"] * (2 * ROW_GROUP_ROWS + 5)})
    found = []
    for size in (1000, 70_000, 400_000):
        path = tmp_path / f"{size}.parquet"
        assert write_parquet(table.to_reader(max_chunksize=size), path, arrow_schema(PAIRS)) == table.num_rows
        found.append(path.read_bytes())
    metadata = pq.ParquetFile(tmp_path / "1000.parquet").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [ROW_GROUP_ROWS, ROW_GROUP_ROWS, 5]
    assert found[0] == found[1] == found[2]


@given(st.lists(st.none() | st.sampled_from(["ip", "asn", "", "model"]), max_size=30), st.integers(1, 7))
def test_words_taken_in_runs_are_the_same_words(words, chunk):
    pieces = [pa.array(words[at : at + chunk], pa.string()) for at in range(0, len(words), chunk)]
    found = in_runs(pa.chunked_array(pieces, pa.string()))
    assert found.to_pylist() == words
    assert len(set(found.dictionary.to_pylist())) == len(found.dictionary)
    assert len(found.dictionary) <= len(set(words))


WORDS = st.lists(st.sampled_from(["ip", "asn", "ja4", "model"]), max_size=40)


@given(WORDS, WORDS, st.integers(1, 7))
def test_words_in_runs_are_the_same_bytes_however_they_come(first, second, size):
    """Plain, as a dictionary of each batch, or with words that no row has."""
    words = pa.chunked_array([pa.array(some, pa.string()) for some in (first, second)])
    expected = in_runs(words)
    assert expected.to_pylist() == first + second
    assert expected.dictionary.to_pylist() == list(dict.fromkeys(first + second))
    wide = pa.array(["zone", "model", "asn", "ja4", "ip"])
    coded = pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array([wide.to_pylist().index(word) for word in some], pa.int32()), wide) for some in (first, second)])
    assert in_runs(coded).equals(expected)
    schema = pa.schema([("kind", pa.string()), ("value", pa.int64())])
    rows = pa.table({"kind": words, "value": range(len(words))}, schema=schema)
    files = {}
    for name, table in (("plain", rows), ("coded", rows.set_column(0, "kind", coded))):
        with patch.object(parquet, "ROW_GROUP_ROWS", 5):
            write_parquet(table.to_batches(max_chunksize=size), sink := pa.BufferOutputStream(), schema)
        files[name] = sink.getvalue().to_pybytes()
    assert files["plain"] == files["coded"]
    assert pq.read_table(pa.BufferReader(files["coded"])).to_pylist() == rows.to_pylist()


def test_every_kind_of_column_comes_back_as_it_was_and_plain_readers_see_the_tables_types(tmp_path):
    """Integers of all widths of value, words in runs and out of order, dates, nulls: read back equal, with no copy of the schema in the file."""
    kinds = {"day": "DATE", "kind": "VARCHAR", "account_key": "BIGINT", "other_key": "BIGINT", "ok_count": "BIGINT"}
    kinds |= {"half": "INTEGER", "score": "DOUBLE", "flag": "BOOLEAN", "items": "BIGINT[]"}
    columns = schema.Table("all", 99, ("kind",), tuple(schema.Column(name, kind, "", "") for name, kind in kinds.items()))
    rows = WIDE_GROUP_ROWS + 9
    far = [0, None, 2**63 - 1, -(2**63), 7] * (rows // 5 + 1)
    table = pa.table(
        {
            "day": pa.array([20_000 + at % 3 for at in range(rows)], pa.int32()).cast(pa.date32()),
            "kind": [("ip", "asn", None, "model")[at // 3 % 4] for at in range(rows)],
            "account_key": far[:rows],
            "other_key": far[1 : rows + 1],
            "ok_count": far[2 : rows + 2],
            "half": [at % 2 for at in range(rows)],
            "score": [at / 7 for at in range(rows)],
            "flag": [(True, False, None)[at % 3] for at in range(rows)],
            "items": [[[at], [], None, [1, 2]][at % 4] for at in range(rows)],
        },
        schema=arrow_schema(columns),
    )
    write_parquet(table.to_reader(max_chunksize=1000), tmp_path / "all.parquet", arrow_schema(columns))
    read = pq.read_table(tmp_path / "all.parquet")
    assert read.equals(table)
    assert read.schema.equals(arrow_schema(columns))
    assert pl.read_parquet(tmp_path / "all.parquet").equals(pl.from_arrow(table))
    assert duckdb.sql(f"SELECT * FROM read_parquet('{tmp_path / 'all.parquet'}')").to_arrow_table().equals(table)


def test_a_view_is_made_anew_only_for_other_files(engine, sql, tmp_path, monkeypatch):
    for name, value in (("p", 1), ("q", 2)):
        pq.write_table(pa.table({"a": [value], "b": ["x"]}), tmp_path / f"{name}.parquet")
    sql("1_x.sql", header() + "SELECT a FROM pairs ORDER BY a")
    statements, run = [], engine._run
    monkeypatch.setattr(engine, "_run", lambda statement: statements.append(statement) or run(statement))
    found = []
    for name in ("p", "p", "q", "p"):
        engine.view("pairs", [tmp_path / f"{name}.parquet"], PAIRS)
        found.append(engine.select("1_x.sql", {})["a"].to_pylist())
    assert found == [[1], [1], [2], [1]]
    assert len(statements) == 3


def test_a_table_in_memory_and_a_view_take_each_others_place(engine, sql, tmp_path):
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "p.parquet")
    sql("1_x.sql", header() + "SELECT a FROM pairs ORDER BY a")
    found = []
    for name in ("file", "memory", "file"):
        if name == "file":
            engine.view("pairs", [tmp_path / "p.parquet"], PAIRS)
        else:
            engine.register("pairs", pa.table({"a": [5], "b": ["y"]}))
        found.append(engine.select("1_x.sql", {})["a"].to_pylist())
    assert found == [[1], [5], [1]]


DATED = schema.Table("dated", 99, ("day", "a"), (schema.Column("day", "DATE", "", "day"), schema.Column("a", "BIGINT", "", "key")))
ONE_DAY = "-- one day\n-- grain: day, a\n-- reads: dated\n-- params: none\nSELECT day, a FROM dated WHERE fx_epoch_day(day) = {number} ORDER BY day, a\n"


def test_days_written_together_are_the_files_that_each_alone_would_be(engine, sql, tmp_path):
    days = [date(2026, 5, 1), date(2026, 5, 3), date(2026, 5, 4)]
    rows = pl.DataFrame({"day": [days[0]] * 5 + [days[1]] * (ROW_GROUP_ROWS + 7), "a": range(ROW_GROUP_ROWS + 12)}).sample(fraction=1.0, shuffle=True, seed=4)
    engine.register("dated", rows)
    sql("1_all.sql", "-- all\n-- grain: day, a\n-- reads: dated\n-- params: none\nSELECT day, a FROM dated ORDER BY day, a\n")
    paths = {day: tmp_path / f"{day}.parquet" for day in days}
    engine.write_days("1_all.sql", {}, paths, DATED)
    for at, day in enumerate(days):
        sql(f"2_{at}.sql", ONE_DAY.format(number=(day - date(1970, 1, 1)).days))
        engine.write(f"2_{at}.sql", {}, tmp_path / "alone.parquet", DATED)
        assert paths[day].read_bytes() == (tmp_path / "alone.parquet").read_bytes()
    assert [pq.read_metadata(path).num_rows for path in paths.values()] == [5, ROW_GROUP_ROWS + 7, 0]


def test_a_row_of_a_day_that_was_not_asked_for_is_refused(engine, sql, tmp_path):
    engine.register("dated", pl.DataFrame({"day": [date(2026, 5, 1), date(2026, 5, 2)], "a": [1, 2]}))
    sql("1_all.sql", "-- all\n-- grain: day, a\n-- reads: dated\n-- params: none\nSELECT day, a FROM dated ORDER BY day, a\n")
    with pytest.raises(SqlError, match="2026-05-02"):
        engine.write_days("1_all.sql", {}, {date(2026, 5, 1): tmp_path / "a.parquet"}, DATED)


def test_rows_with_lists_come_in_smaller_groups(tmp_path):
    wide = pa.schema([("a", pa.int64()), ("items", pa.list_(pa.int64()))])
    table = pa.table({"a": range(WIDE_GROUP_ROWS + 1), "items": [[1, 2]] * (WIDE_GROUP_ROWS + 1)}, schema=wide)
    assert write_parquet(table.to_reader(max_chunksize=1000), tmp_path / "w.parquet", wide) == WIDE_GROUP_ROWS + 1
    metadata = pq.ParquetFile(tmp_path / "w.parquet").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [WIDE_GROUP_ROWS, 1]
    assert pq.read_table(tmp_path / "w.parquet").equals(table)


def test_out_of_memory_is_tried_again_on_one_thread(engine):
    seen = []

    def action():
        seen.append(engine._run("SELECT current_setting('threads')")[0][0])
        if len(seen) == 1:
            raise duckdb.OutOfMemoryException
        return "done"

    assert engine._attempt("1_x.sql", action) == "done"
    assert seen == [2, 1]
    assert engine._run("SELECT current_setting('threads')")[0][0] == 2


def test_a_python_variable_is_not_a_table(engine, sql):
    secret = pa.table({"a": [1]})
    sql("1_x.sql", header(reads="secret") + "SELECT a FROM secret ORDER BY a")
    with pytest.raises(SqlError, match="secret"):
        engine.select("1_x.sql", {})
    assert secret.num_rows == 1


def test_an_error_of_the_engine_names_the_file(engine, sql):
    sql("1_x.sql", header() + "SELECT CAST(b AS BIGINT) AS n FROM pairs ORDER BY n")
    engine.register("pairs", pa.table({"a": [1], "b": ["my private words"]}))
    with pytest.raises(SqlError, match=r"1_x\.sql") as caught:
        engine.select("1_x.sql", {})
    assert "private" not in str(caught.value)


def test_running_out_of_memory_says_what_to_do(engine, sql):
    engine._run("SET memory_limit = '20 MB'")
    engine._run("SET max_temp_directory_size = '0 B'")
    sql("1_x.sql", header() + "SELECT a, fx_sorted_set(b) AS words FROM pairs GROUP BY a ORDER BY a")
    engine.register("pairs", pl.DataFrame({"a": range(400_000)}).with_columns(b=pl.col("a").cast(pl.String)))
    with pytest.raises(MemoryExhausted, match="--memory"):
        engine.select("1_x.sql", {})


def test_a_missing_file_is_an_error_with_its_name(engine):
    with pytest.raises(SqlError, match="99_none"):
        engine.select("99_none.sql", {})


def test_too_little_memory_is_refused(tmp_path):
    with pytest.raises(MemoryTooSmall, match="--memory"):
        DuckEngine(threads=1, memory_bytes=MINIMUM_BYTES - 1, temp_dir=tmp_path)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_days_are_utc_days_whatever_the_machine(engine, sql, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    sql("1_x.sql", header() + "SELECT fx_day(a) AS day FROM pairs ORDER BY day")
    engine.register("pairs", pa.table({"a": [0, 86_399_999_999, 86_400_000_000], "b": ["", "", ""]}))
    assert engine.select("1_x.sql", {})["day"].to_pylist() == [date(1970, 1, 1), date(1970, 1, 1), date(1970, 1, 2)]


@pytest.mark.parametrize(
    ("call", "rows", "expected"),
    [
        ("fx_div(a, 3)", [(0, "")], [0]),
        ("fx_div(a, 3)", [(8, "")], [2]),
        ("fx_epoch_day(fx_day(a))", [(1777766400000000, "")], [20576]),
        ("fx_key(b)", [(0, "claude")], [int(hashlib.md5(b"claude").hexdigest()[:15], 16)]),
        ("fx_key(b)", [(0, None)], [None]),
        ("fx_micro(CAST(a AS DOUBLE) / 8)", [(1, "")], [125_000]),
        ("fx_log2(a)", [(8, "")], [3.0]),
        ("fx_lower(b)", [(0, "ÄİAz")], ["Äİaz"]),
        ("fx_sub(b, '[0-9]+', '#')", [(0, "a1b22")], ["a#b#"]),
        ("fx_join(fx_sorted_set(b), '+')", [(0, "b"), (0, "a"), (0, None), (0, "b")], ["a+b"]),
        ("fx_size(fx_sorted_set(b))", [(0, "b"), (0, "b"), (0, None)], [1]),
        ("fx_first(fx_sorted_set(b))", [(0, "b"), (0, "a")], ["a"]),
        ("fx_shared(fx_sorted_set(a), fx_sorted_set(a))", [(1, ""), (2, ""), (2, "")], [2]),
        ("fx_quantile(a, 0.5e0)", [(1, ""), (2, "")], [1.5]),
    ],
)
def test_helpers_give_what_they_say(engine, sql, call, rows, expected):
    sql("1_x.sql", header() + f"SELECT {call} AS m FROM pairs ORDER BY m")
    engine.register("pairs", pa.table({"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.string())}))
    assert engine.select("1_x.sql", {})["m"].to_pylist() == expected


def test_fx_unnest_gives_a_row_an_element_and_none_for_nothing(engine, sql):
    sql("1_x.sql", header(reads="lists") + "SELECT fx_unnest(items) AS item FROM lists ORDER BY item")
    engine.register("lists", pa.table({"items": pa.array([[3, 1], [], None, [2]], pa.list_(pa.int64()))}))
    assert engine.select("1_x.sql", {})["item"].to_pylist() == [1, 2, 3]


def test_every_type_of_the_schema_has_an_arrow_type():
    kinds = {column.type for table in vars(schema).values() if isinstance(table, schema.Table) for column in table.columns}
    assert all(isinstance(arrow_type(kind), pa.DataType) for kind in kinds)


def test_window_tables_tell_the_range_of_every_column_and_day_tables_that_of_their_day(tmp_path):
    """A query planner joins by ranges; without them stage 41 took twice as long."""
    for table in (schema.SHARED_VALUES, schema.ACCOUNT_ENTITIES):
        columns = arrow_schema(table)
        row = {field.name: {"int64": 7, "string": "ip", "double": 0.5, "date32[day]": date(2026, 5, 1)}[str(field.type)] for field in columns}
        write_parquet(pa.Table.from_pylist([row], schema=columns).to_reader(), tmp_path / f"{table.name}.parquet", columns)
        footer = pq.read_metadata(tmp_path / f"{table.name}.parquet").row_group(0)
        told = {footer.column(at).path_in_schema for at in range(footer.num_columns) if footer.column(at).statistics is not None and footer.column(at).statistics.has_min_max}
        assert told == ({"day"} if table is schema.ACCOUNT_ENTITIES else set(columns.names))


LONG = "SELECT sum(a.range * b.range) FROM range(200000) AS a, range(200000) AS b"
"""A query of one task, which on one thread takes half a minute."""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_signal_during_a_query_ends_it_at_once_and_is_not_a_fault_of_the_query(engine, signalled, threads):
    """Python hears signals on its main thread alone: waiting inside DuckDB while another of its threads holds the only task, that would hear this one when the query ends."""
    engine._run(f"SET threads = {threads}")
    started = time.monotonic()
    with pytest.raises(signalled):
        engine._attempt("long", lambda: engine._run(LONG))
    assert time.monotonic() - started < 5
    assert engine._attempt("short", lambda: engine._run("SELECT 1")) == [(1,)], "the connection goes on"
