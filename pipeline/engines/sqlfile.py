"""One SQL file: its header, its parameters and its one SELECT.

A file starts with a comment that says its purpose and, one a line, `grain:`, `reads:` and `params:`
(`name TYPE, ...`; `none` where there is nothing). Values enter only as `$name`; tables are named
literally. DuckDB runs the file as it stands and knows the helpers as macros; `strict.parse` is the lint that every file
has passed before it is shipped, and writes a file for another engine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.assets import sql_folder
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
    text: str


def sql_files(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all SQL files below the folder, POSIX style, sorted."""
    root = folder or sql_folder()
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.rglob("*.sql")))


@lru_cache(maxsize=256)
def load(name: str, folder: Path | None = None) -> SqlFile:
    """Read sql/NAME. Raises SqlError if it is missing or its header is malformed."""
    try:
        text = ((folder or sql_folder()) / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SqlError(name, f"cannot be read ({type(error).__name__}). Install stillhunt again.") from None
    return described(name, text)


def described(name: str, text: str) -> SqlFile:
    """The same for a text that is already in hand: its header is read and its SELECT is not."""
    purpose, fields = _header(name, text)
    params = tuple(_param(name, part) for part in _split(fields["params"]))
    return SqlFile(name, purpose, _split(fields["grain"]), _split(fields["reads"]), params, hashlib.sha256(text.encode()).hexdigest(), text)


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
