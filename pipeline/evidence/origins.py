"""Where the accounts table and the context folder of a run are, so that what was made of them can be made again.

A run keeps hashes of them, never a path: paths belong to one host. `stillhunt run` leaves a note beside the ledger, DIR/origins/<run_id>.json, which is part of no
page and no hash, may be deleted, and is only a place to look: a file counts if its SHA-256 is the one that run.json recorded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, StillhuntError
from pipeline.provenance import sha256_file
from pipeline.store import read_json, write_json

NOTES = "origins"
SAMPLE_ACCOUNTS = Path("sample") / "accounts.parquet"
"""Where `stillhunt demo` puts the accounts table, below DIR."""


@dataclass(frozen=True)
class Found:
    """Files that are what the run read; None where it was given none."""

    accounts: Path | None
    context: Path | None


@dataclass(frozen=True)
class Origins:
    """Where to look: what the caller named, else what the run noted."""

    out: Path
    accounts: Path | None = None
    context: Path | None = None

    def verified(self, manifest: Mapping[str, Any]) -> Found:
        """The run's own accounts table and context. Raises InputError if one is not where we may look, or not the one that the run read."""
        recipe = manifest["recipe"]
        return Found(self._accounts(recipe["tables"].get("accounts"), manifest["run_id"]), self._context(recipe["context"], manifest["run_id"]))

    def _accounts(self, sha256: str | None, run_id: str) -> Path | None:
        if sha256 is None:
            return None
        places = [self.accounts] if self.accounts else [self._noted(run_id, "accounts"), self.out / SAMPLE_ACCOUNTS]
        for place in filter(None, places):
            if place.is_file() and sha256_file(place) == sha256:
                return place
        tried = f"{self.accounts} is not it" if self.accounts else "it is not where the run found it"
        raise InputError(f"{self.out}: this needs the accounts table that the run read (sha256 {sha256[:16]}), and {tried}. Say where it is: --accounts FILE")

    def _context(self, files: Mapping[str, str] | None, run_id: str) -> Path | None:
        if not files:
            return None
        for place in [self.context] if self.context else [self._noted(run_id, "context")]:
            if place and all((place / name).is_file() and sha256_file(place / name) == sha256 for name, sha256 in files.items()):
                return place
        raise InputError(f"{self.out}: this needs the context folder that the run read ({', '.join(sorted(files))}), unchanged. Say where it is: --context DIR")

    def _noted(self, run_id: str, what: str) -> Path | None:
        try:
            noted = read_json(self.out / NOTES / f"{run_id}.json").get(what)
        except (OSError, StillhuntError):
            return None
        return Path(noted) if isinstance(noted, str) else None


def note_origins(out: Path, run_id: str, logs: Sequence[str], accounts: Path | None, context: Path | None) -> None:
    """Leave the note of a finished run, replacing an older one. Paths are absolute; URLs stay as they are. A note that cannot be written spoils no run."""
    places = {"accounts": accounts, "context": context}
    noted = {name: str(place.absolute()) if place else None for name, place in places.items()}
    with contextlib.suppress(OSError):
        (out / NOTES).mkdir(exist_ok=True)
        write_json(out / NOTES / f"{run_id}.json", {**noted, "logs": [log if "://" in log else str(Path(log).absolute()) for log in logs]})
