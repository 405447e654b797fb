"""How long a campaign works unseen: nights and requests before the first night on which a referred network is mostly its.

A campaign that was never referred counts as longer than any; its median is then unknown, never the length of the log. A campaign may begin with a handful of accounts, which no
rule can call a network; so nights are also counted from the one by which ten of its accounts were active.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.measures.rates import median_interval
from pipeline.validate.figures import EVERYONE, Figure, figure, kinds, share_of
from pipeline.validate.results import Results

MOST_NIGHTS = 28
SOON = 3
"""Nights after the one by which ten of its accounts were active, within which a campaign that hides little ought to be referred."""
PLAIN = tuple(f"campaign:L{rung}" for rung in range(5))
"""The rungs that hide little."""
PLAIN_RUNGS = "campaigns L0 to L4"


def figures_of_delay(results: Results) -> list[Figure]:
    """By kind of campaign: median nights and share of its requests until first referred, and the share referred by each night. Nothing if no world was judged night by night."""
    rows = []
    for kind, part in kinds(results.delays):
        rows += _kind(kind, part, results.worlds)
    plain = results.delays.filter(pl.col("truth").is_in(PLAIN))
    whole = [*_shares(EVERYONE, results.delays, results.worlds), _soon(EVERYONE, results.delays, results.worlds)]
    return [*whole, *([_soon(PLAIN_RUNGS, plain, results.worlds)] if plain.height else []), *rows] if rows else []


def _kind(kind: str, part: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    flagged = part["night_flagged"].is_not_null().to_numpy()
    nights = np.where(flagged, part["night_flagged"].fill_null(0).to_numpy(), np.inf).astype(np.float64)
    lost = np.where(flagged, (part["requests_before"] / part["requests"]).to_numpy(), np.inf)
    what = "campaigns, one a world" if part["world"].n_unique() == part.height else "campaigns"
    medians = (("nights_until_referred", nights, "nights"), ("requests_until_referred", lost, "share of its requests"))
    return [
        *(figure(name, kind, float(np.median(values)), median_interval(values), part.height, unit, what) for name, values, unit in medians),
        *_shares(kind, part, worlds),
        _soon(kind, part, worlds),
    ]


def _soon(kind: str, part: pl.DataFrame, worlds: tuple[str, ...]) -> Figure:
    """Referred within SOON nights of ten active accounts, among campaigns that had so many and were watched for so long after, or were referred by then."""
    by = pl.col("night_of_ten") + SOON
    hit = (pl.col("night_flagged") <= by).fill_null(value=False)
    watched = part.filter(pl.col("night_of_ten").is_not_null() & (hit | (pl.col("nights") >= by)))
    return share_of("referred_soon_after_ten", kind, watched, worlds, hit, "campaigns, one a world")


def _shares(kind: str, part: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    """Referred by night k, among campaigns that were watched for k nights or were referred before."""
    rows = []
    longest = max(part["nights"].to_list(), default=0)
    for night in range(1, min(MOST_NIGHTS, longest) + 1):
        watched = part.filter((pl.col("nights") >= night) | (pl.col("night_flagged") <= night))
        hit = (pl.col("night_flagged") <= night).fill_null(value=False)
        rows.append(share_of("referred_by_night", f"{kind}, night {night}", watched, worlds, hit, "campaigns, one a world"))
    return rows
