"""What judging a world leaves behind: who was in which network under each try, and how long each campaign went unseen. Places instead of account ids.

Kept as one folder a world, so that a suite that was interrupted goes on after its last finished world.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

TRUTH: dict[str, type[pl.DataType]] = {"place": pl.Int64, "truth": pl.String, "group": pl.String, "unit": pl.String, "malicious": pl.Boolean, "held_out": pl.Boolean}
"""Accounts with a request: order in the truth file, kind, group, what counts as one case, whether an operator's (null: unknown), whether decided after the cut (null: no date)."""
MEMBERS: dict[str, type[pl.DataType]] = {
    "entry": pl.String,
    "place": pl.Int64,
    "network_id": pl.String,
    "flagged": pl.Boolean,
    "listed": pl.Boolean,
    "membership": pl.Float64,
}
"""Accounts in a network, by try. listed: the network is referred, or watched with five accounts or more."""
NETWORKS: dict[str, type[pl.DataType]] = {
    "entry": pl.String,
    "network_id": pl.String,
    "flagged": pl.Boolean,
    "listed": pl.Boolean,
    "q_value": pl.Float64,
    "tier": pl.String,
    "reason": pl.String,
    "account_count": pl.Int64,
    "admitted_count": pl.Int64,
    "coordination_bits": pl.Float64,
    "extraction_bits": pl.Float64,
    "best_alternative": pl.String,
    "alternative_margin_bits": pl.Float64,
}
"""Networks by try, as the run published them. admitted_count: families of specific or operational evidence that cover it."""
DELAYS: dict[str, type[pl.DataType]] = {
    "group": pl.String,
    "truth": pl.String,
    "nights": pl.Int64,
    "night_flagged": pl.Int64,
    "requests": pl.Int64,
    "requests_before": pl.Int64,
    "night_of_ten": pl.Int64,
}
"""One row a campaign judged night by night: nights from its first request to the last night, the one of them (1 = the first) on which it was first referred (null: none), its
requests, those sent up to and on that night's day (all of them if it was never referred), and the night by which ten of its accounts had sent one (null: fewer ever did)."""
_FRAMES = {"truth": TRUTH, "members": MEMBERS, "networks": NETWORKS, "delays": DELAYS}
_FACTS = "facts.json"


@dataclass(frozen=True)
class Judged:
    """The results of one world."""

    name: str
    entries: tuple[tuple[str, str], ...]
    """(name, group) of each try."""
    truth: pl.DataFrame
    members: pl.DataFrame
    networks: pl.DataFrame
    delays: pl.DataFrame
    unlabelled_flagged: int
    """Accounts of referred networks, as it is, whose label is missing."""
    requests: int
    degraded: tuple[str, ...]

    def save(self, folder: Path) -> None:
        """Put the results at folder as one."""
        fresh = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name in _FRAMES:
            getattr(self, name).write_parquet(fresh / f"{name}.parquet")
        facts = {"name": self.name, "entries": self.entries, "unlabelled_flagged": self.unlabelled_flagged, "requests": self.requests, "degraded": self.degraded}
        (fresh / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def load(folder: Path) -> Judged:
    """Results that were saved."""
    facts = json.loads((folder / _FACTS).read_bytes())
    frames = {name: pl.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
    return Judged(
        facts["name"],
        tuple((name, group) for name, group in facts["entries"]),
        **frames,
        unlabelled_flagged=facts["unlabelled_flagged"],
        requests=facts["requests"],
        degraded=tuple(facts["degraded"]),
    )


@dataclass(frozen=True)
class Results:
    """The results of all worlds, each frame with a column `world` in front."""

    worlds: tuple[str, ...]
    entries: tuple[tuple[str, str], ...]
    """(name, group) of every try that some world was judged under, in order of first use."""
    truth: pl.DataFrame
    members: pl.DataFrame
    networks: pl.DataFrame
    delays: pl.DataFrame
    tried: dict[str, tuple[str, ...]]
    """Worlds judged under each try."""
    unlabelled_flagged: int
    requests: int
    degraded: tuple[str, ...]

    def accounts(self, entry: str) -> pl.DataFrame:
        """Every labelled account of the worlds tried so, with what the try said: TRUTH and world, network_id, flagged, listed, membership."""
        here = self.truth.filter(pl.col("world").is_in(self.tried.get(entry, ())) & pl.col("malicious").is_not_null())
        found = self.members.filter(pl.col("entry") == entry).drop("entry")
        return here.join(found, on=["world", "place"], how="left", maintain_order="left").with_columns(pl.col("flagged", "listed").fill_null(value=False))


def together(judged: Sequence[Judged]) -> Results:
    """Results of several worlds as one. No world: empty frames."""
    tried: dict[str, list[str]] = {}
    entries: dict[str, str] = {}
    for world in judged:
        for name, group in world.entries:
            tried.setdefault(name, []).append(world.name)
            entries.setdefault(name, group)
    frames = {name: _stacked(schema, ((world.name, getattr(world, name)) for world in judged)) for name, schema in _FRAMES.items()}
    return Results(
        tuple(world.name for world in judged),
        tuple(entries.items()),
        **frames,
        tried={name: tuple(worlds) for name, worlds in tried.items()},
        unlabelled_flagged=sum(world.unlabelled_flagged for world in judged),
        requests=sum(world.requests for world in judged),
        degraded=tuple(f"{world.name}: {reason}" for world in judged for reason in world.degraded),
    )


def _stacked(schema: dict[str, type[pl.DataType]], parts: Iterable[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"world": pl.String, **schema})
    return pl.concat([empty, *(frame.select(pl.lit(name).alias("world"), *schema) for name, frame in parts)])
