"""The portable subset: what a stage's SELECT may hold so that DuckDB and Spark give equal tables.

`problems` looks at one parsed SELECT and names everything outside the subset, with what to write instead; an empty
answer means that it may be run. It works from a list of what is allowed: a function that nobody has compared
on both engines is refused until somebody has. `misused_columns` needs to know the tables, so it is asked by the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from pipeline.engines.dialect import HELPERS

_FUNCTIONS = (
    exp.Abs, exp.Alias, exp.And, exp.Case, exp.Cast, exp.Ceil, exp.Coalesce, exp.Count, exp.CountIf, exp.Exists, exp.Floor, exp.Greatest, exp.If, exp.Lag, exp.Lead,
    exp.Least, exp.Length, exp.Ln, exp.MD5, exp.Max, exp.Min, exp.Nullif, exp.Or, exp.Round, exp.RowNumber, exp.DenseRank, exp.SHA2, exp.Sqrt, exp.Sum,
)  # fmt: skip
_INSTEAD: dict[type[exp.Expr], str] = {
    exp.Avg: "sum as BIGINT and count, divide outside",
    exp.ArrayAgg: "fx_sorted_set",
    exp.Quantile: "fx_quantile",
    exp.PercentileCont: "fx_quantile",
    exp.PercentileDisc: "fx_quantile",
    exp.ApproxQuantile: "fx_quantile",
    exp.ApproxDistinct: "count(DISTINCT x)",
    exp.RegexpReplace: "fx_sub",
    exp.Lower: "fx_lower",
    exp.TimestampTrunc: "fx_day",
    exp.DateTrunc: "fx_day",
    exp.Log: "ln or fx_log2",
    exp.GroupConcat: "fx_join(fx_sorted_set(x), separator)",
}
_NODES: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Qualify, "QUALIFY: use row_number in a CTE and WHERE"),
    (exp.IntDiv, "//: use fx_div"),
    (exp.TryCast, "TRY_CAST: clean values in the ingest"),
    (exp.ILike, "ILIKE: use fx_lower and LIKE"),
    (exp.SimilarTo, "SIMILAR TO: use LIKE"),
    (exp.Interval, "INTERVAL: count microseconds or days as integers"),
    (exp.Bracket, "list subscripts: use fx_first"),
    (exp.Slice, "list slices"),
    (exp.Array, "list literals"),
    (exp.Struct, "structs"),
    (exp.Lambda, "lambdas"),
    (exp.Lateral, "LATERAL"),
    (exp.Pivot, "PIVOT"),
    (exp.TableSample, "sampling: take the smallest keys"),
    (exp.Unnest, "unnest: use fx_unnest"),
    (exp.Explode, "explode: use fx_unnest"),
    (exp.Columns, "COLUMNS(): name the columns"),
)
_CLAUSES: tuple[tuple[type[exp.Expr], Callable[[Any], Any], str], ...] = (
    (exp.Group, lambda node: node.args.get("all") or node.find(exp.Cube, exp.Rollup, exp.GroupingSets), "GROUP BY ALL, CUBE, ROLLUP, GROUPING SETS: name the columns"),
    (exp.Star, lambda node: any(node.args.get(word) for word in ("except_", "except", "replace", "rename")), "EXCLUDE, REPLACE, RENAME: name the columns"),
    (exp.SetOperation, lambda node: node.args.get("by_name"), "UNION BY NAME: write the columns in one order"),
    (exp.With, lambda node: node.args.get("recursive"), "WITH RECURSIVE"),
    (exp.CTE, lambda node: node.args.get("materialized") is not None, "MATERIALIZED: leave it to the engine"),
    (exp.Distinct, lambda node: node.args.get("on"), "DISTINCT ON: use row_number in a CTE and WHERE"),
    (exp.Select, lambda node: node.args.get("limit") and not node.args.get("order"), "LIMIT without ORDER BY: any rows might come"),
    (exp.Join, lambda node: node.method, "ASOF, NATURAL and POSITIONAL JOIN: say what is equal"),
    (exp.Table, lambda node: not isinstance(node.this, exp.Identifier), "table functions: read tables by name"),
)
_TYPES = {"BIGINT", "INT", "DOUBLE", "VARCHAR", "TEXT", "BOOLEAN", "DATE"}


def tables_read(tree: exp.Expr) -> set[str]:
    """Names of the tables a SELECT reads, its own CTEs apart."""
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


def parameters(tree: exp.Expr) -> set[str]:
    """Names of the `$parameters` a SELECT uses."""
    return {str(node.this) for node in tree.find_all(exp.Placeholder)} | {node.name for node in tree.find_all(exp.Parameter)}


def problems(tree: exp.Expr) -> list[str]:
    """Everything in a SELECT that is outside the subset, in words, each once; empty if nothing is."""
    found = [*_functions(tree), *_nodes(tree), *_clauses(tree), *_numbers(tree), *_sums(tree), *_order(tree)]
    return list(dict.fromkeys(found))


def misused_columns(tree: exp.Expr, tables: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What is wrong once the tables are known (`tables`: name to column types): columns that no table or CTE in reach has, among them
    aliases used again in the SELECT that makes them; and sums of DOUBLE columns, which depend on the order of rows.
    """
    schema: dict[str, object] = {name: dict(columns) for name, columns in tables.items()}
    try:
        known = annotate_types(qualify(tree.copy(), dialect="duckdb", schema=schema, expand_alias_refs=False), schema=schema, dialect="duckdb")
    except SqlglotError as error:
        return [str(error).splitlines()[0]]
    sums = [total.this for total in known.find_all(exp.Sum)]
    return [f"sum of fractions: {value.sql('duckdb')}" for value in sums if value.type is not None and value.type.this in (exp.DType.DOUBLE, exp.DType.FLOAT)]


def _functions(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            name = str(node.this).lower()
            helper = HELPERS.get(name)
            if helper is None:
                yield f"{name}(): not a function of the subset"
            elif len(node.expressions) != helper.arity:
                yield f"{name}() takes {helper.arity} arguments"
        elif not isinstance(node, (*_FUNCTIONS, *(kind for kind, _ in _NODES))):
            instead = next((text for kind, text in _INSTEAD.items() if isinstance(node, kind)), "")
            yield f"{node.sql_name().lower()}(): not a function of the subset" + (f", use {instead}" if instead else "")


def _nodes(tree: exp.Expr) -> Iterator[str]:
    for kind, text in _NODES:
        if tree.find(kind):
            yield text
    for like in tree.find_all(exp.Like):
        if "\\" in like.expression.sql():
            yield "LIKE with a backslash: the engines disagree on escapes"
    for data_type in tree.find_all(exp.DataType):
        if data_type.this.value not in _TYPES:
            yield f"type {data_type.this.value}: use {', '.join(sorted(_TYPES - {'INT', 'TEXT'}))} or INTEGER"


def _clauses(tree: exp.Expr) -> Iterator[str]:
    for kind, is_offence, text in _CLAUSES:
        if any(is_offence(node) for node in tree.find_all(kind)):
            yield text


def _numbers(tree: exp.Expr) -> Iterator[str]:
    for literal in tree.find_all(exp.Literal):
        if not literal.is_string and "." in literal.name and "e" not in literal.name.lower() and not _beside_double(literal):
            yield f"{literal.name}: a decimal whose digits differ by engine; write CAST({literal.name} AS DOUBLE)"
    for division in tree.find_all(exp.Div):
        divisor = division.expression.unnest()
        if not _never_zero(divisor):
            yield f"/ {divisor.sql('duckdb')}: guard the divisor with nullif(.., 0)"
    for cast in tree.find_all(exp.Cast):
        inner = cast.this.unnest()
        if cast.to.this.value in ("BIGINT", "INT") and isinstance(inner, (exp.Div, exp.Ln, exp.Sqrt)):
            yield "CAST of a fraction to an integer: floor or round it first"


def _beside_double(literal: exp.Literal) -> bool:
    """Whether a decimal literal is cast, or only ever meets a DOUBLE in its expression."""
    parent = literal.parent
    if isinstance(parent, exp.Cast):
        return bool(parent.to.this.value == "DOUBLE")
    if not isinstance(parent, exp.Binary):
        return False
    other = (parent.expression if parent.this is literal else parent.this).unnest()
    return _is_double(other)


def _is_double(node: exp.Expr) -> bool:
    """Whether a value is a fraction for all that its expression says."""
    if isinstance(node, exp.Cast):
        return bool(node.to.this.value == "DOUBLE")
    if isinstance(node, (exp.Ln, exp.Sqrt, exp.Div)) or (isinstance(node, exp.Anonymous) and str(node.this).lower() in ("fx_log2", "fx_quantile")):
        return True
    if isinstance(node, exp.Case):
        return any(_is_double(branch.args["true"]) for branch in node.args["ifs"]) or (node.args.get("default") is not None and _is_double(node.args["default"]))
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Paren, exp.Neg, exp.Abs, exp.Nullif, exp.Coalesce, exp.Least, exp.Greatest)):
        return any(_is_double(part) for part in node.iter_expressions())
    return False


def _never_zero(divisor: exp.Expr) -> bool:
    """Whether a divisor cannot be 0: a literal, a parameter (its setting has a range), a nullif, at least a positive literal, or made of these."""
    if isinstance(divisor, exp.Cast):
        return _never_zero(divisor.this.unnest())
    if isinstance(divisor, exp.Mul):
        return _never_zero(divisor.this.unnest()) and _never_zero(divisor.expression.unnest())
    if isinstance(divisor, exp.Ln):
        base = divisor.this.this if isinstance(divisor.this, exp.Cast) else divisor.this
        return isinstance(base, exp.Literal) and float(str(base.name)) > 1
    if isinstance(divisor, exp.Literal):
        return not divisor.is_string and float(divisor.name) != 0
    if isinstance(divisor, exp.Greatest):
        return any(isinstance(part, exp.Literal) and float(part.name) > 0 for part in (divisor.this, *divisor.expressions))
    return isinstance(divisor, (exp.Nullif, exp.Placeholder, exp.Parameter))


def _sums(tree: exp.Expr) -> Iterator[str]:
    """DuckDB's sum of BIGINT is a HUGEINT, and a sum of fractions depends on the order of rows."""
    for total in tree.find_all(exp.Sum):
        if _is_double(total.this):
            yield "sum of fractions depends on the order of rows: sum fx_micro(x) or integers"
        outer = total.parent
        while isinstance(outer, (exp.Coalesce, exp.Filter, exp.Window, exp.Paren)):
            outer = outer.parent
        if not (isinstance(outer, exp.Cast) and outer.to.this.value == "BIGINT"):
            yield "sum() is wider than BIGINT in DuckDB: write CAST(sum(x) AS BIGINT)"


def _order(tree: exp.Expr) -> Iterator[str]:
    if not tree.args.get("order"):
        yield "no ORDER BY: what leaves is sorted by its grain"
    for window in tree.find_all(exp.Window):
        if isinstance(window.this, (exp.RowNumber, exp.DenseRank, exp.Lag, exp.Lead)) and not window.args.get("order"):
            yield "a window function of position needs ORDER BY"
