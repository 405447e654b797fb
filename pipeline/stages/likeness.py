"""Stage 56: how alike pairs are that share a value or a network, by topic, behaviour and timing: links that explain and never accuse.

Each family holds a figure of the pair against random pairs of strangers of the log: accounts outside every cluster, of different entities and organisations, of
the same manners (script users against script users) and with samples of about the same size. Clusters were formed before and without these bits, so
their members can be left out of the null, which a large campaign would otherwise fill. No bits for pairs outside the tail, unlike ones among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.kinds import likeness_caps
from pipeline.measures.groups import draw_groups, draw_pairs, pool_size
from pipeline.measures.nulls import percentile_of
from pipeline.measures.numbering import distinct
from pipeline.measures.tails import Null, null_of
from pipeline.stages.coverage import CONTROL_GROUPS, CONTROL_PAIRS, MEMBER_PAIRS
from pipeline.stages.frames import conform
from pipeline.stages.likeness_signals import Signal, signals
from pipeline.stages.population import SAMPLE, entities_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CONTROL_SIZE = 24


@dataclass(frozen=True)
class _Family:
    """One family ready to score any pair of positions."""

    signal: Signal
    null: Null
    cap: float
    least: float

    def bits(self, a: Ints, b: Ints) -> Floats:
        """Bits of each pair, capped; 0 below the least."""
        bits, stratum = np.zeros(len(a)), self.signal.strata.of(a, b)
        compared = np.flatnonzero(stratum >= 0)
        found = self.null.bits(stratum[compared], self.signal.figure(a[compared], b[compared]))
        bits[compared] = np.where(found >= self.least, np.minimum(found, self.cap), 0.0)
        return bits


def likeness(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Bits of likeness of every pair of pair_links and of members of one network, and of each network beside random groups of the same manner.

    Reads pair_links, clusters, account_records, features, account_words, sample_totals, prompt_preambles, boilerplate, hourly_requests. Empty: empty tables.
    """
    records = inputs["account_records"].sort("account_key")
    keys = records["account_key"].to_numpy().astype(np.int64)
    groups = [np.searchsorted(keys, part["account_key"].to_numpy()) for part in _networks(inputs["clusters"])]
    names = [int(part["cluster"][0]) for part in _networks(inputs["clusters"])]
    found = families(inputs, records, keys, config)
    a, b = _pairs(inputs["pair_links"], groups, keys, config)
    free = _free(inputs["clusters"], keys)
    rows = [row for name, members in zip(names, groups, strict=True) for row in _of_network(name, members, found, free, keys, config)]
    links = pl.concat([conform(pl.DataFrame(), schema.PAIR_LIKENESS), *(_links(family, a, b, keys) for family in found)])
    return {
        "pair_likeness": conform(links, schema.PAIR_LIKENESS),
        "cluster_likeness": conform(pl.DataFrame(rows, schema=_COLUMNS, orient="row") if rows else pl.DataFrame(), schema.CLUSTER_LIKENESS),
    }


_COLUMNS = tuple(column.name for column in schema.CLUSTER_LIKENESS.columns)


def _networks(clusters: pl.DataFrame) -> Iterator[pl.DataFrame]:
    rows = clusters.filter(pl.col("origin") == "network").sort("cluster", "account_key")
    yield from rows.partition_by("cluster", maintain_order=True)


def families(inputs: Mapping[str, pl.DataFrame], records: pl.DataFrame, keys: Ints, config: Config) -> list[_Family]:
    """The families that are on, each with its null. In: as likeness; account_records sorted by key, and the keys."""
    caps, strangers, free = likeness_caps(config.links), _strangers(records), _free(inputs["clusters"], keys)
    found = []
    for number, signal in enumerate(signals(inputs, keys, config)):
        if caps[signal.family] > 0:
            null = null_of(signal.strata, signal.figure, free, strangers, config.links.likeness_null_pairs, config.networks.seed + number)
            found.append(_Family(signal, null, caps[signal.family], config.links.likeness_min_bits))
    return found


def _free(clusters: pl.DataFrame, keys: Ints) -> NDArray[np.bool_]:
    """Which accounts are in no cluster."""
    found = np.ones(len(keys), dtype=np.bool_)
    found[np.searchsorted(keys, clusters["account_key"].to_numpy())] = False
    return found


def _strangers(records: pl.DataFrame) -> Callable[[Ints, Ints], NDArray[np.bool_]]:
    """Whether pairs of positions are of two entities and two declared organisations."""
    entity = entities_of(records)
    organisation = np.where(records["organization_key"].is_not_null().to_numpy(), records["organization_key"].fill_null(0).to_numpy(), -1 - np.arange(records.height))
    return lambda a, b: (entity[a] != entity[b]) & (organisation[a] != organisation[b])


def _pairs(links: pl.DataFrame, groups: list[Ints], keys: Ints, config: Config) -> tuple[Ints, Ints]:
    """Every pair of pair_links, and the pairs of members of a network: all of them, in one of more than `dense_accounts` some partners of each member."""
    a, b = [np.searchsorted(keys, links["account_a"].to_numpy())], [np.searchsorted(keys, links["account_b"].to_numpy())]
    for members in groups:
        i, j = np.triu_indices(len(members), k=1)
        if len(members) > config.networks.dense_accounts:
            i = np.repeat(np.arange(len(members)), SAMPLE)
            j = (i + np.random.default_rng([config.networks.seed, len(members)]).integers(1, len(members), len(i))) % len(members)
        a.append(members[i])
        b.append(members[j])
    first, second = np.concatenate(a).astype(np.int64), np.concatenate(b).astype(np.int64)
    code = distinct(np.minimum(first, second) * len(keys) + np.maximum(first, second))
    return code // max(1, len(keys)), code % max(1, len(keys))


def _links(family: _Family, a: Ints, b: Ints, keys: Ints) -> pl.DataFrame:
    """Rows of pair_likeness of one family."""
    bits = family.bits(a, b)
    own = bits > 0
    a, b = a[own], b[own]
    name = pl.lit(family.signal.family)
    table = pl.DataFrame({"account_a": keys[a], "account_b": keys[b], "bits": bits[own], "support": family.signal.support(a, b)})
    return conform(table.with_columns(name.alias("kind"), name.alias("family")), schema.PAIR_LIKENESS)


def _of_network(name: int, members: Ints, found: list[_Family], free: NDArray[np.bool_], keys: Ints, config: Config) -> Iterator[tuple[object, ...]]:
    """Rows of cluster_likeness of one network: cluster, family, class, median bits, coverage, linked share, percentile, control groups, kinds, admitted."""
    for family in found:
        rng = np.random.default_rng([config.networks.seed, int(keys[members[0]]), len(members)])
        i, j = draw_pairs(len(members), MEMBER_PAIRS, rng)
        bits = family.bits(members[i], members[j])
        median, linked = round(float(np.median(bits)), 6), round(float((bits > 0).mean()), 6)
        null = _control_medians(family, members, free, config.pages.control_minimum, rng)
        kind = family.signal.family
        yield name, kind, "likeness", median, 0.0, linked, round(percentile_of(median, null), 2), len(null), kind if linked > 0 else "", False


def _control_medians(family: _Family, members: Ints, free: NDArray[np.bool_], least: int, rng: np.random.Generator) -> Floats:
    """Median bits in random groups of accounts outside every cluster that work in the manner of most members. Out: (groups,); none if they are too few."""
    strata, size = family.signal.strata, min(len(members), CONTROL_SIZE)
    usual = int(np.bincount(strata.manner[members]).argmax())
    pool = np.flatnonzero(free & (strata.manner == usual) & (strata.size >= strata.edges[0]))
    if len(pool) < max(least, 2 * size):
        return np.zeros(0)
    pool = np.sort(rng.choice(pool, min(len(pool), pool_size(len(members))), replace=False))
    groups = draw_groups(pool, size, CONTROL_GROUPS, rng)
    i, j = draw_pairs(size, CONTROL_PAIRS, rng)
    bits = family.bits(groups[:, i].ravel(), groups[:, j].ravel())
    return np.median(bits.reshape(CONTROL_GROUPS, len(i)), axis=1)
