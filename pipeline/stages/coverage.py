"""Stage 57: what each cluster shares, by family, and whether a specific fact may admit it to an accusation.

A value qualifies when two or more entities of the cluster hold it, most of its holders are in the cluster and few are outside
(counted without the cluster, so that a large network does not make its own facts look common). Coverage is the share of the
cluster's entities that hold a qualifying value. One shared card is a fact about two accounts, not about a group: the gate
also asks for a value with several holders, or several values; and hand-offs cover only what one web of them joins. An id that a
program has hard-coded gives itself away on the third day: where a log has no third one, hand-offs need several ids, whoever holds them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config, VerdictConfig
from pipeline.kinds import CLASS_OF_FAMILY, FAMILIES, kinds
from pipeline.measures.graph import components
from pipeline.measures.groups import Neighbours, draw_groups, draw_pairs, others, pool_size
from pipeline.measures.nulls import percentile_of
from pipeline.stages.coupling import COUPLINGS
from pipeline.stages.evidence_views import account_views
from pipeline.stages.frames import Parts, within
from pipeline.stages.population import Population, population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CONTROL_GROUPS = 99
CONTROL_PAIRS = 60
MEMBER_PAIRS = 400
TELLING_DAYS = 3
"""Days of a log on which a hard-coded id comes back (38_handoffs)."""
DAY_US = 86_400_000_000

VALUES = {"cluster": pl.Int64, "kind": pl.String, "value_key": pl.Int64, "inside_count": pl.Int64, "df": pl.Int64, "qualifies": pl.Boolean}
FAMILY_ROWS = {
    "cluster": pl.Int64,
    "family": pl.String,
    "evidence_class": pl.String,
    "median_bits": pl.Float64,
    "coverage_share": pl.Float64,
    "linked_pair_share": pl.Float64,
    "control_percentile": pl.Float64,
    "control_count": pl.Int64,
    "kinds": pl.String,
    "admitted": pl.Boolean,
}


def coverage(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Families of each cluster, and the values it shares (of small groups only these).

    Reads clusters, shared_values, kinds, account_records, features, boilerplate, sample_totals. Empty: empty tables.
    """
    people = population(inputs)
    manner = Neighbours(account_views(inputs, people, config).manner)
    groups = inputs["clusters"].filter(pl.col("origin") == "network").sort("cluster", "account_key")
    listed = inputs["clusters"].filter(pl.col("origin") != "vouched")
    values = shared_inside(listed, inputs["shared_values"], _customers(inputs["account_records"]), people, config.verdict)
    facts = values.filter("qualifies")
    held = Parts({}, {"held": _held(inputs["shared_values"], facts, groups)})
    several = () if _days(inputs["features"]) >= TELLING_DAYS else ("handoff",)
    rows = []
    for (cluster,), members in groups.group_by("cluster", maintain_order=True):
        positions = people.positions(members["account_key"])
        covered = _coverage(held.of(int(str(cluster)))["held"])
        admitted = frozenset(family for family in FAMILIES if _admitted(covered.filter(pl.col("family") == family), len(np.unique(people.entity[positions])), several, config))
        rows += _families(int(str(cluster)), positions, covered, admitted, people, manner, config)
    table = pl.DataFrame(rows, schema=FAMILY_ROWS, orient="row").sort("cluster", "family")
    return {"cluster_families": table, "cluster_values": values}


def _customers(records: pl.DataFrame) -> pl.DataFrame:
    """Each account with the customer that it declares: its organisation, else itself."""
    return records.select("account_key", pl.coalesce("organization_key", "account_key").alias("customer"))


def shared_inside(groups: pl.DataFrame, values: pl.DataFrame, customers: pl.DataFrame, people: Population, config: VerdictConfig) -> pl.DataFrame:
    """Values that two or more entities of one cluster hold, with holders inside (inside_count) and in all (df).

    What only the colleagues of one declared organisation share is a fact about that organisation, not about the cluster: it does not qualify.
    """
    held = groups.select("cluster", "account_key").join(values, on="account_key").join(customers, on="account_key")
    holders = pl.col("entity_key").n_unique().cast(pl.Int64).alias("inside_count")
    inside = held.group_by("cluster", "kind", "value_key").agg(holders, pl.col("df").first(), pl.col("customer").n_unique().alias("customers"))
    outside = pl.col("df") - pl.col("inside_count")
    rare = outside <= config.gate_max_outside_share * people.entity_total
    mostly = pl.col("inside_count") >= config.gate_in_share * pl.col("df")
    several = pl.col("customers") >= 2
    shared = inside.filter(pl.col("inside_count") >= 2).with_columns((rare & mostly & several).alias("qualifies"))
    return shared.select(list(VALUES)).cast({"df": pl.Int64}).sort("cluster", "kind", "value_key")


def _held(values: pl.DataFrame, facts: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Rows of shared_values of the members of each cluster with a value that qualifies there, with the cluster and inside_count."""
    qualifying = facts.select("cluster", "kind", "value_key", "inside_count")
    return within(values.join(qualifying, on=["kind", "value_key"], how="semi"), groups).join(qualifying, on=["cluster", "kind", "value_key"], maintain_order="left")


def _coverage(held: pl.DataFrame) -> pl.DataFrame:
    """Per kind: holders (set of entities) of a qualifying value, the largest block and the number of values. In: the rows of `_held` of one cluster."""
    couples = pl.col("kind").is_in(COUPLINGS)
    held = pl.concat([held.filter(~couples), _largest_web(held.filter(couples))])
    return held.group_by("kind", "family").agg(
        pl.col("entity_key").unique().alias("holders"), pl.col("inside_count").max().alias("largest"), pl.col("value_key").n_unique().alias("values")
    )


def _largest_web(held: pl.DataFrame) -> pl.DataFrame:
    """Of holders of what couples accounts those that belong to the largest web: some pairs that change places are no pool, however many of them a group has."""
    if not held.height:
        return held
    account, value = (held[name].rank("dense").to_numpy().astype(np.int64) - 1 for name in ("account_key", "value_key"))
    count = int(account.max()) + 1
    label = components(count + int(value.max()) + 1, account, count + value)[:count]
    names, sizes = np.unique(label, return_counts=True)
    return held.filter(pl.Series(label[account] == names[sizes.argmax()]))


def _families(cluster: int, members: Ints, covered: pl.DataFrame, admitted: frozenset[str], people: Population, manner: Neighbours, config: Config) -> list[tuple[object, ...]]:
    rng = np.random.default_rng([config.networks.seed, int(people.keys[members[0]]), len(members)])
    entities = len(np.unique(people.entity[members]))
    i, j = draw_pairs(len(members), MEMBER_PAIRS, rng)
    by_family, by_kind = people.scorer.by_family(members[i], members[j]), people.scorer.by_kind(members[i], members[j]).mean(axis=0)
    null = _control_medians(members, people, manner, config, rng)
    rows: list[tuple[object, ...]] = []
    for number, family in enumerate(FAMILIES):
        blocks = covered.filter(pl.col("family") == family)
        median = round(float(np.median(by_family[:, number])), 6)
        names = sorted((k for k in kinds(config.links) if k.family == family), key=lambda k: -by_kind[people.scorer.kind_names.index(k.kind)])
        seen = ",".join(k.kind for k in names if by_kind[people.scorer.kind_names.index(k.kind)] > 0)
        share = _share(blocks, entities)
        linked = round(float((by_family[:, number] > 0).mean()), 6)
        percentile = round(percentile_of(median, np.round(null[:, number], 6)), 2)
        rows.append((cluster, family, CLASS_OF_FAMILY[family], median, share, linked, percentile, len(null), seen, family in admitted))
    return rows


def _days(features: pl.DataFrame) -> int:
    """UTC days from the first request of the window to the last, both included; 0 without requests."""
    days = [features["first_us"].min(), features["last_us"].max()]
    return 0 if None in days else int(days[1] // DAY_US - days[0] // DAY_US + 1)  # type: ignore[operator]  # polars types min as any


def _share(blocks: pl.DataFrame, entities: int) -> float:
    holders = blocks["holders"].explode().n_unique() if blocks.height else 0
    return round(holders / entities, 6)


def _admitted(blocks: pl.DataFrame, entities: int, several: tuple[str, ...], config: Config) -> bool:
    """Whether kinds that open the gate cover enough, by a value of several holders (of kinds in `several` that does not do) or by several values."""
    gate = blocks.filter(pl.col("kind").is_in([kind.kind for kind in kinds(config.links) if kind.is_gate]))
    if not gate.height or _share(gate, entities) < config.verdict.gate_coverage_share:
        return False
    blocks_of_one = gate.filter(~pl.col("kind").is_in(several))["largest"]
    return int(blocks_of_one.max() or 0) >= config.verdict.gate_min_values or int(gate["values"].sum()) >= config.verdict.gate_min_values  # type: ignore[arg-type]  # polars types max as any


def _control_medians(members: Ints, people: Population, manner: Neighbours, config: Config, rng: np.random.Generator) -> Floats:
    """Median bits by family in random groups of accounts of the same manner. Out: (groups, families); no rows if too few accounts."""
    size = min(len(members), 24)
    pool = manner.nearest(members, others(len(manner.columns), members), pool_size(len(members)))
    if len(pool) < max(config.pages.control_minimum, 2 * size):
        return np.zeros((0, len(FAMILIES)))
    groups = draw_groups(pool, size, CONTROL_GROUPS, rng)
    i, j = draw_pairs(size, CONTROL_PAIRS, rng)
    bits = people.scorer.by_family(groups[:, i].ravel(), groups[:, j].ravel())
    return np.median(bits.reshape(CONTROL_GROUPS, len(i), -1), axis=1)
