"""The nights that were judged before one: what their run.json says, and the networks of the last good one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.provenance import sha256_json
from pipeline.store import Store, read_json


@dataclass(frozen=True)
class EarlierNight:
    """One night that a run speaks for."""

    night: date
    run_id: str
    version: str
    config_sha256: str
    manifest_sha256: str
    """Over run.json without `measured`: the same for every run of the same inputs, settings, version and prior state."""
    degraded: tuple[str, ...]
    counts: Mapping[str, int]
    tiers: Mapping[str, int]
    health: Mapping[str, Any]
    """See health.py; empty where the version that made the run took none."""

    @property
    def is_good(self) -> bool:
        """Whether everything that should have run did."""
        return not self.degraded


@dataclass(frozen=True)
class NetworkThen:
    """A network as an earlier night had it."""

    tier: str
    account_count: int
    request_count: int


def earlier_nights(store: Store, night: date, limit: int) -> tuple[EarlierNight, ...]:
    """The last `limit` nights before this one, oldest first."""
    before = [(day, run_id) for day, run_id in store.nights().items() if day < night]
    return tuple(_read(store.run_folder(run_id), day, run_id) for day, run_id in sorted(before)[-limit:])


def last_good(nights: Sequence[EarlierNight]) -> EarlierNight | None:
    """The newest good night; None if all were degraded or there is none."""
    return next((night for night in reversed(nights) if night.is_good), None)


def networks_then(store: Store, run_id: str) -> dict[str, NetworkThen]:
    """The networks of a finished run by id."""
    path = store.run_folder(run_id) / "tables" / "networks.parquet"
    rows = pl.read_parquet(path, columns=["network_id", "tier", "account_count", "request_count"], glob=False, hive_partitioning=False)
    return {name: NetworkThen(tier, accounts, requests) for name, tier, accounts, requests in rows.sort("network_id").iter_rows()}


def _read(folder: Path, day: date, run_id: str) -> EarlierNight:
    found = read_json(folder / "run.json")
    return EarlierNight(
        night=day,
        run_id=run_id,
        version=found["version"],
        config_sha256=found["config_sha256"],
        manifest_sha256=sha256_json({key: value for key, value in found.items() if key != "measured"}),
        degraded=tuple(found["degraded"]),
        counts=found["counts"],
        tiers=found["tiers"],
        health=found.get("health", {}),
    )
