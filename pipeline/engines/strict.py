"""A SQL file taken apart: refused unless it is one SELECT of the portable subset under a true header; written out for any engine.

Every file of sql/ passes here in the tests, which is what lets a run send it to DuckDB without reading it again.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from pipeline.engines import dialect, portable
from pipeline.engines.sqlfile import SqlFile, described
from pipeline.errors import SqlError


def parse(name: str, text: str) -> exp.Expr:
    """The tree of a file's SELECT. Raises SqlError if the file is malformed, outside the subset or its header is not true."""
    file, tree = described(name, text), _one_select(name, text)
    problems = portable.problems(tree) + _untrue_header(file, tree)
    if problems:
        raise SqlError(name, "; ".join(problems))
    return tree


def written(file: SqlFile, engine: dialect.Engine) -> str:
    """The SELECT with every helper written out for one engine. Raises SqlError where the engine has no equal."""
    try:
        return render(_one_select(file.name, file.text), engine)
    except sqlglot.errors.SqlglotError as error:
        raise SqlError(file.name, f"cannot be written for {engine} ({_first_line(error)})") from None


def _helper_calls(tree: exp.Expr) -> list[exp.Anonymous]:
    """The calls of `fx_*` names in a tree, innermost first."""
    calls = [node for node in tree.find_all(exp.Anonymous) if str(node.this).lower().startswith("fx_")]
    return calls[::-1]


def _expand(tree: exp.Expr, engine: dialect.Engine) -> exp.Expr:
    """A copy of a tree with every helper written out for one engine. Raises KeyError for a helper that does not exist."""
    holder = exp.Paren(this=tree.copy())
    for call in _helper_calls(holder):
        helper = dialect.HELPERS[str(call.this).lower()]
        arguments = [f"({argument.sql(dialect=engine)})" if isinstance(argument, exp.Binary) else argument.sql(dialect=engine) for argument in call.expressions]
        text = (helper.duckdb if engine == "duckdb" else helper.spark).format(*arguments)
        call.replace(sqlglot.parse_one(text, dialect=engine))
    expanded: exp.Expr = holder.this
    return expanded


def render(tree: exp.Expr, engine: dialect.Engine) -> str:
    """The SQL text of a tree for one engine. Raises sqlglot's UnsupportedError where the engine has no equal."""
    return _expand(tree, engine).sql(dialect=engine, unsupported_level=sqlglot.ErrorLevel.RAISE, pretty=True)


def _one_select(name: str, text: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise SqlError(name, f"cannot be parsed ({_first_line(error)})") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise SqlError(name, "must hold exactly one SELECT")
    return trees[0]


def _untrue_header(file: SqlFile, tree: exp.Expr) -> list[str]:
    """Where the header's reads and params differ from what the SELECT does."""
    tables, names = portable.tables_read(tree), portable.parameters(tree)
    declared = {name for name, _ in file.params}
    found = []
    if tables != set(file.reads):
        found.append(f"header reads {sorted(file.reads)}, the SELECT reads {sorted(tables)}")
    if names != declared:
        found.append(f"header params {sorted(declared)}, the SELECT uses {sorted(names)}")
    return found


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
