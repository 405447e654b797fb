"""How long a campaign works unseen: nights and requests before the first night on which a referred network is mostly its.

A campaign that was never referred counts as longer than any; its median is then unknown, never the length of the log.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.measures.rates import median_interval
from pipeline.validate.figures import EVERYONE, Figure, figure, kinds, share_of
from pipeline.validate.results import Results

MOST_NIGHTS = 28


def figures_of_delay(results: Results) -> list[Figure]:
    """By kind of campaign: median nights and share of its requests until first referred, and the share referred by each night. Nothing if no world was judged night by night."""
    rows = []
    for kind, part in kinds(results.delays):
        rows += _kind(kind, part, results.worlds)
    return [*_shares(EVERYONE, results.delays, results.worlds), *rows] if rows else []


def _kind(kind: str, part: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    flagged = part["night_flagged"].is_not_null().to_numpy()
    nights = np.where(flagged, part["night_flagged"].fill_null(0).to_numpy(), np.inf).astype(np.float64)
    lost = np.where(flagged, (part["requests_before"] / part["requests"]).to_numpy(), np.inf)
    what = "campaigns, one a world" if part["world"].n_unique() == part.height else "campaigns"
    medians = (("nights_until_referred", nights, "nights"), ("requests_until_referred", lost, "share of its requests"))
    return [*(figure(name, kind, float(np.median(values)), median_interval(values), part.height, unit, what) for name, values, unit in medians), *_shares(kind, part, worlds)]


def _shares(kind: str, part: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    """Referred by night k, among campaigns that were watched for k nights or were referred before."""
    rows = []
    longest = max(part["nights"].to_list(), default=0)
    for night in range(1, min(MOST_NIGHTS, longest) + 1):
        watched = part.filter((pl.col("nights") >= night) | (pl.col("night_flagged") <= night))
        hit = (pl.col("night_flagged") <= night).fill_null(value=False)
        rows.append(share_of("referred_by_night", f"{kind}, night {night}", watched, worlds, hit, "campaigns, one a world"))
    return rows
