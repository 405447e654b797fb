"""The nights that a run rests on: replayed in this order over the same files, they leave the prior state that it found.

A run follows the last night judged before it, that one the night before, and so on; each recorded the hashes of what it found. The chain is whole if every night of it is
still kept and is the one whose hashes were recorded, was judged once, and with the same settings and tables beside the log. Else the run's own files make all of it but what
rests on earlier nights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.evidence.finished import FinishedRun
from pipeline.run.history import EARLIER
from pipeline.store import read_json

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Nights:
    """Runs to replay, oldest first; the last is the run itself."""

    manifests: tuple[Manifest, ...]
    broken: str
    """why earlier nights cannot be replayed, '' if they can or there are none"""


def nights_behind(run: FinishedRun) -> Nights:
    """The chain of a run; only the run itself where the chain is broken."""
    last: Manifest = run.manifest()
    chain = [last]
    while (previous := last["recipe"]["tables"].get("previous_night")) is not None or "replaced" in last["recipe"]:
        before = None if "replaced" in last["recipe"] else _before(run.out, last, str(previous))
        why = "the night was judged more than once" if "replaced" in last["recipe"] else f"the run of night {previous} that it followed is not kept" if before is None else ""
        if before is not None and _given(before) != _given(last):
            why = f"night {previous} was judged with other settings, accounts or context"
        if why or before is None:
            return Nights((run.manifest(),), why)
        chain.insert(0, before)
        last = before
    return Nights(tuple(chain), "")


def _before(out: Path, manifest: Manifest, night: str) -> Manifest | None:
    """The kept run of a night that left what the manifest says it found; None if there is none."""
    found = (read_json(path) for path in sorted((out / "runs").glob("*/run.json")))
    return next((one for one in found if one.get("night") == night and _left(one, manifest["recipe"]["tables"])), None)


def _left(before: Manifest, found: Mapping[str, Any]) -> bool:
    left: Iterable[tuple[str, str]] = ((name, before["tables"][source]["sha256"]) for name, source in EARLIER.items() if source in before["tables"])
    return all(found.get(name) == sha256 for name, sha256 in left)


def _given(manifest: Manifest) -> tuple[Any, ...]:
    recipe = manifest["recipe"]
    return manifest["config_sha256"], recipe["tables"].get("accounts"), recipe["context"]
