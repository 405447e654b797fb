"""The lint of the portable subset: every ban refuses its offence, and every file of sql/ passes and renders for Spark."""

import duckdb
import pytest
import sqlglot

from pipeline import schema
from pipeline.assets import sql_folder
from pipeline.engines import dialect, portable
from pipeline.engines.sqlfile import load, sql_files
from pipeline.engines.strict import parse, render, written
from pipeline.errors import SqlError
from pipeline.stages import STAGES

HEADER = "-- what it makes\n-- grain: a\n-- reads: t\n-- params: none\n"
TABLES = {table.name: {column.name: column.type for column in table.columns} for table in vars(schema).values() if isinstance(table, schema.Table)}
OFFENCES = {
    "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1 ORDER BY a": "QUALIFY",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) AS m FROM t ORDER BY m": "percentile_cont",
    "SELECT quantile_cont(a, 0.5) AS m FROM t ORDER BY m": "fx_quantile",
    "SELECT approx_quantile(a, 0.5) AS m FROM t ORDER BY m": "fx_quantile",
    "SELECT approx_count_distinct(a) AS m FROM t ORDER BY m": r"count\(DISTINCT x\)",
    "SELECT regexp_replace(a, 'x', 'y') AS m FROM t ORDER BY m": "fx_sub",
    "SELECT regexp_matches(a, 'x') AS m FROM t ORDER BY m": "regexp",
    "SELECT array_agg(a) AS m FROM t ORDER BY m": "fx_sorted_set",
    "SELECT list(a) AS m FROM t ORDER BY m": "fx_sorted_set",
    "SELECT string_agg(a, ',') AS m FROM t ORDER BY m": "fx_join",
    "SELECT fx_nothing(a) AS m FROM t ORDER BY m": "fx_nothing",
    "SELECT fx_day(a, b) AS m FROM t ORDER BY m": "takes 1 arguments",
    "SELECT hash(a) AS m FROM t ORDER BY m": "hash",
    "SELECT entropy(a) AS m FROM t ORDER BY m": "entropy",
    "SELECT arg_max(a, b) AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT any_value(a) AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT first(a) AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT random() AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT now() AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT a, count(*) AS n FROM t GROUP BY ALL ORDER BY a": "GROUP BY ALL",
    "SELECT a, b, count(*) AS n FROM t GROUP BY CUBE (a, b) ORDER BY a": "CUBE",
    "SELECT * EXCLUDE (a) FROM t ORDER BY b": "EXCLUDE",
    "SELECT * REPLACE (1 AS a) FROM t ORDER BY b": "REPLACE",
    "SELECT a FROM t UNION BY NAME SELECT a FROM t ORDER BY a": "BY NAME",
    r"SELECT a FROM t WHERE a LIKE '%\d%' ORDER BY a": "backslash",
    "SELECT a FROM t WHERE a ILIKE 'x%' ORDER BY a": "ILIKE",
    "SELECT a // 2 AS m FROM t ORDER BY m": "fx_div",
    "SELECT a / b AS m FROM t ORDER BY m": "nullif",
    "SELECT a / (b - 1) AS m FROM t ORDER BY m": "nullif",
    "SELECT CAST(a AS UINTEGER) AS m FROM t ORDER BY m": "type UINT",
    "SELECT CAST(a AS HUGEINT) AS m FROM t ORDER BY m": "type INT128",
    "SELECT CAST(a AS DECIMAL(9, 2)) AS m FROM t ORDER BY m": "type DECIMAL",
    "SELECT TRY_CAST(a AS BIGINT) AS m FROM t ORDER BY m": "TRY_CAST",
    "SELECT CAST(a / 2 AS BIGINT) AS m FROM t ORDER BY m": "floor or round",
    "SELECT date_trunc('day', a) AS m FROM t ORDER BY m": "fx_day",
    "SELECT lower(a) AS m FROM t ORDER BY m": "fx_lower",
    "SELECT log(10, a) AS m FROM t ORDER BY m": "fx_log2",
    "SELECT dayofweek(a) AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT epoch_us(a) AS m FROM t ORDER BY m": "not a function of the subset",
    "SELECT a + INTERVAL 1 DAY AS m FROM t ORDER BY m": "INTERVAL",
    "SELECT avg(a) AS m FROM t ORDER BY m": "sum as BIGINT",
    "SELECT sum(a) AS m FROM t ORDER BY m": "wider than BIGINT",
    "SELECT CAST(sum(CAST(a AS DOUBLE)) AS BIGINT) AS m FROM t ORDER BY m": "depends on the order",
    "SELECT CAST(sum(ln(a)) AS BIGINT) AS m FROM t ORDER BY m": "depends on the order",
    "SELECT a * 0.5 AS m FROM t ORDER BY m": "decimal",
    "SELECT a[1] AS m FROM t ORDER BY m": "fx_first",
    "SELECT unnest(a) AS m FROM t ORDER BY m": "fx_unnest",
    "SELECT len(a) AS m FROM t WHERE list_contains(a, 1) ORDER BY m": "not a function of the subset",
    "SELECT a FROM t LIMIT 3": "LIMIT without ORDER BY",
    "SELECT a FROM t": "no ORDER BY",
    "SELECT row_number() OVER (PARTITION BY a) AS m FROM t ORDER BY m": "needs ORDER BY",
    "SELECT lag(a) OVER (PARTITION BY b) AS m FROM t ORDER BY m": "needs ORDER BY",
    "SELECT dense_rank() OVER (PARTITION BY b) AS m FROM t ORDER BY m": "needs ORDER BY",
    "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a": "DISTINCT ON",
    "SELECT a FROM t USING SAMPLE 10 ORDER BY a": "sampling",
    "WITH RECURSIVE r AS (SELECT a FROM t UNION ALL SELECT a FROM r) SELECT a FROM r ORDER BY a": "RECURSIVE",
    "WITH r AS MATERIALIZED (SELECT a FROM t) SELECT a FROM r ORDER BY a": "MATERIALIZED",
    "SELECT t.a FROM t ASOF JOIN t AS u ON t.a >= u.a ORDER BY t.a": "ASOF",
}
INNOCENT = (
    "SELECT a, count(*) AS n, CAST(sum(b) AS BIGINT) AS s FROM t GROUP BY a ORDER BY a",
    "SELECT a, lag(a) OVER (PARTITION BY b ORDER BY a) AS p FROM t ORDER BY a",
    "SELECT a, dense_rank() OVER (PARTITION BY b ORDER BY a) AS p FROM t ORDER BY a",
    "SELECT CAST(a AS DOUBLE) / nullif(b, 0) AS m FROM t ORDER BY m",
    "SELECT CAST(a AS DOUBLE) * 0.5 AS m FROM t ORDER BY m",
    "SELECT CAST(coalesce(sum(CASE WHEN a > 1 THEN b END), 0) AS BIGINT) AS m FROM t ORDER BY m",
    "SELECT CAST(sum(fx_micro(ln(a))) AS BIGINT) AS m FROM t ORDER BY m",
)


@pytest.mark.parametrize(("sql", "reason"), OFFENCES.items(), ids=range(len(OFFENCES)))
def test_an_offence_is_refused_with_its_reason(sql, reason):
    with pytest.raises(SqlError, match=f"(?i){reason}"):
        parse("99_x.sql", HEADER + sql)


@pytest.mark.parametrize("sql", INNOCENT)
def test_the_subset_itself_passes(sql):
    assert portable.tables_read(parse("99_x.sql", HEADER + sql)) == {"t"}


@pytest.mark.parametrize(
    "sql", ["DROP TABLE t", "SELECT a FROM t ORDER BY a; SELECT a FROM t ORDER BY a", "COPY t TO 'x'", "", "SELECT FROM WHERE (", "CREATE TABLE u AS SELECT a FROM t"]
)
def test_anything_but_one_select_is_refused(sql):
    with pytest.raises(SqlError):
        parse("99_x.sql", HEADER + sql)


@pytest.mark.parametrize("sql", ["SELECT a FROM read_parquet('/etc/passwd') ORDER BY a", "SELECT a FROM read_csv('x') ORDER BY a", "SELECT range AS a FROM range(3) ORDER BY a"])
def test_only_tables_by_name_are_read(sql):
    with pytest.raises(SqlError):
        parse("99_x.sql", HEADER.replace("reads: t", "reads: none") + sql)


def test_a_missing_header_line_is_named():
    with pytest.raises(SqlError, match="params"):
        parse("99_x.sql", "-- purpose\n-- grain: a\n-- reads: t\nSELECT a FROM t ORDER BY a")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER.replace("reads: t", "reads: u"), "header reads"),
        (HEADER.replace("params: none", "params: low BIGINT"), "header params"),
        (HEADER.replace("params: none", "params: low TEXTUAL"), "TEXTUAL"),
    ],
)
def test_a_header_that_is_not_true_is_refused(header, reason):
    with pytest.raises(SqlError, match=reason):
        parse("99_x.sql", header + "SELECT a FROM t ORDER BY a")


def test_a_parameter_that_the_header_does_not_name_is_refused():
    with pytest.raises(SqlError, match="header params"):
        parse("99_x.sql", HEADER + "SELECT a FROM t WHERE a = $low ORDER BY a")


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("SELECT a + 1 AS m, m + 1 AS n FROM t ORDER BY n", "m"),
        ("SELECT a + 1 AS m FROM t WHERE m > 1 ORDER BY m", "m"),
        ("SELECT c FROM t ORDER BY c", "c"),
        ("WITH r AS (SELECT a FROM t) SELECT b FROM r ORDER BY b", "b"),
    ],
)
def test_an_alias_used_again_and_a_column_that_is_not_there_are_found(sql, column):
    found = portable.misused_columns(sqlglot.parse_one(sql, dialect="duckdb"), {"t": {"a": "BIGINT", "b": "BIGINT"}})
    assert len(found) == 1
    assert f"'{column}'" in found[0]


def test_the_sum_of_a_column_of_fractions_is_found():
    tree = sqlglot.parse_one("WITH r AS (SELECT bits + 1 AS more FROM t) SELECT CAST(sum(more) AS BIGINT) AS m FROM r ORDER BY m", dialect="duckdb")
    assert len(portable.misused_columns(tree, {"t": {"bits": "DOUBLE"}})) == 1
    assert portable.misused_columns(tree, {"t": {"bits": "BIGINT"}}) == []


def test_an_alias_in_the_order_by_is_no_offence():
    assert portable.misused_columns(sqlglot.parse_one("SELECT a + 1 AS m FROM t ORDER BY m", dialect="duckdb"), {"t": {"a": "BIGINT"}}) == []


@pytest.mark.parametrize("name", sql_files())
def test_every_file_is_in_the_subset_and_renders_for_spark(name):
    assert parse(name, (sql_folder() / name).read_text(encoding="utf-8"))
    assert "fx_" not in written(load(name), "duckdb").split("FROM", 1)[1].lower().replace("'fx_", "")
    assert sqlglot.parse_one(written(load(name), "spark"), dialect="spark")


@pytest.mark.parametrize("name", sql_files())
def test_every_file_names_only_columns_that_its_tables_have(name):
    file = load(name)
    kinds = dict.fromkeys(("kind", "family"), "VARCHAR") | dict.fromkeys(("cap_micro_bits", "family_cap_micro_bits", "min_support"), "BIGINT") | {"max_df_share": "DOUBLE"}
    tables = TABLES | {"kinds": kinds}
    assert set(file.reads) <= set(tables)
    assert portable.misused_columns(parse(name, file.text), tables) == []


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage.is_sql], ids=lambda stage: stage.source)
def test_a_stage_says_what_its_file_says(stage):
    file = load(stage.source)
    (table,) = stage.writes
    assert set(file.reads) == set(stage.reads)
    assert stage.source == f"{stage.number}_{table}.sql"
    assert file.grain == schema_grain(table, file.grain)


def schema_grain(table, otherwise):
    found = next((one for one in vars(schema).values() if isinstance(one, schema.Table) and one.name == table), None)
    return found.grain if found else otherwise


@pytest.mark.parametrize("name", dialect.HELPERS)
def test_a_helper_parses_on_both_engines(name):
    helper = dialect.HELPERS[name]
    arguments = ("a", "b", "c")[: helper.arity]
    for engine, text in (("duckdb", helper.duckdb), ("spark", helper.spark)):
        assert sqlglot.parse_one(text.format(*arguments), dialect=engine)


SAMPLES = {
    "fx_div": "fx_div(a, b - 3)",
    "fx_day": "fx_day(a * 86400000000)",
    "fx_epoch_day": "fx_epoch_day(fx_day(a * 86400000000))",
    "fx_key": "fx_key(w)",
    "fx_micro": "fx_micro(a + 0.1234565e0)",
    "fx_log2": "fx_log2(a + b)",
    "fx_first": "fx_first(l)",
    "fx_unnest": "fx_unnest(l)",
    "fx_size": "fx_size(l)",
    "fx_sorted_set": "fx_sorted_set(a % 2)",
    "fx_shared": "fx_shared(l, m)",
    "fx_join": "fx_join(n, '-')",
    "fx_quantile": "fx_quantile(a, 0.25e0)",
    "fx_sub": "fx_sub(w, '[A-C]', '_')",
    "fx_lower": "fx_lower(w)",
}
ROWS = "(VALUES (1, 5, 'AbC', [1, 2], [2, 3], ['x', 'y']), (2, 7, 'ÄB', [4], [4, 4], ['z']), (9, 4, '', [], [1], [])) AS t(a, b, w, l, m, n)"


@pytest.mark.parametrize("name", dialect.HELPERS)
def test_a_macro_gives_what_its_text_gives(name):
    connection = duckdb.connect()
    for statement in dialect.macros():
        connection.execute(statement)
    query = f"SELECT {SAMPLES[name]} AS m FROM {ROWS}"
    written_out = render(sqlglot.parse_one(query, dialect="duckdb"), "duckdb")
    assert "fx_" not in written_out
    found, expected = (sorted(connection.sql(text).to_arrow_table().column("m").to_pylist(), key=repr) for text in (query, written_out))
    assert found == expected
    assert len(found) >= 1


def test_helpers_nest():
    tree = sqlglot.parse_one("SELECT fx_div(fx_epoch_day(fx_day(ts_us)) + 3, 7) AS m", dialect="duckdb")
    assert render(tree, "duckdb").lower().count("fx_") == 0
    assert "DATEDIFF" in render(tree, "spark").upper()
