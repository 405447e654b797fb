"""Names that follow from content: hashes of files, code and settings, and the ids of runs, networks and findings.

Everything here is SHA-256 over bytes that do not depend on threads, locale, time zone, working directory or
PYTHONHASHSEED. Equal content gives an equal name; a changed bit gives another.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.assets import reports_folder, sql_folder

_PACKAGE = Path(__file__).parent
_CHUNK = 1 << 20
COMPUTING_PACKAGES = ("altair", "duckdb", "igraph", "jinja2", "numba", "numpy", "polars", "pyarrow", "scikit-learn", "scipy", "sqlglot", "vl-convert-python")
"""Packages whose version may change a number or a page."""

JUDGING = ("config", "engines", "features", "ingest", "kinds", "measures", "run", "schema", "simulate", "stages", "validate")
"""Modules and packages whose change may change an error rate."""
READING = "engines.locked"
"""Answers questions about finished runs; no run uses it."""
PLANS = "validate.plans"
"""Which worlds a suite makes is said by the validation itself, world by world: a suite may grow and leave figures of others as they are."""


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces of 1 MiB. Raises OSError if it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def canonical_json(value: Any) -> bytes:
    """One spelling of a plain value: keys sorted, no spaces, ASCII, dates as ISO text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_iso).encode("ascii")


def sha256_json(value: Any) -> str:
    """Hex SHA-256 of a plain value in its canonical spelling."""
    return sha256_bytes(canonical_json(value))


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical spelling")


def network_id(member_ids: Iterable[str], night: date) -> str:
    """The id of a network first seen on a night: `N-` and ten hex digits over its sorted member ids and the night."""
    return "N-" + sha256_json(["network", sorted(member_ids), night.isoformat()])[:10]


def finding_id(member_ids: Iterable[str], measure: str, night: date, config: dict[str, Any]) -> str:
    """The id of a finding: `F-` and twelve hex digits over the network's sorted members, the measure, the night and the settings."""
    return "F-" + sha256_json(["finding", sorted(member_ids), measure, night.isoformat(), config])[:12]


def run_id(recipe: dict[str, Any]) -> str:
    """First 12 hex digits of the SHA-256 of what determines a run: inputs, settings, versions, code and prior state."""
    return sha256_json(recipe)[:12]


def versions() -> dict[str, str]:
    """Version of stillhunt and of each installed package that computes something."""
    found = {"stillhunt": __version__}
    for name in COMPUTING_PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def code_sha256() -> str:
    """Hash of everything that decides a result: Python sources and settings of the package, SQL, templates and wording."""
    return _files_sha256([*_sources(_PACKAGE, ("*.py", "*.toml")), *_sources(sql_folder(), ("*.sql",)), *_sources(reports_folder(), ("*",))])


def judging_sha256() -> str:
    """Hash of what decides error rates: the code_sha256 of a validation. Pages, templates, wording and commands are no part of it, because they judge nobody."""
    apart = {path for name in (PLANS, READING) for path in _module_files(f"pipeline.{name}", whole=False)}
    python = [path for name in JUDGING for path in _module_files(f"pipeline.{name}", whole=True) if path not in apart]
    return _files_sha256([*sorted(python), _PACKAGE / "default.toml", *_sources(sql_folder(), ("[0-9]*.sql",))])


def closure_sha256(roots: Iterable[str], sql: Iterable[str] = ()) -> str:
    """Hash of the modules named by roots (packages with all below), of all they import from `pipeline`, and of SQL files by name."""
    return _files_sha256([*import_closure(roots), *(sql_folder() / name for name in sorted(sql))])


def import_closure(roots: Iterable[str]) -> tuple[Path, ...]:
    """Source files that the named modules reach by import statements anywhere in them, sorted by path; `pipeline` only."""
    waiting, seen = [path for root in roots for path in _module_files(root, whole=True)], set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(target for name in _imported_names(path) for target in _module_files(name, whole=False))
    return tuple(sorted(seen))


def _module_files(name: str, *, whole: bool) -> list[Path]:
    base = _PACKAGE.parent.joinpath(*name.split("."))
    if base.with_suffix(".py").is_file():
        return [base.with_suffix(".py")]
    if not base.is_dir():
        return []
    return sorted(base.rglob("*.py")) if whole else [path for path in [base / "__init__.py"] if path.is_file()]


def _imported_names(path: Path) -> tuple[str, ...]:
    return _names_in(path.read_bytes())


@functools.cache
def _names_in(source: bytes) -> tuple[str, ...]:
    """Names that a module imports; by content, so that a replay of many nights parses each module once."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(name for name in names if name == "pipeline" or name.startswith("pipeline."))


def _sources(root: Path, patterns: tuple[str, ...]) -> list[Path]:
    found = {path for pattern in patterns for path in root.rglob(pattern) if path.is_file() and "__pycache__" not in path.parts}
    inside = () if root != _PACKAGE else (_PACKAGE / "sql", _PACKAGE / "reports")  # where a wheel carries the other two roots
    return sorted(path for path in found if not any(path.is_relative_to(other) for other in inside))


def _files_sha256(paths: Iterable[Path]) -> str:
    anchors = {sql_folder(): "sql", reports_folder(): "reports", _PACKAGE: "pipeline"}
    named = {}
    for path in paths:
        root = next(anchor for anchor in anchors if path.is_relative_to(anchor))
        named[f"{anchors[root]}/{path.relative_to(root).as_posix()}"] = sha256_file(path)
    return sha256_json(named)
