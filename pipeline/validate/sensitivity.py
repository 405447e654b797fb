"""What changes when something does: a missing family of columns, a family of evidence left out, another threshold, another seed.

Each try is compared with the same worlds judged as they are, so differences between worlds do not count.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.measures.rates import bootstrap_difference, bootstrap_ratio
from pipeline.validate.accounts import PER
from pipeline.validate.figures import Figure, by_world, figure, share_over_worlds
from pipeline.validate.networks import campaign_fates
from pipeline.validate.plans import AS_IT_IS, NIGHTS
from pipeline.validate.results import Results


def figures_of_sensitivity(results: Results) -> list[Figure]:
    """For each try: recall, its change, campaigns found, the change in false accusations, and how far the flagged accounts are the same. Stratum `group: try`."""
    rows: list[Figure] = []
    for name, group in results.entries:
        if group not in (AS_IT_IS, NIGHTS):
            rows += _one(results, name, f"{group}: {name}")
    return rows


def _one(results: Results, name: str, stratum: str) -> list[Figure]:
    worlds = results.tried[name]
    tried = results.accounts(name)
    base = results.accounts(AS_IT_IS).filter(pl.col("world").is_in(worlds))
    recall, before = (by_world(frame.filter("malicious"), worlds, pl.col("flagged")) for frame in (tried, base))
    wrong, wrong_before = (by_world(frame.filter(~pl.col("malicious")), worlds, pl.col("flagged")) for frame in (tried, base))
    return [
        share_over_worlds("try_recall", stratum, recall),
        _change("try_recall_change", stratum, recall, before, "share", 1.0),
        share_over_worlds("try_campaigns_found", stratum, by_world(campaign_fates(tried), worlds, pl.col("found"))),
        _change("try_false_accusations_change", stratum, wrong, wrong_before, "per 100,000 innocent accounts", PER),
        _agreement(stratum, tried, base, worlds),
    ]


def _change(measure: str, stratum: str, now: pl.DataFrame, before: pl.DataFrame, unit: str, scale: float) -> Figure:
    hits, other, cases = (column.to_numpy().astype(np.float64) for column in (now["hits"], before["hits"], before["cases"]))
    total = float(cases.sum())
    value = float(hits.sum() - other.sum()) / total if total else float("nan")
    return figure(measure, stratum, value, bootstrap_difference(hits, other, cases), int(np.count_nonzero(cases)), unit, "worlds", scale=scale)


def _agreement(stratum: str, tried: pl.DataFrame, base: pl.DataFrame, worlds: tuple[str, ...]) -> Figure:
    """Accounts flagged both times over accounts flagged either time."""
    both = tried.select("world", "place", "flagged").join(base.select("world", "place", pl.col("flagged").alias("before")), on=["world", "place"], how="full", coalesce=True)
    either = both.fill_null(value=False).filter(pl.col("flagged") | pl.col("before"))
    counts = by_world(either, worlds, pl.col("flagged") & pl.col("before"))
    hits, cases = counts["hits"].to_numpy().astype(np.float64), counts["cases"].to_numpy().astype(np.float64)
    total = float(cases.sum())
    value = float(hits.sum()) / total if total else float("nan")
    return figure("try_agreement", stratum, value, bootstrap_ratio(hits, cases), int(np.count_nonzero(cases)), "share", "worlds")
