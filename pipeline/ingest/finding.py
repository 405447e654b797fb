"""Which files LOGS means: folders, globs, single files and s3:// URLs, each file once, with a name that no other has.

A file's name is its POSIX path below the LOGS root it came from. Where two roots hold the same name, every name gets its root's base name in
front (more of the root's path if that is not enough).
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import fs

from pipeline.errors import InputError

_SUFFIXES = (".parquet", ".parq", ".pq")
_HIDDEN = ("_", ".")


@dataclass(frozen=True)
class Found:
    """A file before it was opened: its root's path in parts, its name below the root, and where it is."""

    root: tuple[str, ...]
    name: str
    path: str
    filesystem: Any


def find_logs(logs: Sequence[str]) -> list[tuple[str, Found]]:
    """Every file that LOGS means, by name, sorted. Raises InputError for a path or URL that is not there."""
    return _named([item for log in logs for item in _find(log)])


def folders_of(logs: Sequence[str]) -> tuple[Path, ...]:
    """The local folders whose files LOGS names as a whole or by a pattern: a file that is gone from there was deleted."""
    paths = [Path(log) for log in logs if not log.startswith("s3://")]
    return tuple(path.resolve() if path.is_dir() else _glob_root(path).resolve() for path in paths if not path.is_file())


def _find(log: str) -> list[Found]:
    if log.startswith("s3://"):
        return _find_remote(log)
    path = Path(log)
    if path.is_dir():
        inside = sorted(item for item in path.rglob("*") if item.is_file() and _wanted(item.relative_to(path).as_posix()))
        return [_local(path, item) for item in inside]
    if path.is_file():
        return [_local(path.parent, path)]
    matches = sorted(Path(match) for match in glob.glob(log, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
    if not matches:
        raise InputError(f"{log}: no such file or folder. Check the path.")
    root = _glob_root(path)
    asks_hidden = _is_hidden(path.relative_to(root).as_posix())
    return [
        _local(root, item)
        for match in matches
        for item in ([match] if match.is_file() else sorted(match.rglob("*")))
        if item.is_file() and (asks_hidden or not _is_hidden(item.relative_to(root).as_posix())) and (match.is_file() or _wanted(item.relative_to(match).as_posix()))
    ]


def _glob_root(pattern: Path) -> Path:
    """The part of a glob before its first wild card."""
    fixed = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed) if fixed else Path()


def _wanted(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    """Whether a part of the path is one that writers of logs keep for themselves, such as `_metadata` or `.crc`."""
    return any(part.startswith(_HIDDEN) for part in name.split("/"))


def _local(root: Path, path: Path) -> Found:
    return Found(root.resolve().parts, path.relative_to(root).as_posix(), str(path), None)


def _find_remote(log: str) -> list[Found]:
    """Files under an s3:// URL, through pyarrow's own client."""
    try:
        filesystem, path = fs.FileSystem.from_uri(log)
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.File:
            return [Found(PurePosixPath(path).parent.parts, PurePosixPath(path).name, path, filesystem)]
        inside = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{log}: cannot be read ({error}). Check the URL, the region and the credentials.") from None
    names = sorted(item.path for item in inside if item.type == fs.FileType.File)
    below = [(name, PurePosixPath(name).relative_to(path).as_posix()) for name in names]
    return [Found(PurePosixPath(path).parts, short, name, filesystem) for name, short in below if _wanted(short)]


def _named(found: list[Found]) -> list[tuple[str, Found]]:
    """Each file once, with a name that no other has, sorted by name."""
    once = {(item.filesystem is not None, str(Path(item.path).resolve()) if item.filesystem is None else item.path): item for item in reversed(found)}
    items = list(once.values())
    longest = max((len(item.root) for item in items), default=0)
    for depth in range(longest + 1):
        names = ["/".join((*item.root[len(item.root) - depth :], item.name)) if depth else item.name for item in items]
        if max(Counter(names).values(), default=1) == 1:
            break
    return sorted(zip((name.replace("//", "/") for name in names), items, strict=True), key=lambda pair: pair[0]) if items else []
