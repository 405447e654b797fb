"""A run whose tables a test has changed, as if the run had written them so: run.json gets their hashes."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.provenance import sha256_file


def seal(run: Path) -> None:
    """Record the SHA-256 of every table of a run's folder as it is now."""
    manifest = json.loads((run / "run.json").read_text())
    for name, recorded in manifest["tables"].items():
        recorded["sha256"] = sha256_file(run / "tables" / f"{name}.parquet")
    (run / "run.json").write_text(json.dumps(manifest))
