"""Disjoint work-list, and its opposite: work that members repeat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.groups import Neighbours, SparseRows, others, pool_size, tied_share_sparse, unit_rows
from pipeline.measures.null_groups import NullGroups, null_of
from pipeline.measures.nulls import permutation_p
from pipeline.measures.worklist import Draws, Holdings, best_p
from pipeline.stages.operations import Outcome
from pipeline.stages.population import Population

Ints = NDArray[np.int64]

LEVEL = 1e-3
"""Chance, over all corpora that the members draw on, of so few repeats, up to which a work-list counts as dealt out."""
MAX_REPEAT_SHARE = 0.5
"""Repeats seen, as a share of those expected, up to which it does."""
MIN_HITTERS = 0.3
"""Members who draw on the list, as a share of all, from which it does."""
GROUP_SIZE = 24
INDEPENDENT = "members who draw on one list independently of each other repeat at least the expected pairs"
ALIKE = "random groups of accounts that work in the same manner"


@dataclass(frozen=True)
class Work:
    """Who works on which item."""

    rows: pl.DataFrame
    """account (position), item (number), item_key, prompt_key"""
    holdings: Holdings
    held_out: SparseRows
    """accounts by items of prompts that formed nothing (half 1), items of two accounts or more"""
    keys: Ints
    """item_key by number"""


def work_of(items: pl.DataFrame, people: Population) -> Work:
    """In: rows of work_items. No rows: no holdings."""
    keys, number = np.unique(items["item_key"].to_numpy(), return_inverse=True)
    holder = people.positions(items["account_key"]).astype(np.int64)
    rows = items.select("account_key", "item_key", "prompt_key").with_columns(pl.Series("account", holder), pl.Series("item", number.astype(np.int64)))
    odd = rows.filter(pl.col("prompt_key") % 2 == 1).filter(pl.len().over("item") >= 2)
    column = odd["item"].rank("dense").to_numpy().astype(np.int64) - 1
    held_out = unit_rows(odd["account"].to_numpy(), column, np.ones(odd.height), len(people.keys))
    return Work(rows.sort("account", "item"), Holdings(holder, number.astype(np.int64), len(people.keys)), held_out, keys)


def disjoint_work(work: Work, members: Ints) -> Outcome:
    """Whether members who draw on a list that outsiders show never draw the same entry. In: ascending positions."""
    found = work.holdings.draws_of(members)
    enough = [draws for draws in found if draws.hitters >= MIN_HITTERS * len(members)]
    if not enough:
        few = "fewer than 30 % of the members draw on a list that three accounts outside use" if found else "the members draw on no list that three accounts outside use"
        return Outcome("coordination", status="not_run", reason=few)
    best = min(enough, key=lambda draws: (draws.p_value, -draws.expected))
    p_value = min(1.0, best.p_value * len(enough))
    decided, reason = _decided(best, p_value, len(enough))
    return Outcome(
        "coordination",
        "pairs",
        float(best.repeats),
        best.expected,
        p_value if decided else None,
        0,
        best.hits,
        INDEPENDENT,
        "ran" if decided else "undecided",
        reason,
        lambda: _drawn(work, members, best),
    )


def _decided(best: Draws, p_value: float, corpora: int) -> tuple[bool, str]:
    """Whether the test can tell, and why not."""
    if best_p(best.expected) * corpora > LEVEL:
        needed = math.log(corpora / LEVEL)
        return False, f"E = {best.expected:.1f} repeats are expected of independent members; no repeat at all would tell only from E = {needed:.1f}"
    if p_value <= LEVEL and best.repeats > MAX_REPEAT_SHARE * best.expected:
        return False, f"repeats are rarer than chance gives, yet more than half as many as E = {best.expected:.1f}"
    return True, ""


def _drawn(work: Work, members: Ints, draws: Draws) -> pl.DataFrame:
    """The members' prompts on entries of U: account_key, prompt_key, strength."""
    own = work.rows.filter(pl.col("account").is_in(members.tolist()) & pl.col("item").is_in(draws.drawn.tolist()))
    return own.select("account_key", "prompt_key", pl.len().over("item").cast(pl.Int64).alias("strength"))


def repeated_work(work: Work, manner: Neighbours, members: Ints, count: int, rng: np.random.Generator) -> Outcome:
    """How many pairs of members worked on the same item, of prompts that formed nothing, against random groups of similar accounts."""
    size = min(len(members), GROUP_SIZE)
    pool = manner.nearest(members, others(len(manner.columns), members), pool_size(len(members)))
    if len(pool) < 2 * size or work.held_out[members].nnz == 0:
        return Outcome("benign", reason="no item of the members' held-out prompts is another account's too, or too few accounts of the same manner to compare with")
    observed = round(float(tied_share_sparse(work.held_out, members[None, :])[0]), 6)
    null = null_of(observed, NullGroups(pool, size, count, rng), lambda asked: tied_share_sparse(work.held_out, asked))
    mean = math.fsum(null) / len(null)
    return Outcome("benign", "share of pairs", observed, mean, permutation_p(observed, null), len(null), len(members), ALIKE, "ran", "", lambda: _repeated(work, members))


def _repeated(work: Work, members: Ints) -> pl.DataFrame:
    """The members' held-out prompts on items that another member worked on too: account_key, prompt_key, strength (members on it)."""
    own = work.rows.filter(pl.col("account").is_in(members.tolist()) & (pl.col("prompt_key") % 2 == 1))
    own = own.with_columns(pl.len().over("item").cast(pl.Int64).alias("strength")).filter(pl.col("strength") >= 2)
    return own.select("account_key", "prompt_key", "strength")
