"""What else belongs to the accounts of a tip: other accounts that share rare values with them, ranked by bits.

Every figure is the run's own. A shared value is worth log2(entities / holders) bits, and a pair of accounts the bits of its families, as the run scores its pairs
(measures/pairs.py has the formula). An account is ranked by its strongest pair with an account of the tip. Colleagues of one vouched organisation are no evidence
against each other and are counted, not ranked. Nothing is concluded here: bits say how rare a coincidence would be, not who did what.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config, recorded_config
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.tips import Holder
from pipeline.history.recall import RARITY_COLUMNS, entity_total
from pipeline.kinds import kind_table
from pipeline.stages.population import scorer_of

TIP_ACCOUNTS = 200
"""Accounts of a tip that others are compared with at most: those whose keys are smallest, which favours nobody, because keys are hashes."""
CANDIDATES, PAIRS = 1_000, 60_000
"""Accounts that are compared pair by pair at most, those with the rarest shared values; fewer for a large tip, so that pairs stay within their bound."""
FACTS = 3


@dataclass(frozen=True)
class Fact:
    """A value that an account shares with the tip."""

    kind: str
    value_key: int
    rarity_bits: float
    """log2(entities / holders); of what a large group shares it counts as fewer holders (wide_values)"""
    holder_count: int
    """entities that hold it in all"""
    shared_with: int
    """accounts of the tip that hold it"""


@dataclass(frozen=True)
class Other:
    """An account that is not in the tip and shares rare values with it."""

    account_id: str
    network_id: str | None
    bits: float
    """of its strongest pair with an account of the tip, as the run scores pairs"""
    is_linked: bool
    """that pair is an edge of the run: enough bits, from two families"""
    nearest_account_id: str
    """that account of the tip"""
    families: tuple[str, ...]
    """that give its bits, most first"""
    shared_with: int
    """accounts of the tip with which it has half the bits of an edge or more"""
    facts: tuple[Fact, ...]
    """the rarest values that it shares with any account of the tip"""


@dataclass(frozen=True)
class Expansion:
    """The others, most bits first, and what stands behind the figures."""

    others: tuple[Other, ...]
    compared_count: int
    """accounts that share any value with the tip"""
    colleague_count: int
    """accounts of a vouched organisation that an account of the tip belongs to"""
    tip_count: int
    """accounts of the tip that were compared with"""
    edge_bits: float


def expand(run: FinishedRun, tip: tuple[Holder, ...], least_bits: float = 0.0) -> Expansion:
    """Others that share rare values with the accounts of a tip and reach `least_bits`. Nobody: no others."""
    config = recorded_config(run.manifest()["config"], str(run.folder / "run.json"))
    edge = math.log2(max(2, entity_total(run.columns("shared_values", RARITY_COLUMNS)))) + config.networks.edge_margin_bits
    own = np.sort(np.array([holder.account_key for holder in tip], dtype=np.int64))[:TIP_ACCOUNTS]
    held = run.among("shared_values", {"account_key": own.tolist()})  # of millions of rows only those that matter are ever in memory
    shared = run.among("shared_values", {"value_key": held["value_key"].unique().to_list()}).join(held.select("kind", "value_key").unique(), on=["kind", "value_key"], how="semi")
    everyone = [holder.account_key for holder in tip]
    beyond = shared.filter(~pl.col("account_key").is_in(everyone))
    colleagues = beyond.join(held.select("entity_key").unique(), on="entity_key", how="semi")["account_key"].unique()
    beyond = beyond.filter(~pl.col("account_key").is_in(colleagues.implode()))
    near = _rarest_first(beyond)[: min(CANDIDATES, PAIRS // max(1, len(own)))]
    others = _scored(held, beyond, near, own, config, edge) if len(near) and len(own) else []
    facts = _facts(beyond, held)
    names = _names(run, [row[0] for row in others] + [row[3] for row in others])
    made = tuple(
        Other(names[key][0], names[key][1], bits, linked, names[nearest][0], families, count, facts.get(key, ()))
        for key, bits, linked, nearest, families, count in others
        if bits > 0 and bits >= least_bits
    )
    ordered = tuple(sorted(made, key=lambda other: (-other.bits, -other.shared_with, other.account_id)))
    return Expansion(ordered, beyond["account_key"].n_unique(), len(colleagues), len(own), round(edge, 6))


def _rarest_first(beyond: pl.DataFrame) -> list[int]:
    """Accounts by the sum over families of the rarest value that they share there: what bounds the bits of a pair, but for the quarters."""
    best = beyond.group_by("account_key", "family").agg(pl.col("rarity_micro_bits").max())
    total = best.group_by("account_key").agg(pl.col("rarity_micro_bits").sum())
    return total.sort("rarity_micro_bits", "account_key", descending=[True, False])["account_key"].to_list()


Row = tuple[int, float, bool, int, tuple[str, ...], int]


def _scored(held: pl.DataFrame, beyond: pl.DataFrame, near: list[int], own: NDArray[np.int64], config: Config, edge: float) -> list[Row]:
    """Each candidate against each account of the tip: key, most bits, whether that is an edge, the nearest account, its families, and how many are near.

    In: values that the tip holds, by holder of the tip and beyond it. What only one side holds is left out: it makes no pair.
    """
    keys = np.sort(np.concatenate([own, np.array(near, dtype=np.int64)]))
    theirs = beyond.join(pl.DataFrame({"account_key": near}, schema={"account_key": pl.Int64}), on="account_key", how="semi")
    values = pl.concat([held.join(theirs, on=["kind", "value_key"], how="semi"), theirs])
    scorer = scorer_of(values, kind_table(config.links), keys)
    here, there = np.searchsorted(keys, own), np.searchsorted(keys, np.array(near, dtype=np.int64))
    pairs = scorer.by_family(np.tile(here, len(there)), np.repeat(there, len(here))).reshape(len(there), len(here), -1)
    total = np.round(pairs.sum(axis=2), 6)
    rows: list[Row] = []
    for place, key in enumerate(near):
        best = int(total[place].argmax())
        families, bits = pairs[place, best], float(total[place, best])
        strong = int((families >= config.networks.family_min_bits).sum())
        names = tuple(name for _, name in sorted((-each, name) for each, name in zip(families.tolist(), scorer.families, strict=True) if each > 0))
        rows.append((key, bits, bits >= edge and strong >= 2, int(own[best]), names, int((total[place] >= edge / 2).sum())))
    return rows


def _facts(beyond: pl.DataFrame, held: pl.DataFrame) -> dict[int, tuple[Fact, ...]]:
    """Of each account the rarest values that it shares with the tip, one a kind first."""
    with_tip = held.group_by("kind", "value_key").agg(pl.col("account_key").n_unique().alias("shared_with"))
    rows = beyond.join(with_tip, on=["kind", "value_key"]).sort("account_key", "rarity_micro_bits", "kind", "value_key", descending=[False, True, False, False])
    one_a_kind = rows.unique(["account_key", "kind"], keep="first", maintain_order=True).group_by("account_key", maintain_order=True).head(FACTS)
    found: dict[int, tuple[Fact, ...]] = {}
    for row in one_a_kind.iter_rows(named=True):
        fact = Fact(row["kind"], int(row["value_key"]), round(row["rarity_micro_bits"] / 1e6, 6), int(row["df"]), int(row["shared_with"]))
        found[row["account_key"]] = (*found.get(row["account_key"], ()), fact)
    return found


def _names(run: FinishedRun, keys: list[int]) -> dict[int, tuple[str, str | None]]:
    rows = run.columns("accounts", "account_key", "account_id", "network_id").filter(pl.col("account_key").is_in(keys)).rows()
    return {int(key): (str(name), network) for key, name, network in rows}
