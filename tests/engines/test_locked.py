"""An analyst's SQL reaches the run's tables and nothing else, whatever it says, and ends in bounded time and memory."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engines import locked
from pipeline.engines.locked import Answer, QueryStopped, ask
from pipeline.errors import IntegrityError, SqlError, UsageError
from pipeline.evidence.askable import find_saved, run_tables, saved, saved_name, typed_values
from pipeline.evidence.finished import FinishedRun


@pytest.fixture(scope="module")
def tables(finished: Path) -> dict[str, list[Path]]:
    return run_tables(FinishedRun(finished))


def _ask(tables: dict[str, list[Path]], sql: str, limit: int = 1000, **more: object) -> Answer:
    return ask(sql, {}, tables, limit, **more)  # type: ignore[arg-type]


def test_it_gives_what_the_files_hold(tables, finished):
    networks = pl.read_parquet(finished / "latest" / "tables" / "networks.parquet")
    found = _ask(tables, "SELECT network_id, account_count, first_seen_at FROM networks ORDER BY network_id")
    assert found.columns == ("network_id", "account_count", "first_seen_at")
    rows = networks.select(found.columns).sort("network_id").rows()
    assert [(name, count, dt.datetime.fromisoformat(seen)) for name, count, seen in found.rows] == rows
    days = _ask(tables, "WITH d AS (SELECT day, sum(request_count) AS n FROM account_days GROUP BY day) SELECT sum(n) AS n, count(*) AS days FROM d").rows
    assert days == ((_ask(tables, "SELECT count(*) AS n FROM requests").rows[0][0], 3),)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("NULL", None),
        ("true", True),
        ("2::UTINYINT", 2),
        ("(SELECT sum(range) FROM range(5))", 10),
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
        ("1.5::DECIMAL(5,2)", "1.50"),
        ("0.5::DOUBLE", 0.5),
        ("DATE '2026-05-01'", "2026-05-01"),
        ("'infinity'::DATE", "infinity"),
        ("'-infinity'::TIMESTAMPTZ", "-infinity"),
        ("TIMESTAMPTZ '2026-05-01 02:00:00+02'", "2026-05-01T00:00:00+00"),
        ("INTERVAL 1 DAY", "1 day"),
        ("[1, 2]", "[1, 2]"),
        ("{'a': 1}", "{'a': 1}"),
        ("union_value(a := 1)", "1"),
        ("'101'::BIT", "101"),
        ("'\\x1B[2J'::BLOB", "\\x1B[2J"),
        ("chr(27) || '[2J'", "\x1b[2J"),
    ],
)
def test_every_type_that_sql_has_becomes_a_plain_value(tables, value, expected):
    found = _ask(tables, f"SELECT {value} AS v")
    assert found.rows == ((expected,),)


def test_rows_beyond_the_limit_are_left_out_and_said_to_be(tables):
    total = _ask(tables, "SELECT count(*) AS n FROM accounts").rows[0][0]
    for limit, is_cut in ((1, True), (total - 1, True), (total, False), (total + 1, False)):
        found = _ask(tables, "SELECT account_id FROM accounts", limit)
        assert (len(found.rows), found.is_cut) == (min(limit, total), is_cut)


ESCAPES = """
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_parquet('{networks}')
SELECT * FROM parquet_metadata('{networks}')
SELECT * FROM parquet_scan('{networks}')
SELECT * FROM '/etc/passwd'
SELECT * FROM "{networks}"
SELECT * FROM glob('/etc/*')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM read_duckdb('{outside}')
SELECT 'x'.read_text()
SELECT (SELECT max(content) FROM read_text('/etc/passwd')) FROM networks
SELECT * FROM networks WHERE EXISTS (FROM read_text('/etc/passwd'))
WITH networks AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM networks
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r, glob('/*')) SELECT * FROM r
SELECT * FROM networks, LATERAL (SELECT * FROM read_text(networks.network_id))
SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')
SELECT * FROM query_table('networks')
SELECT getenv('HOME')
SELECT current_setting('home_directory')
SELECT write_log('x')
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_views
SELECT * FROM information_schema.tables
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM system.main.duckdb_tables
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM checkpoint('memory')
SELECT * FROM pragma_database_size()
COPY networks TO '{outside}'
COPY (SELECT 1) TO '{outside}'
EXPORT DATABASE '{outside}'
ATTACH '{outside}'
INSTALL httpfs
LOAD httpfs
SET memory_limit = '100GB'
RESET memory_limit
PRAGMA database_list
CALL pragma_version()
CREATE TABLE t AS SELECT 1
CREATE VIEW v AS SELECT * FROM read_text('/etc/passwd')
CREATE MACRO m() AS TABLE SELECT * FROM read_text('/etc/passwd')
INSERT INTO networks VALUES (1)
DELETE FROM networks
DROP VIEW networks
EXPLAIN ANALYZE SELECT 1
PREPARE p AS SELECT 1
EXECUTE p
CHECKPOINT
SHOW TABLES
DESCRIBE networks
SUMMARIZE networks
SELECT 1; SELECT 2
SELECT 1; COPY networks TO '{outside}'
SELECT 1 /* ; */; DROP VIEW networks
SELECT 1 --
; ATTACH '{outside}'
-- nothing at all
/* nothing */
;
""".strip()


@pytest.mark.parametrize("sql", [*ESCAPES.replace("\n; ATTACH", "\x00; ATTACH").replace("\x00", "\\n").split("\n"), ""])
def test_there_is_no_way_out(tables, finished, tmp_path, sql):
    outside = tmp_path / "outside"
    text = sql.replace("\\n", "\n").format(networks=finished / "latest" / "tables" / "networks.parquet", outside=outside)
    before = _tree(finished)
    with pytest.raises(UsageError):
        _ask(tables, text)
    assert not outside.exists()
    assert _tree(finished) == before


def _tree(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY (SELECT 1) TO '{outside}'",
        "ATTACH '{outside}'",
        "SELECT * FROM glob('/etc/*')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET memory_limit = '100GB'",
        "SET lock_configuration = false",
    ],
)
def test_the_lock_holds_even_where_the_text_is_not_looked_at(tables, tmp_path, sql):
    """The connection alone, without the parser in front of it."""
    connection = locked._connection(1)
    locked._lock(connection, {"networks": tables["networks"]})
    with pytest.raises(duckdb.Error):
        connection.execute(sql.format(outside=tmp_path / "outside")).fetchall()
    assert not (tmp_path / "outside").exists()
    assert connection.execute("SELECT count(*) FROM networks").fetchall() == [(1,)]


def test_a_link_in_the_place_of_a_table_is_the_only_file_that_opens(tables, tmp_path):
    secret = tmp_path / "secret.parquet"
    pq.write_table(pa.table({"a": [1]}), secret)
    with pytest.raises(UsageError):
        _ask(tables, f"SELECT * FROM networks, '{secret}'")
    connection = locked._connection(1)
    locked._lock(connection, {"networks": tables["networks"]})
    with pytest.raises(duckdb.PermissionException):
        connection.execute(f"SELECT * FROM read_parquet('{secret}')")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "line 1: SELEC 1"),
        ("SELECT 1\nFROM networks\nWHERE AND", "line 3"),
        ("SELECT * FROM netwroks", "Did you mean networks?"),
        ("SELECT tear FROM networks", "tear"),
        ("SELECT 1 AS a, 2 AS a", "two columns are called 'a'"),
        ("SELECT CAST(network_id AS BIGINT) AS n FROM networks", "cannot be run"),
        ("SELECT $x", "cannot be run"),
        ("SELECT nothing_like_it(1)", "cannot be run"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "depth"),
        ("SELECT " + "(SELECT " * 500 + "1" + ")" * 500, "nested"),
        ("SELECT '\udc80' AS a", "UTF-8"),
        ("PIVOT networks ON tier USING count(*)", "only a SELECT"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(tables, sql, said):
    with pytest.raises(UsageError) as refused:
        _ask(tables, sql)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_query_without_end_is_stopped(tables):
    began = time.monotonic()
    with pytest.raises(QueryStopped, match=r"0\.5 s"):
        _ask(tables, "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b", seconds=0.5)
    assert time.monotonic() - began < 20


def test_a_query_that_needs_too_much_memory_is_stopped(tables, monkeypatch):
    monkeypatch.setattr(locked, "MEMORY_BYTES", 30_000_000)
    with pytest.raises(QueryStopped, match="memory"):
        _ask(tables, "SELECT list(a.range || 'x' || b.range) AS l FROM range(3000) a, range(3000) b", seconds=60)


def test_a_table_that_is_gone_or_broken_is_named(tables, tmp_path):
    with pytest.raises(IntegrityError, match="nowhere"):
        _ask({"networks": [tmp_path / "nowhere.parquet"]}, "SELECT * FROM networks")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(IntegrityError, match="broken"):
        _ask({"networks": [tmp_path / "broken.parquet"]}, "SELECT * FROM networks")


def test_glob_characters_and_quotes_in_a_folder_are_literal(tables, tmp_path):
    odd = tmp_path / "it's [a] *folder?"
    odd.mkdir()
    (odd / "n.parquet").write_bytes(tables["networks"][0].read_bytes())
    assert len(_ask({"networks": [odd / "n.parquet"]}, "SELECT * FROM networks").rows) == 1


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_answer_or_a_usage_error(text):
    with contextlib.suppress(UsageError):
        ask(text, {}, {}, 5, 5.0, 1)


def test_every_saved_question_runs_on_a_run(tables, finished):
    account, network = _ask(tables, "SELECT account_id, network_id FROM members ORDER BY account_id").rows[0]
    given_values = {"account": account, "account_a": "pool-000", "account_b": "pool-001", "network": network, "least_members": "2", "least_accounts": "2", "most_accounts": "8"}
    given_values |= {"rows": "5", "first_day": "2026-05-01", "last_day": "2026-05-03", "kind": "ip"}
    assert len(saved()) >= 8
    key = _ask(tables, "SELECT min(value_key) AS k FROM shared_values WHERE kind = 'ip'").rows[0][0]  # held by some, so seen in requests too
    given_values["value_key"] = str(key)
    for file in saved():
        values = typed_values(file, {name: given_values[name] for name, _ in file.params})
        assert ask(file.text, values, tables, 10).rows, f"{saved_name(file)} finds nothing"


@pytest.mark.parametrize(
    ("given_values", "said"),
    [
        ({}, "also needs first_day"),
        ({"first_day": "2026-05-01", "last_day": "2026-05-02"}, "also needs rows"),
        ({"first_day": "May", "last_day": "2026-05-02", "rows": "1"}, "like 2026-05-01"),
        ({"first_day": "2026-05-01", "last_day": "2026-05-02", "rows": "many"}, "whole number"),
        ({"first_day": "2026-05-01", "last_day": "2026-05-02", "rows": "99999999999999999999"}, "whole number"),
        ({"first_day": "2026-05-01", "last_day": "2026-05-02", "rows": "1", "x": "1"}, "no parameter 'x'"),
    ],
)
def test_parameters_are_typed(given_values, said):
    with pytest.raises(UsageError) as refused:
        typed_values(find_saved("busiest_accounts"), given_values)
    assert said in str(refused.value)


def test_an_unknown_saved_question_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean account_days"):
        find_saved("account_day")


def test_nothing_is_left_behind(tables, tmp_path, monkeypatch):
    """No spill folder, no file of the engine's own."""
    monkeypatch.chdir(tmp_path)
    _ask(tables, "SELECT * FROM accounts ORDER BY account_id")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    assert issubclass(QueryStopped, Exception)
    assert not issubclass(QueryStopped, SqlError)


def test_a_signal_ends_a_query_at_once(tables, signalled):
    """On two threads of the engine, of which the other may hold the only task of the query."""
    started = time.monotonic()
    with pytest.raises(signalled):
        _ask(tables, "SELECT sum(a.range * b.range) FROM range(200000) AS a, range(200000) AS b", seconds=30)
    assert time.monotonic() - started < 5
