"""Stage 60: what each cluster is compared with, and how surprising it is on data that did not form it.

Clusters were formed on even prompts, even session ids, addresses and records. They are tested on odd prompts (mixes of wording, prompts sent at once), odd session ids
(hand-offs), the words of odd prompts (topics) and on the days they share (no day was used to form them), against random groups of accounts that work in the same manner.
Extraction is tested on odd prompts against groups of the same volume: by the members' own recurring wording, and where that shows nothing by what they have in common
(pooled_wording). How the templated prompts are sent is described beside that and decides nothing (traffic_shape). Each p-value is a permutation p in the null that its row names.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.kinds import DESCRIBES, SHAPES
from pipeline.measures.groups import Neighbours, SparseRows, daily_residuals, mean_cosine, mean_cosine_sparse, nearest, others, pool_size, tied_share_sparse
from pipeline.measures.null_groups import NullGroups, null_of
from pipeline.measures.nulls import permutation_p, tail_bits
from pipeline.stages.day_levels import day_counts
from pipeline.stages.evidence_views import AccountViews, account_views, held_out_couplings, held_out_wording, topics
from pipeline.stages.frames import conform
from pipeline.stages.pooled_wording import Pooled, PoolTexts, member_rows, pool_texts, pooled, template_rows
from pipeline.stages.population import Population, population
from pipeline.stages.traffic_shape import DESCRIBED_GROUPS, SENDERS, TrafficShape, describe, traffic_shape

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUP_SIZE = 24
"""Accounts of a random group at most: larger groups only sharpen a p-value that the number of groups already bounds."""
POOL_GROUPS = 999
"""Random groups whose common wording is looked for: p-values down to 0.001, which two measures and six bits need; each group costs more than those of other tests."""
ALIKE = "random groups of accounts that work in the same manner"
ORDINARY = "random groups of accounts of the same volume, outside every cluster"
_COLUMNS = tuple(column.name for column in schema.CLUSTER_TESTS.columns)
MIN_DAYS = 5
"""Days below which shared days say nothing."""


@dataclass(frozen=True)
class _Bench:
    """Everything the tests of one run share."""

    people: Population
    wording: SparseRows
    topics: SparseRows
    couplings: SparseRows
    make_pool: Callable[[], PoolTexts]
    """Indexes the prompts that may be asked for common wording."""
    views: AccountViews
    shape: TrafficShape
    shapeless: Ints
    """accounts that no network's shape is compared with: members of networks, and those that send too few templated prompts"""
    days: Floats
    volume: Neighbours
    manner: Neighbours
    clustered: Ints
    config: Config

    @functools.cached_property
    def pool(self) -> PoolTexts:
        """Made when first asked for, because few clusters are asked for common wording."""
        return self.make_pool()


def cluster_tests(inputs: Mapping[str, pl.DataFrame], config: Config, only: int | None = None) -> dict[str, pl.DataFrame]:
    """Tests and matched controls of each cluster of five or more, or of one of them; what the members have in common where that was looked for.

    Reads clusters, cluster_families, account_records, kinds, shared_values, habits, handoffs, fanouts, account_words, word_users, pool_documents, pool_wording, features,
    boilerplate, sample_totals, daily_requests, day_levels. Empty: empty tables. With word_users and day_levels, habits, couplings, words, days and wording of the clusters and
    of whom they are `compared_with` give what those of all accounts give; where these two are empty, they are counted here, over all.
    """
    bench = bench_of(inputs, config)
    admitted = set(inputs["cluster_families"].filter("admitted")["cluster"].to_list())
    tests, controls, members_of, templates = [], [], [], []
    groups = inputs["clusters"].filter(pl.col("origin") != "small").sort("cluster", "account_key")
    groups = groups if only is None else groups.filter(pl.col("cluster") == only)
    for (cluster,), rows in groups.group_by("cluster", maintain_order=True):
        number = int(str(cluster))
        members = bench.people.positions(rows["account_key"])
        rng = np.random.default_rng([config.networks.seed, *bench.people.keys[members[:2]].tolist(), len(members)])
        ordinary = _ordinary(bench, members)
        found = _tests(bench, members, _nearest(bench.volume, members, ordinary, pool_size(len(members))), rng)
        if number in admitted:
            common, row = _pooled(bench, members, found[-1], rng)
            found.append(row)
            if common is not None:
                members_of.append(member_rows(bench.pool, number, common, bench.people))
                templates.append(template_rows(bench.pool, number, common))
        found += _described(bench, members, rng)
        tests += [dict(zip(_COLUMNS, (number, *row), strict=True)) for row in found]
        controls += [(number, key) for key in bench.people.keys[_nearest(bench.volume, members, ordinary, config.verdict.control_accounts)].tolist()]
    return {
        "cluster_tests": conform(pl.DataFrame(tests, infer_schema_length=None), schema.CLUSTER_TESTS),
        "cluster_controls": pl.DataFrame(controls, schema={"cluster": pl.Int64, "account_key": pl.Int64}, orient="row").sort("cluster", "account_key"),
        "pooled_members": pl.concat([conform(pl.DataFrame(), schema.POOLED_MEMBERS), *members_of]).sort("cluster", "account_key"),
        "pooled_templates": pl.concat([conform(pl.DataFrame(), schema.POOLED_TEMPLATES), *templates]).sort("cluster", "account_key", "prompt_key"),
    }


def bench_of(inputs: Mapping[str, pl.DataFrame], config: Config) -> _Bench:
    """In: as cluster_tests."""
    people = population(inputs)
    clustered = people.positions(inputs["clusters"].filter(pl.col("origin") == "network")["account_key"])
    wording, days = held_out_wording(inputs["habits"], people), _day_matrix(inputs, people)
    views, couplings = account_views(inputs, people, config), held_out_couplings(inputs["handoffs"], inputs["fanouts"], people)
    words, shape = topics(inputs["account_words"], people, 1, inputs["word_users"]), traffic_shape(inputs, people)
    shapeless = np.union1d(np.flatnonzero(~shape.has_shape), clustered)
    pool, volume, manner = (lambda: pool_texts(inputs, people, config)), Neighbours(views.volume), Neighbours(views.manner)
    return _Bench(people, wording, words, couplings, pool, views, shape, shapeless, days, volume, manner, np.sort(clustered), config)


def _day_matrix(inputs: Mapping[str, pl.DataFrame], people: Population) -> Floats:
    """Residual daily activity, one row of length 1 an account; no columns if the window is too short."""
    daily, levels = inputs["daily_requests"], inputs["day_levels"].sort("day")
    is_counted = not levels.is_empty()
    days = levels["day"] if is_counted else daily["day"].unique().sort()
    if len(days) < MIN_DAYS:
        return np.zeros((len(people.keys), 0))
    there = daily["account_key"].unique().sort().to_numpy() if is_counted else people.keys  # who sent nothing is left out where the levels are known
    rows = np.zeros((len(people.keys), len(days)))
    rows[np.searchsorted(people.keys, there)] = daily_residuals(day_counts(daily, there, days), levels["level"].to_numpy() if is_counted else None)
    return rows


def compared_with(bench: _Bench, members: Ints) -> tuple[Ints, Ints]:
    """Positions of the accounts that a cluster is compared with (ascending): in manner; and in volume, of all and of those that send templated prompts, or shown beside it.

    In: ascending positions of the members. Of what accounts sent, the bench need hold only boilerplate.
    """
    return _alike(bench, members), np.union1d(_ordinary(bench, members), _senders(bench, members)[1])


def _alike(bench: _Bench, members: Ints) -> Ints:
    """Accounts that work in the same manner."""
    return _pool(bench.manner, members, np.empty(0, dtype=np.int64), pool_size(len(members)))


def _ordinary(bench: _Bench, members: Ints) -> Ints:
    """Accounts of the same volume, outside every cluster; some more than groups are drawn from where that many are shown as controls."""
    return _pool(bench.volume, members, bench.clustered, max(pool_size(len(members)), bench.config.verdict.control_accounts))


def compared_in_wording(bench: _Bench, members: Ints, there: Ints) -> Ints:
    """The same of accounts whose prompts may be asked for common wording. In: positions of these (`there`), which may be members or in clusters."""
    return bench.volume.nearest(members, np.setdiff1d(there, np.concatenate([bench.clustered, members])), pool_size(len(members)))


def _senders(bench: _Bench, members: Ints) -> tuple[Ints, Ints]:
    """Members that send enough templated prompts to have a shape, and accounts of the same volume outside every cluster that do."""
    sending = members[bench.shape.has_shape[members]]
    return sending, bench.volume.nearest(sending, others(len(bench.people.keys), bench.shapeless, members), pool_size(len(sending)))


def _pool(accounts: Neighbours, members: Ints, excluded: Ints, wanted: int) -> Ints:
    return accounts.nearest(members, others(len(accounts.columns), members, excluded), wanted)


def _nearest(accounts: Neighbours, members: Ints, pool: Ints, wanted: int) -> Ints:
    """The nearest of a pool, which are the nearest of all if the pool holds at least so many of these."""
    return pool if wanted >= len(pool) else nearest(accounts.columns, members, pool, wanted)


def _tests(bench: _Bench, members: Ints, ordinary: Ints, rng: np.random.Generator) -> list[tuple[object, ...]]:
    """The tests of every cluster; the last is that of the members' own recurring wording."""
    alike = _random_groups(bench, members, _alike(bench, members), rng)
    return [
        _wording(bench, members, alike),
        _topic(bench, members, alike),
        _handoff(bench, members, alike),
        _shared_days(bench, members, alike),
        _extraction(bench, members, _random_groups(bench, members, ordinary, rng)),
    ]


def _random_groups(bench: _Bench, members: Ints, pool: Ints, rng: np.random.Generator) -> NullGroups | None:
    """Groups as large as the members' (up to GROUP_SIZE), of a pool; None if it is too small for groups that differ."""
    size = min(len(members), GROUP_SIZE)
    return NullGroups(pool, size, bench.config.verdict.null_groups, rng) if len(pool) >= 2 * size else None


def _wording(bench: _Bench, members: Ints, groups: NullGroups | None) -> tuple[object, ...]:
    """How alike the mixes of recurring wording are, on prompts that formed nothing: draws from one pool are exchangeable, strangers who share a source are not."""
    name = ("held_out_wording", "templates", "coordination")
    return _cosines(bench, name, bench.wording, members, groups) or _not_run(*name, "no recurring wording, or too few accounts of the same manner to compare with")


def _topic(bench: _Bench, members: Ints, groups: NullGroups | None) -> tuple[object, ...]:
    """How alike the words are that members use, on prompts that formed nothing: one operator deals one pool of work, strangers each have something of their own."""
    name = ("held_out_topic", "topic", "coordination")
    return _cosines(bench, name, bench.topics, members, groups) or _not_run(*name, "no words of prompts are known, or too few accounts of the same manner to compare with")


def _cosines(bench: _Bench, name: tuple[str, str, str], rows: SparseRows, members: Ints, groups: NullGroups | None) -> tuple[object, ...] | None:
    """Mean cosine of the members' rows against that of random groups; None if there is nothing to compare."""
    if groups is None or rows.nnz == 0:
        return None
    observed = round(float(mean_cosine_sparse(rows, members[None, :])[0]), 6)
    return _ran(*name, observed, "cosine", null_of(observed, groups, lambda asked: mean_cosine_sparse(rows, asked)), len(members), ALIKE)


def _handoff(bench: _Bench, members: Ints, groups: NullGroups | None) -> tuple[object, ...]:
    """How many pairs of members went on with each other's conversations or sent one prompt at once, of conversations and prompts that formed nothing."""
    if groups is None or bench.couplings[members].nnz == 0:
        return _not_run(
            "held_out_handoff",
            "handoff",
            "coordination",
            "nothing of theirs was handed on or sent at once, or too few accounts of the same manner to compare with",
        )
    observed = round(float(tied_share_sparse(bench.couplings, members[None, :])[0]), 6)
    null = null_of(observed, groups, lambda asked: tied_share_sparse(bench.couplings, asked))
    return _ran("held_out_handoff", "handoff", "coordination", observed, "share of pairs", null, len(members), ALIKE)


def _shared_days(bench: _Bench, members: Ints, groups: NullGroups | None) -> tuple[object, ...]:
    """How alike the days are on which members are busier than usual."""
    if groups is None or bench.days.shape[1] == 0:
        return _not_run("shared_days", "timing", "coordination", f"needs {MIN_DAYS} days and enough accounts of the same manner")
    observed = round(float(mean_cosine(bench.days, members[None, :])[0]), 6)
    null = null_of(observed, groups, lambda asked: mean_cosine(bench.days, asked))
    return _ran("shared_days", "timing", "coordination", observed, "cosine", null, len(members), ALIKE)


def _extraction(bench: _Bench, members: Ints, groups: NullGroups | None) -> tuple[object, ...]:
    """Share of held-out prompts that are templated and drew a long answer, of the median member.

    Strangers' traffic that a pool carries dilutes the share of every member and leaves the median rare; a few harvesters among others do not lift it.
    """
    documents = int(bench.views.document_count[members].sum())
    if groups is None or documents == 0:
        return _not_run("harvest_share", "extraction", "extraction", "no sampled prompts, or too few accounts of the same volume to compare with")
    observed = round(float(np.median(bench.views.harvest_share[members])), 6)
    null = null_of(observed, groups, lambda asked: np.median(bench.views.harvest_share[asked], axis=1))
    return _ran("harvest_share", "extraction", "extraction", observed, "share", null, documents, ORDINARY)


def _pooled(bench: _Bench, members: Ints, own: tuple[object, ...], rng: np.random.Generator) -> tuple[Pooled | None, tuple[object, ...]]:
    """The same with wording that the members have in common, where that of their own does not show extraction. In: the row of that test. Out: what was found, and the row."""
    name, verdict = ("pooled_harvest_share", "extraction", "extraction"), bench.config.verdict
    observed, p_value = own[3], own[6]
    if isinstance(observed, float) and isinstance(p_value, float) and observed >= verdict.min_harvest_share and tail_bits(p_value) >= verdict.min_extraction_bits:
        return None, _not_run(*name, "the members' own recurring wording shows extraction already")
    size = min(len(members), GROUP_SIZE)
    pool = compared_in_wording(bench, members, np.flatnonzero(bench.pool.place >= 0))
    groups = NullGroups(pool, size, POOL_GROUPS, rng) if len(pool) >= 2 * size else None
    found = pooled(bench.pool, members, groups, verdict.min_boilerplate_documents)
    if not len(found.null):
        return None, _not_run(*name, "too few prompts carry wording that members have in common, or too few accounts of the same volume to compare with")
    return found, _ran(*name, found.share, "share", found.null, len(found.common.documents), ORDINARY)


def _described(bench: _Bench, members: Ints, rng: np.random.Generator) -> list[tuple[object, ...]]:
    """How the members' templated prompts are sent, against those of accounts of the same volume that send such prompts, too; where most members do."""
    sending, pool = _senders(bench, members)
    size = min(len(sending), GROUP_SIZE)
    enough = 2 * len(sending) >= max(len(members), 2 * bench.config.networks.min_accounts) and len(pool) >= 2 * size
    groups = NullGroups(pool, size, DESCRIBED_GROUPS, rng) if enough else None
    ran = {one.test: _ran(one.test, "extraction", DESCRIBES, one.observed, one.unit, one.null, one.sample, SENDERS) for one in describe(bench.shape, sending, groups)}
    why = "messages are not counted in this log" if ran else "too few members, or too few accounts of the same volume outside, send templated prompts"
    return [ran.get(test) or _not_run(test, "extraction", DESCRIBES, why) for test in SHAPES]


def _ran(test: str, family: str, supports: str, observed: float, unit: str, null: Floats, sample: int, model: str) -> tuple[object, ...]:
    p_value = round(permutation_p(observed, null), 6)
    return (test, family, supports, observed, unit, round(math.fsum(null) / len(null), 6), p_value, len(null), sample, model, "ran", "")


def _not_run(test: str, family: str, supports: str, reason: str) -> tuple[object, ...]:
    return (test, family, supports, None, "", None, None, 0, 0, "", "not_run", reason)
