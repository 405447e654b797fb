"""Succession over ban waves: whether members are born when other members are banned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.nulls import permutation_p
from pipeline.measures.succession import BEFORE_US, DAY_US, covered_share, following, placed, waves
from pipeline.stages.operations import Outcome
from pipeline.stages.population import Population

Ints = NDArray[np.int64]

DRAWS = 9_999
MIN_BIRTHS, MIN_DAYS = 5, 7
MAX_COVERED = 0.5
"""Share of the window that follows a ban up to which bans are concentrated enough to tell."""
UNKNOWN = -1
BAN_STATUS = ("banned", "suspended")
PLACED = "each wave of bans on another working day or weekend day of the window, drawn at random, at its own hour"


@dataclass(frozen=True)
class Births:
    """By position: when an account was born inside the window and when it was banned; UNKNOWN if it was not."""

    born_us: Ints
    banned_us: Ints
    first_us: int
    last_us: int


def births_of(inputs: Mapping[str, pl.DataFrame], people: Population) -> Births:
    """Births are sign-ups; where none is known, first requests three days or more into the window. Bans are the provider's list, else the status of the accounts table.

    Reads account_records, features, context_events, daily_requests.
    """
    days = inputs["daily_requests"]["day"].to_physical()
    first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)  # type: ignore[arg-type]  # polars types min as any
    first_us, last_us = first * DAY_US, (last + 1) * DAY_US
    records = inputs["account_records"].sort("account_key").join(inputs["features"].select("account_key", pl.col("first_us").alias("seen_us")), on="account_key", how="left")
    seen = pl.when(pl.col("seen_us") >= first_us + 3 * DAY_US).then(pl.col("seen_us"))
    born = records.sort("account_key").select(pl.coalesce("created_us", seen).alias("us"))["us"]
    listed = inputs["context_events"].filter(pl.col("kind") == "ban").group_by("account_key").agg(pl.col("at_us").min())
    given = records.join(listed, on="account_key", how="left").sort("account_key")
    status = pl.when(pl.col("status").is_in(BAN_STATUS)).then(pl.col("status_changed_us"))
    banned = given.select(pl.col("at_us") if listed.height else status)["at_us" if listed.height else "status_changed_us"]
    return Births(_inside(born, first_us, last_us), _inside(banned, first_us, last_us), first_us, last_us)


def _inside(moments: pl.Series, first_us: int, last_us: int) -> Ints:
    """Moments of the window; UNKNOWN for others and for none."""
    known = moments.fill_null(UNKNOWN).to_numpy().astype(np.int64)
    return np.where((known >= first_us) & (known < last_us), known, UNKNOWN).astype(np.int64)


def succession(births: Births, members: Ints, rng: np.random.Generator) -> Outcome:
    """Share of the members' births that follow a ban of another member, against bans on other days. In: positions."""
    born, banned = births.born_us[members], births.banned_us[members]
    starts = waves(banned[banned != UNKNOWN])
    own_ban = (banned != UNKNOWN) & (np.abs(banned - born) <= DAY_US + BEFORE_US)
    counted = np.sort(born[(born != UNKNOWN) & ~own_ban])
    reason = _cannot(births, starts, counted)
    if reason:
        return Outcome("coordination", reason=reason)
    observed = int(following(counted, starts[None, :])[0])
    null = following(counted, placed(starts, births.first_us, births.last_us, DRAWS, rng))
    share, mean = observed / len(counted), float(null.sum()) / DRAWS / len(counted)
    p_value = permutation_p(float(observed), null.astype(np.float64))
    return Outcome("coordination", "share", share, mean, p_value, DRAWS, len(counted), PLACED, "ran", "", lambda: _followers(births, members, starts, own_ban))


def _cannot(births: Births, starts: Ints, counted: Ints) -> str:
    """Why the test cannot tell; empty if it can."""
    if births.last_us - births.first_us < MIN_DAYS * DAY_US:
        return f"needs a window of {MIN_DAYS} days"
    if not len(starts):
        return "no ban of a member in the window is known (context bans.csv, or status in the accounts table)"
    if covered_share(starts, births.first_us, births.last_us) > MAX_COVERED:
        return "bans are spread over more than half of the window, so that births cannot tell"
    return "" if len(counted) >= MIN_BIRTHS else f"fewer than {MIN_BIRTHS} members were born in the window"


def _followers(births: Births, members: Ints, starts: Ints, own_ban: NDArray[np.bool_]) -> pl.DataFrame:
    """Members born after a ban of another: position, strength."""
    born = births.born_us[members]
    follows = np.array([moment != UNKNOWN and following(np.array([moment]), starts[None, :])[0] > 0 for moment in born.tolist()], dtype=np.bool_) & ~own_ban
    return pl.DataFrame({"account": members[follows], "strength": np.zeros(int(follows.sum()), np.int64)})
