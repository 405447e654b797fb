"""Stage 60: what each cluster is compared with, and how surprising it is on data that did not form it.

Clusters were formed on even prompts, even session ids, addresses and records. They are tested on odd prompts (mixes of wording, prompts sent at once), odd session ids
(hand-offs) and on the days they share (no day was used to form them), against random groups of accounts that work in the same manner. Extraction is tested on odd
prompts against groups of the same volume. Each p-value is a permutation p in the null that its row names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.groups import Neighbours, SparseRows, daily_residuals, draw_sets, mean_cosine, mean_cosine_sparse, nearest, others, pool_size, tied_share_sparse
from pipeline.measures.nulls import permutation_p
from pipeline.stages.evidence_views import AccountViews, account_views, held_out_couplings, held_out_wording
from pipeline.stages.population import Population, population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUP_SIZE = 24
"""Accounts of a random group at most: larger groups only sharpen a p-value that the number of groups already bounds."""
MIN_DAYS = 5
"""Days below which shared days say nothing."""


@dataclass(frozen=True)
class _Bench:
    """Everything the tests of one run share."""

    people: Population
    wording: SparseRows
    couplings: SparseRows
    views: AccountViews
    days: Floats
    volume: Neighbours
    manner: Neighbours
    clustered: Ints
    config: Config


def cluster_tests(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Tests and matched controls of each cluster of five or more.

    Reads clusters, account_records, kinds, shared_values, habits, handoffs, fanouts, features, boilerplate, sample_totals, daily_requests. Empty: empty tables.
    """
    bench = _bench(inputs, config)
    tests, controls = [], []
    groups = inputs["clusters"].filter(pl.col("origin") != "small").sort("cluster", "account_key")
    for (cluster,), rows in groups.group_by("cluster", maintain_order=True):
        members = bench.people.positions(rows["account_key"])
        rng = np.random.default_rng([config.networks.seed, *bench.people.keys[members[:2]].tolist(), len(members)])
        ordinary = _pool(bench.volume, members, bench.clustered, max(pool_size(len(members)), config.verdict.control_accounts))
        tests += [(cluster, *row) for row in _tests(bench, members, _nearest(bench.volume, members, ordinary, pool_size(len(members))), rng)]
        controls += [(cluster, key) for key in bench.people.keys[_nearest(bench.volume, members, ordinary, config.verdict.control_accounts)].tolist()]
    schema = {"cluster": pl.Int64, "test": pl.String, "family": pl.String, "supports": pl.String, "statistic": pl.Float64, "unit": pl.String, "expected": pl.Float64}
    schema |= {"p_value": pl.Float64, "sample_size": pl.Int64, "null_model": pl.String, "status": pl.String, "reason": pl.String}
    found = pl.DataFrame(tests, schema=schema, orient="row").sort("cluster", "test")
    matched = pl.DataFrame(controls, schema={"cluster": pl.Int64, "account_key": pl.Int64}, orient="row").sort("cluster", "account_key")
    return {"cluster_tests": found, "cluster_controls": matched}


def _bench(inputs: Mapping[str, pl.DataFrame], config: Config) -> _Bench:
    people = population(inputs)
    clustered = people.positions(inputs["clusters"].filter(pl.col("origin") == "network")["account_key"])
    wording, days = held_out_wording(inputs["habits"], people), _day_matrix(inputs["daily_requests"], people)
    views, couplings = account_views(inputs, people, config), held_out_couplings(inputs["handoffs"], inputs["fanouts"], people)
    return _Bench(people, wording, couplings, views, days, Neighbours(views.volume), Neighbours(views.manner), np.sort(clustered), config)


def _day_matrix(daily: pl.DataFrame, people: Population) -> Floats:
    """Residual daily activity, one row of length 1 an account; no columns if the window is too short."""
    days = np.unique(daily["day"].to_physical().to_numpy())
    if len(days) < MIN_DAYS:
        return np.zeros((len(people.keys), 0))
    counts = np.zeros((len(people.keys), len(days)))
    counts[people.positions(daily["account_key"]), np.searchsorted(days, daily["day"].to_physical().to_numpy())] = daily["request_count"].to_numpy()
    return daily_residuals(counts)


def _pool(accounts: Neighbours, members: Ints, excluded: Ints, wanted: int) -> Ints:
    return accounts.nearest(members, others(len(accounts.columns), members, excluded), wanted)


def _nearest(accounts: Neighbours, members: Ints, pool: Ints, wanted: int) -> Ints:
    """The nearest of a pool, which are the nearest of all if the pool holds at least so many of these."""
    return pool if wanted >= len(pool) else nearest(accounts.columns, members, pool, wanted)


def _tests(bench: _Bench, members: Ints, ordinary: Ints, rng: np.random.Generator) -> list[tuple[object, ...]]:
    everyone = np.empty(0, dtype=np.int64)
    alike = _pool(bench.manner, members, everyone, pool_size(len(members)))
    return [_wording(bench, members, alike, rng), _handoff(bench, members, alike, rng), _shared_days(bench, members, alike, rng), *_extraction(bench, members, ordinary, rng)]


def _wording(bench: _Bench, members: Ints, pool: Ints, rng: np.random.Generator) -> tuple[object, ...]:
    """How alike the mixes of recurring wording are, on prompts that formed nothing: draws from one pool are exchangeable, strangers who share a source are not."""
    size = min(len(members), GROUP_SIZE)
    if len(pool) < 2 * size or bench.wording.nnz == 0:
        return _not_run("held_out_wording", "templates", "coordination", "no recurring wording, or too few accounts of the same manner to compare with")
    observed = float(mean_cosine_sparse(bench.wording, members[None, :])[0])
    null = mean_cosine_sparse(bench.wording, draw_sets(pool, size, bench.config.verdict.null_groups, rng))
    return _ran("held_out_wording", "templates", "coordination", observed, "cosine", null, len(members), "random groups of accounts that work in the same manner")


def _handoff(bench: _Bench, members: Ints, pool: Ints, rng: np.random.Generator) -> tuple[object, ...]:
    """How many pairs of members went on with each other's conversations or sent one prompt at once, of conversations and prompts that formed nothing."""
    size = min(len(members), GROUP_SIZE)
    if len(pool) < 2 * size or bench.couplings[members].nnz == 0:
        return _not_run(
            "held_out_handoff",
            "handoff",
            "coordination",
            "nothing of theirs was handed on or sent at once, or too few accounts of the same manner to compare with",
        )
    observed = float(tied_share_sparse(bench.couplings, members[None, :])[0])
    null = tied_share_sparse(bench.couplings, draw_sets(pool, size, bench.config.verdict.null_groups, rng))
    return _ran("held_out_handoff", "handoff", "coordination", observed, "share of pairs", null, len(members), "random groups of accounts that work in the same manner")


def _shared_days(bench: _Bench, members: Ints, pool: Ints, rng: np.random.Generator) -> tuple[object, ...]:
    """How alike the days are on which members are busier than usual."""
    size = min(len(members), GROUP_SIZE)
    if bench.days.shape[1] == 0 or len(pool) < 2 * size:
        return _not_run("shared_days", "timing", "coordination", f"needs {MIN_DAYS} days and enough accounts of the same manner")
    observed = float(mean_cosine(bench.days, members[None, :])[0])
    null = mean_cosine(bench.days, draw_sets(pool, size, bench.config.verdict.null_groups, rng))
    return _ran("shared_days", "timing", "coordination", observed, "cosine", null, len(members), "random groups of accounts that work in the same manner")


def _extraction(bench: _Bench, members: Ints, pool: Ints, rng: np.random.Generator) -> list[tuple[object, ...]]:
    """Share of held-out prompts that are templated and drew a long answer, of the median member.

    Strangers' traffic that a pool carries dilutes the share of every member and leaves the median rare; a few harvesters among others do not lift it.
    """
    size = min(len(members), GROUP_SIZE)
    documents = int(bench.views.document_count[members].sum())
    if len(pool) < 2 * size or documents == 0:
        return [_not_run("harvest_share", "extraction", "extraction", "no sampled prompts, or too few accounts of the same volume to compare with")]
    null = np.median(bench.views.harvest_share[draw_sets(pool, size, bench.config.verdict.null_groups, rng)], axis=1)
    observed = float(np.median(bench.views.harvest_share[members]))
    return [_ran("harvest_share", "extraction", "extraction", observed, "share", null, documents, "random groups of accounts of the same volume, outside every cluster")]


def _ran(test: str, family: str, supports: str, observed: float, unit: str, null: Floats, sample: int, model: str) -> tuple[object, ...]:
    observed, null = round(observed, 6), np.round(null, 6)
    p_value = round(permutation_p(observed, null), 6)
    return (test, family, supports, observed, unit, round(math.fsum(null) / len(null), 6), p_value, sample, model, "ran", "")


def _not_run(test: str, family: str, supports: str, reason: str) -> tuple[object, ...]:
    return (test, family, supports, None, "", None, None, 0, "", "not_run", reason)
