"""Release pivot: whether members move to a model within 24 hours of its release when accounts that work alike do not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.groups import Neighbours, pool_size
from pipeline.measures.null_groups import NullGroups, null_of
from pipeline.measures.nulls import permutation_p
from pipeline.stages.operations import Outcome
from pipeline.stages.population import Population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MIN_BEFORE, MIN_AFTER = 5, 3
"""Requests in the week before and in the 24 hours after, from which it is told whether an account moved."""
MOVED_SHARE = 0.25
"""Requests of the 24 hours that go to the new model, as a share, from which an account moved; a published campaign moved half of its traffic."""
MIN_MEMBERS = 5
GROUP_SIZE = 24
ACTIVE = "random groups of accounts that work in the same manner and were active before and after the release"


@dataclass(frozen=True)
class Moves:
    """Who could move, and who did."""

    moved: Floats
    """by position: share of the releases at which the account was active that it moved at; NaN if it was at none"""
    rows: pl.DataFrame
    """release_moves of active accounts, with their position and whether they moved"""


def moves_of(rows: pl.DataFrame, people: Population) -> Moves:
    """In: rows of release_moves."""
    active = rows.filter((pl.col("before_count") >= MIN_BEFORE) & (pl.col("after_count") >= MIN_AFTER))
    active = active.with_columns(pl.Series("account", people.positions(active["account_key"]), dtype=pl.Int64))
    active = active.with_columns((pl.col("new_count") >= MOVED_SHARE * pl.col("after_count")).alias("moved"))
    each = active.group_by("account").agg(pl.col("moved").sum().alias("times"), pl.len().alias("of"))
    moved = np.full(len(people.keys), np.nan)
    moved[each["account"].to_numpy()] = np.round((each["times"] / each["of"]).to_numpy(), 6)
    return Moves(moved, active)


def release_pivot(moves: Moves, manner: Neighbours, members: Ints, count: int, rng: np.random.Generator) -> Outcome:
    """Share of the active members that moved, against random groups of active accounts of the same manner. In: ascending positions."""
    if not moves.rows.height:
        return Outcome("coordination", reason="no model was released three days or more into the log (as the context says, or a model that twenty accounts took up at first sight)")
    active = np.flatnonzero(~np.isnan(moves.moved))
    own = np.intersect1d(members, active)
    if len(own) < MIN_MEMBERS:
        return Outcome("coordination", reason=f"fewer than {MIN_MEMBERS} members were active in the week before a release and in the 24 hours after")
    size = min(len(own), GROUP_SIZE)
    pool = manner.nearest(own, np.setdiff1d(active, members), pool_size(len(own)))
    if len(pool) < 2 * size:
        return Outcome("coordination", reason="too few accounts of the same manner were active around a release to compare with")
    observed = round(float(moves.moved[own].mean()), 6)
    null = null_of(observed, NullGroups(pool, size, count, rng), lambda asked: moves.moved[asked].mean(axis=1))
    mean = math.fsum(null) / len(null)
    return Outcome("coordination", "share", observed, mean, permutation_p(observed, null), len(null), len(own), ACTIVE, "ran", "", lambda: _behind(moves, own))


def _behind(moves: Moves, own: Ints) -> pl.DataFrame:
    """Each member that moved and the model it moved to: account_key, model, strength (its requests to it)."""
    moved = moves.rows.filter(pl.col("moved") & pl.col("account").is_in(own.tolist()))
    return moved.select("account_key", "model", pl.col("new_count").alias("strength"))
