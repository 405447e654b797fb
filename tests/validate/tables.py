"""Results of made-up worlds, written down as short lines: what happened to whom."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipeline.validate.plans import AS_IT_IS
from pipeline.validate.results import DELAYS, MEMBERS, NETWORKS, TRUTH, Judged, Results, together

Part = tuple[str, str | None, int, str | None]
"""Kind ("campaign:..." is an operator's), group, accounts, and the network they are in: None, or a name that begins with refer, watch or small."""


def world(
    name: str, *parts: Part, tries: dict[str, tuple[Part, ...]] | None = None, q: dict[str, float] | None = None, membership: float = 1.0, bits: float = 0.0, **more: Any
) -> Judged:
    """One world; `tries` gives the same accounts other networks, `bits` is the evidence of either axis of each network."""
    entries = {AS_IT_IS: parts, **(tries or {})}
    groups = {AS_IT_IS: AS_IT_IS, **{name: "without a family" if name.startswith("no evidence") else "threshold" for name in tries or {}}}
    members = pl.concat([_members(entry, rows, membership) for entry, rows in entries.items()])
    networks = members.group_by("entry", "network_id").agg(pl.col("flagged", "listed").first(), pl.len().alias("account_count")).sort("entry", "network_id")
    networks = _judged(networks, q or {}, bits)
    facts: dict[str, Any] = {"delays": pl.DataFrame(schema=DELAYS), "unlabelled_flagged": 0, "requests": 1000, "degraded": (), **more}
    return Judged(name, tuple(groups.items()), _truth(parts), members, networks, **facts)


def _judged(networks: pl.DataFrame, q: dict[str, float], bits: float) -> pl.DataFrame:
    tier = pl.when("flagged").then(pl.lit("refer")).when("listed").then(pl.lit("watch")).otherwise(pl.lit("explained"))
    q_values = pl.col("network_id").replace_strict(q, default=None, return_dtype=pl.Float64)
    plain = {"coordination_bits": pl.lit(bits), "extraction_bits": pl.lit(bits), "best_alternative": pl.lit("none"), "alternative_margin_bits": pl.lit(bits)}
    columns = {"q_value": q_values, "tier": tier, "reason": pl.lit("made_up"), "admitted_count": pl.col("flagged").cast(pl.Int64), **plain}
    return networks.with_columns(**columns).select(*NETWORKS).cast(NETWORKS)  # type: ignore[arg-type]


def results(*worlds: Judged) -> Results:
    return together(worlds)


def _truth(parts: tuple[Part, ...]) -> pl.DataFrame:
    rows = []
    for kind, group, count, _ in parts:
        unit = group or f"strangers:{kind}"
        rows += [(len(rows) + at, kind, group, unit, kind.startswith("campaign:"), None) for at in range(count)]
    return pl.DataFrame(rows, schema=TRUTH, orient="row")


def _members(entry: str, parts: tuple[Part, ...], membership: float) -> pl.DataFrame:
    rows, place = [], 0
    for _, _, count, network in parts:
        if network is not None:
            flagged = network.startswith("refer")
            rows += [(entry, place + at, network, flagged, flagged or network.startswith("watch"), membership) for at in range(count)]
        place += count
    return pl.DataFrame(rows, schema=MEMBERS, orient="row")


def row(figures: list[Any], measure: str, stratum: str = "all") -> Any:
    """The one figure of a measure and stratum."""
    (found,) = [entry for entry in figures if entry.measure == measure and entry.stratum == stratum]
    return found
