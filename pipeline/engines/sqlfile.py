"""One SQL file: its header, its parameters and its one SELECT.

A file starts with a comment that says its purpose and, one a line, `grain:`, `reads:` and `params:`
(`name TYPE, ...`; `none` where there is nothing). Values enter only as `$name`; tables are named
literally. What is not one SELECT of the portable subset, or has a header that is not true, is refused when it
is loaded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from pipeline.assets import sql_folder
from pipeline.engines import dialect, portable
from pipeline.errors import SqlError

_KEYS = ("grain", "reads", "params")
PARAM_TYPES = ("BIGINT", "INTEGER", "DOUBLE", "VARCHAR", "BOOLEAN", "DATE")


@dataclass(frozen=True)
class SqlFile:
    """A loaded file. `params` holds (name, type) pairs in the order of the header."""

    name: str
    purpose: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    sha256: str
    tree: exp.Expr = field(compare=False)

    def sql(self, engine: dialect.Engine = "duckdb") -> str:
        """The SELECT with every helper written out for one engine. Raises SqlError where the engine has no equal."""
        return _rendered(self, engine)


@lru_cache(maxsize=512)
def _rendered(file: SqlFile, engine: dialect.Engine) -> str:
    try:
        return dialect.render(file.tree, engine)
    except sqlglot.errors.SqlglotError as error:
        raise SqlError(file.name, f"cannot be written for {engine} ({_first_line(error)})") from None


def sql_files(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all SQL files below the folder, POSIX style, sorted."""
    root = folder or sql_folder()
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.rglob("*.sql")))


@lru_cache(maxsize=256)
def load(name: str, folder: Path | None = None) -> SqlFile:
    """Read and check sql/NAME. Raises SqlError if it is missing, malformed, outside the subset or its header is not true."""
    try:
        text = ((folder or sql_folder()) / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SqlError(name, f"cannot be read ({type(error).__name__}). Install stillhunt again.") from None
    return parse(name, text)


def parse(name: str, text: str) -> SqlFile:
    """The same for a text that is already in hand."""
    purpose, fields = _header(name, text)
    tree = _one_select(name, text)
    params = tuple(_param(name, part) for part in _split(fields["params"]))
    file = SqlFile(name, purpose, _split(fields["grain"]), _split(fields["reads"]), params, hashlib.sha256(text.encode()).hexdigest(), tree)
    problems = portable.problems(tree) + _untrue_header(file)
    if problems:
        raise SqlError(name, "; ".join(problems))
    return file


def _header(name: str, text: str) -> tuple[str, dict[str, str]]:
    """The comment at the top: free text (the purpose), then `key: value` lines."""
    purpose: list[str] = []
    fields: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        key, colon, value = line[2:].strip().partition(":")
        if colon and key in _KEYS:
            fields[key] = value.strip()
        elif not fields:
            purpose.append(line[2:].strip())
    missing = [key for key in _KEYS if key not in fields] + ([] if purpose else ["purpose"])
    if missing:
        raise SqlError(name, f"the header does not say: {', '.join(missing)}")
    return " ".join(purpose), fields


def _split(value: str) -> tuple[str, ...]:
    return () if value == "none" else tuple(part.strip() for part in value.split(","))


def _param(name: str, part: str) -> tuple[str, str]:
    word, _, kind = part.partition(" ")
    if kind not in PARAM_TYPES:
        raise SqlError(name, f"parameter '{word}' has type '{kind}'; known: {', '.join(PARAM_TYPES)}")
    return word, kind


def _one_select(name: str, text: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise SqlError(name, f"cannot be parsed ({_first_line(error)})") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise SqlError(name, "must hold exactly one SELECT")
    return trees[0]


def _untrue_header(file: SqlFile) -> list[str]:
    """Where the header's reads and params differ from what the SELECT does."""
    tables, names = portable.tables_read(file.tree), portable.parameters(file.tree)
    declared = {name for name, _ in file.params}
    found = []
    if tables != set(file.reads):
        found.append(f"header reads {sorted(file.reads)}, the SELECT reads {sorted(tables)}")
    if names != declared:
        found.append(f"header params {sorted(declared)}, the SELECT uses {sorted(names)}")
    return found


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
