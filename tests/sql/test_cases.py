"""Row-level cases for every SQL file: rows in, rows out, written in tests/sql/cases/<the file's path>.toml.

A case file needs no code. It holds one or more

    [[case]]
    name = "what is shown"
    params = { day = 2026-05-03 }                     # values for the header's params, if it has any
    given.requests = [{ account_key = 1, ts_us = 0 }] # a table the file reads; columns left out are null, no entry means no rows
    expect = [{ account_key = 1, request_count = 1 }] # all rows in order; columns left out are not compared

"<null>" is null. A table that schema.py does not know gets its types from `types.NAME = { column = "BIGINT" }` at the top.
Every case runs with 1 and with 4 threads, and the files that come out must have equal bytes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.engines.duckdb import DuckEngine, arrow_schema, arrow_type
from pipeline.engines.parquet import write_parquet
from pipeline.engines.sqlfile import load, sql_files

CASES = Path(__file__).parent / "cases"
TABLES = {table.name: table for table in vars(schema).values() if isinstance(table, schema.Table)}
NULL = "<null>"


def case_files():
    return sorted(path.relative_to(CASES).with_suffix("").as_posix() for path in CASES.rglob("*.toml"))


def read_case_file(name):
    return tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))


def cases():
    contents = [(name, read_case_file(name)) for name in case_files()]
    return [pytest.param(f"{name}.sql", content.get("types", {}), case, id=f"{name}-{case['name']}") for name, content in contents for case in content["case"]]


def test_every_sql_file_has_cases_and_every_case_file_its_sql():
    assert case_files() == [name.removesuffix(".sql") for name in sql_files()]


@pytest.mark.parametrize("name", case_files())
def test_a_case_file_shows_what_no_rows_give(name):
    assert any(not case.get("given") for case in read_case_file(name)["case"]), "no case without rows"


@pytest.mark.parametrize(("file", "types", "case"), cases())
def test_rows_in_give_rows_out(file, types, case, tmp_path):
    unknown = set(case) - {"name", "params", "given", "expect"}
    assert not unknown
    results = [run(file, types, case, threads, tmp_path / f"{threads}.parquet") for threads in (1, 4)]
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "4.parquet").read_bytes()
    assert_rows(results[0].to_pylist(), case["expect"])


def run(file, types, case, threads, path):
    given = case.get("given", {})
    assert set(given) <= set(load(file).reads), "a given table that the file does not read"
    with DuckEngine(threads=threads, memory_bytes=10**9, temp_dir=path.parent / "spill") as engine:
        for name in load(file).reads:
            engine.register(name, table_of(given.get(name, []), columns_of(name, types)))
        result = engine.select(file, case.get("params", {}))
        made = TABLES.get(Path(file).stem.split("_", 1)[1]) if "/" not in file else None
        if made:
            assert result.schema.equals(arrow_schema(made)), "columns or types differ from schema.py"
            engine.write(file, case.get("params", {}), path, made)
        else:
            write_parquet(result.to_reader(), path, result.schema)
    return result


def columns_of(name, types):
    return arrow_schema(TABLES[name]) if name in TABLES else pa.schema([(column, arrow_type(kind)) for column, kind in types[name].items()])


def table_of(rows, columns):
    for row in rows:
        assert set(row) <= set(columns.names), f"columns that the table does not have: {sorted(set(row) - set(columns.names))}"
    plain = [{name: None if row.get(name) == NULL else row.get(name) for name in columns.names} for row in rows]
    return pa.Table.from_pylist(plain, schema=columns)


def assert_rows(found, expected):
    assert len(found) == len(expected), found
    for row, wanted in zip(found, expected, strict=True):
        assert {name: row[name] for name in wanted} == {
            name: None if value == NULL else pytest.approx(value) if isinstance(value, float) else value for name, value in wanted.items()
        }
