"""The one place where engines differ: each `fx_*` helper that a stage's SQL may call, as DuckDB and as Spark write it.

`{0}`, `{1}` stand for the arguments. The helpers exist because the plain spelling is missing on one side or, worse,
runs on both with different answers. Argument and result types are given as the portable types of schema.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Engine = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class Helper:
    """One helper: how many arguments it takes, its spelling on each engine, and what it returns."""

    arity: int
    duckdb: str
    spark: str
    meaning: str


_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_TRANSLATE = f"translate({{0}}, '{_UPPER}', '{_LOWER}')"
_MICRO = "CAST(floor(CAST({0} AS DOUBLE) * 1e6 + 0.5e0) AS BIGINT)"

HELPERS: dict[str, Helper] = {
    "fx_div": Helper(2, "({0} // {1})", "({0} DIV {1})", "integer quotient of non-negative integers; the divisor must not be 0"),
    "fx_day": Helper(
        1, "(DATE '1970-01-01' + CAST({0} // 86400000000 AS INTEGER))", "date_add(DATE '1970-01-01', CAST({0} DIV 86400000000 AS INT))", "UTC DATE of microseconds since 1970"
    ),
    "fx_epoch_day": Helper(1, "CAST(date_diff('day', DATE '1970-01-01', {0}) AS BIGINT)", "CAST(datediff({0}, DATE '1970-01-01') AS BIGINT)", "BIGINT days since 1970 of a DATE"),
    "fx_key": Helper(
        1, "CAST('0x' || substr(md5({0}), 1, 15) AS BIGINT)", "CAST(conv(substring(md5({0}), 1, 15), 16, 10) AS BIGINT)", "60-bit BIGINT key of a VARCHAR, null for null"
    ),
    "fx_micro": Helper(1, _MICRO, _MICRO, "BIGINT millionths of a DOUBLE, rounded half up: what may be summed in any order"),
    "fx_log2": Helper(1, "(ln(CAST({0} AS DOUBLE)) / ln(CAST(2 AS DOUBLE)))", "(ln(CAST({0} AS DOUBLE)) / ln(CAST(2 AS DOUBLE)))", "DOUBLE base-2 logarithm of a positive number"),
    "fx_first": Helper(1, "({0})[1]", "try_element_at({0}, 1)", "first element of a list, null if it is empty"),
    "fx_unnest": Helper(1, "unnest({0})", "explode({0})", "one row an element; empty and null lists give no row"),
    "fx_size": Helper(1, "CAST(len({0}) AS BIGINT)", "CAST(size({0}) AS BIGINT)", "elements of a list that is not null"),
    "fx_sorted_set": Helper(1, "list_sort(list(DISTINCT {0}) FILTER (WHERE {0} IS NOT NULL))", "sort_array(collect_set({0}))", "ascending distinct values of a group"),
    "fx_shared": Helper(2, "CAST(len(list_intersect({0}, {1})) AS BIGINT)", "CAST(size(array_intersect({0}, {1})) AS BIGINT)", "distinct elements that two lists share"),
    "fx_join": Helper(2, "array_to_string({0}, {1})", "array_join({0}, {1})", "elements of a VARCHAR list with a separator between"),
    "fx_quantile": Helper(2, "quantile_cont(CAST({0} AS DOUBLE), {1})", "percentile(CAST({0} AS DOUBLE), {1})", "exact interpolated quantile, DOUBLE"),
    "fx_sub": Helper(
        3, "regexp_replace({0}, {1}, {2}, 'g')", "regexp_replace({0}, {1}, {2})", "every match of an ASCII-class pattern replaced; no back references, no $ in the replacement"
    ),
    "fx_lower": Helper(1, _TRANSLATE, _TRANSLATE, "ASCII letters in lower case, all else untouched"),
}


def macros() -> Iterator[str]:
    """Statements that teach a DuckDB connection every helper."""
    for name, helper in HELPERS.items():
        arguments = [f"argument_{place}" for place in range(helper.arity)]
        yield f"CREATE OR REPLACE TEMP MACRO {name}({', '.join(arguments)}) AS {helper.duckdb.format(*arguments)}"
