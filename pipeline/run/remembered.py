"""What a run remembers of its log files, so that the next one need not open those that have not changed: DIR/remembered.json.

Only local files, and only as the last run listed them. A file that was written to within the last two seconds before it was listed is not
remembered: it could be written to again within the same tick of the file system's clock. Nothing rests on this file: without it every file is read.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable
from typing import Any

from pipeline.ingest import LogFile, Stamp, absolute
from pipeline.store import Store, write_json

_FILE = "remembered.json"
SETTLED_NS = 2_000_000_000
"""Age from which a file's stamp tells a later change, nanoseconds; the coarsest file systems count whole seconds."""
_LEFT_OUT = ("name", "path", "groups", "filesystem", "stamp")


def remembered_files(store: Store) -> dict[str, LogFile]:
    """Files as the last run listed them, by absolute path; none if that cannot be read."""
    try:
        found = json.loads((store.root / _FILE).read_bytes())
        return {path: _read(path, item) for path, item in found["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remember(store: Store, files: Iterable[LogFile]) -> None:
    """Write down the files of this run's listing."""
    now = time.time_ns()
    settled = {absolute(file): _written(file) for file in files if file.stamp is not None and now - max(file.stamp.modified_ns, file.stamp.changed_ns) >= SETTLED_NS}
    write_json(store.root / _FILE, {"files": settled})


def _written(file: LogFile) -> dict[str, Any]:
    plain = {item.name: getattr(file, item.name) for item in dataclasses.fields(file) if item.name not in _LEFT_OUT}
    return {**plain, "footer_non_null": dict(file.footer_non_null), "stamp": dataclasses.asdict(file.stamp) if file.stamp else None}


def _read(path: str, item: dict[str, Any]) -> LogFile:
    casts = tuple((column, found, wanted) for column, found, wanted in item["casts"])
    columns = {name: tuple(item[name]) for name in ("unknown_columns", "missing_columns")}
    return LogFile(**{**item, **columns, "casts": casts, "stamp": Stamp(**item["stamp"])}, name="", path=path)
