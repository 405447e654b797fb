"""The end of a run as one JSON object, for a command of the operator's (`run --notify-cmd`), schema stillhunt.summary/1.

It names counts, networks that are new or changed, what is unusual, hashes and paths below DIR; no account, no absolute path, no text of a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import redact
from pipeline.history import read_past
from pipeline.history.report import Figure, report
from pipeline.provenance import sha256_file
from pipeline.run import RunOutcome
from pipeline.store import Store

SCHEMA = "stillhunt.summary/1"
NETWORKS_NAMED = 200
INTERRUPTED = (130, 143)
_STATUS = {0: "done", 3: "done", 5: "degraded", 75: "locked"}


def summary(out: Path, outcomes: Sequence[RunOutcome], exit_code: int, error: str = "") -> str:
    """The object as text. A run that failed has an error and no nights; paths in the error lose what stands before DIR."""
    last = outcomes[-1] if outcomes else None
    document = {
        "status": _status(exit_code, failed=not outcomes),
        "exit_code": exit_code,
        "error": redact.for_terminal(error.replace(f"{out.resolve()}/", "").replace(f"{out}/", "")) or None,
        "nights": [_night(outcome, is_last=outcome is last) for outcome in outcomes],
        "health": _health(out, last) if last else None,
    }
    return redact.for_json({"schema": SCHEMA, **document})


def _health(out: Path, last: RunOutcome) -> dict[str, Any]:
    """Figures outside their bands, and what the canaries of the newest canary night came to."""
    past = read_past(Store(out), last.night)
    found = report(last.manifest, past.nights, past.operations)
    canary = past.canary and {"night": past.canary.night.isoformat(), "planted": len(past.canary.canaries), "found": past.canary.found_count}
    return {"figures": len(found.figures), "unusual": [_figure(figure) for figure in found.unusual()], "canaries": canary}


def _figure(figure: Figure) -> dict[str, Any]:
    assert figure.band is not None
    return {"group": figure.group, "name": figure.name, "value": figure.value, "low": figure.band.low, "median": figure.band.median, "high": figure.band.high}


def _status(exit_code: int, *, failed: bool) -> str:
    if exit_code in INTERRUPTED:
        return "interrupted"
    return "failed" if failed and exit_code != 75 else _STATUS.get(exit_code, "failed")


def _night(outcome: RunOutcome, *, is_last: bool) -> dict[str, Any]:
    run = f"runs/{outcome.run_id}"
    tables: Mapping[str, Any] = outcome.manifest["tables"]
    told = {
        "night": outcome.night.isoformat(),
        "run_id": outcome.run_id,
        "outcome": "already done" if outcome.already_done else "degraded" if outcome.degraded else "done",
        "degraded": list(outcome.degraded),
        "counts": dict(outcome.manifest["counts"]),
        "tiers": dict(outcome.tiers),
        "hashes": {"run.json": sha256_file(outcome.folder / "run.json"), "config": outcome.manifest["config_sha256"], "networks": tables["networks"]["sha256"]},
        "paths": {"run": run, "index": f"{run}/index.html", "manifest": f"{run}/run.json"},
    }
    return {**told, **_changes(outcome)} if is_last else told


def _changes(outcome: RunOutcome) -> dict[str, Any]:
    """Events of the night by kind, and the networks that they befell, referred ones first."""
    tables = outcome.folder / "tables"
    lineage = pl.read_parquet(tables / "lineage.parquet", glob=False, hive_partitioning=False).filter(pl.col("night") == outcome.night)
    if "is_superseded" in lineage.columns:
        lineage = lineage.filter(~pl.col("is_superseded").fill_null(value=False))
    tonight = pl.read_parquet(tables / "networks.parquet", columns=["network_id", "tier"], glob=False, hive_partitioning=False)
    events = lineage.select("network_id", "event", "other_id", "account_count").join(tonight, on="network_id", how="left")
    order = {"refer": 0, "watch": 1, "explained": 2}
    rows = sorted(events.rows(named=True), key=lambda row: (order.get(row["tier"], 3), row["network_id"], row["event"], row["other_id"] or ""))
    counts = {event: sum(row["event"] == event for row in rows) for event in sorted({row["event"] for row in rows})}
    return {"changes": counts, "changed_networks": rows[:NETWORKS_NAMED], "changed_networks_left_out": max(0, len(rows) - NETWORKS_NAMED)}
