"""Accounts against the truth: how many of a campaign are accused, and how many innocent ones are.

Accounts of one world are no independent cases, so account rates carry a bootstrap over worlds. Groups are: an innocent group, or all strangers of one persona in a
world, is one case for Clopper and Pearson.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.measures.rates import clopper_pearson
from pipeline.validate.figures import EVERYONE, Figure, by_world, figure, kinds, plain_count, share_of_cases, share_over_worlds
from pipeline.validate.plans import AS_IT_IS
from pipeline.validate.results import Results

PER = 100_000
HELD_OUT = {True: "held out: decided after the cut", False: "decided up to the cut"}


def figures_of_accounts(results: Results) -> list[Figure]:
    """Recall, precision and false accusations, over all and by kind; and by era where the truth says when cases were decided."""
    accounts = results.accounts(AS_IT_IS)
    worlds = results.worlds
    operators, innocent = accounts.filter("malicious"), accounts.filter(~pl.col("malicious"))
    found = [*_recall(operators, worlds), _precision(accounts, worlds), *_accusations(innocent, worlds)]
    for era, name in HELD_OUT.items():
        part = accounts.filter(pl.col("held_out") == era)
        if part.height:
            found += [_share("account_recall", name, part.filter("malicious"), worlds), _per_100k(name, part.filter(~pl.col("malicious")), worlds)]
    return [*found, plain_count("unlabelled_accounts_flagged", EVERYONE, results.unlabelled_flagged, results.truth.height, "accounts")]


def _recall(operators: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    rows = []
    for measure, hit in (("account_recall", "flagged"), ("account_recall_listed", "listed")):
        rows += [_share(measure, kind, part, worlds, hit) for kind, part in _kinds(operators)]
    return rows


def _share(measure: str, stratum: str, rows: pl.DataFrame, worlds: tuple[str, ...], hit: str = "flagged") -> Figure:
    return share_over_worlds(measure, stratum, by_world(rows, worlds, pl.col(hit)))


def _precision(accounts: pl.DataFrame, worlds: tuple[str, ...]) -> Figure:
    return share_over_worlds("account_precision", EVERYONE, by_world(accounts.filter("flagged"), worlds, pl.col("malicious")))


def _accusations(innocent: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    rows = []
    for kind, part in _kinds(innocent):
        rows.append(plain_count("innocent_accounts_flagged", kind, int(part["flagged"].sum()), part.height, "accounts"))
        rows.append(_per_100k(kind, part, worlds))
        units = part.group_by("world", "truth", "unit").agg(pl.col("flagged").any())
        rows.append(share_of_cases("innocent_groups_flagged", kind, int(units["flagged"].sum()), units.height, "innocent groups"))
    hit = innocent.group_by("world").agg(pl.col("flagged").any())
    return [*rows, share_of_cases("worlds_with_a_false_accusation", EVERYONE, int(hit["flagged"].sum()), hit.height, "worlds")]


def _per_100k(stratum: str, innocent: pl.DataFrame, worlds: tuple[str, ...]) -> Figure:
    """Innocent accounts flagged in 100,000.

    Without any, the bound is that of groups, an account being flagged at most as often as its group has a flagged account; n is Kish's effective number of them,
    (sum of accounts)^2 / (sum of squares), because large groups hold most accounts (Kish 1965).
    """
    if innocent["flagged"].any():
        return share_over_worlds("false_accusations", stratum, by_world(innocent, worlds, pl.col("flagged")), unit="per 100,000 innocent accounts", scale=PER)
    sizes = innocent.group_by("world", "truth", "unit").len()["len"].to_numpy().astype(np.int64)
    units = int(sizes.sum() ** 2 // np.square(sizes).sum()) if len(sizes) else 0
    value = 0.0 if units else float("nan")
    return figure("false_accusations", stratum, value, clopper_pearson(0, units), units, "per 100,000 innocent accounts", "innocent groups, by their accounts", scale=PER)


def _kinds(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """All rows, then those of each kind by name."""
    return [(EVERYONE, rows), *kinds(rows)]
