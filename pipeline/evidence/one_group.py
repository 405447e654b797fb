"""Is one list of accounts one network? Every test of a run on a group that a person chose; nothing is clustered.

The stages of the run itself are called with the group as the only cluster that is judged: what it shares and whether a gate family admits it (57), held-out tests
against random groups (60), innocent explanations (61, 62), operational tests (63), the verdict (65); on request also what decides nothing and takes the whole log: likeness (56),
whether work is dealt out (of 63), and what the verdict hangs on (67). Accounts of the run's networks stay out of the background as they did in the run. A run judges many
candidates and corrects for that; one group that was asked for is one question, so its q-value is its p-value. Nobody may read that as a network found: if the list was chosen by
what its accounts write or when they work, the tests on wording, topics and days repeat the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline import schema
from pipeline.errors import UsageError
from pipeline.evidence.group_stages import described, judged
from pipeline.evidence.workings import Workings
from pipeline.stages.frames import conform
from pipeline.stages.population import Population, median_bits, population

GROUP, REST = 0, 1
"""Numbers of the two clusters: the group, and whoever else is in a network of the run."""


@dataclass(frozen=True)
class Member:
    """An account of the group."""

    account_id: str
    bits: float
    """median bits to the others of the group"""
    is_named: bool
    """whether a run would name it as a member; of a group that is not referred all are"""
    run_network_id: str | None
    """the network of the run that it is in"""


@dataclass(frozen=True)
class GroupTest:
    """What the group amounts to."""

    verdict: Mapping[str, Any]
    """tier, reason, bits and p-value: a row of `networks` without its id"""
    members: tuple[Member, ...]
    """by bits, most first"""
    families: tuple[Mapping[str, Any], ...]
    tests: tuple[Mapping[str, Any], ...]
    """of coordination and of extraction; also those that could not be run, with the reason"""
    alternatives: tuple[Mapping[str, Any], ...]
    """innocent explanations, best first: whether each applies, and what it leaves unexplained in bits"""
    without: tuple[Mapping[str, Any], ...]
    """the verdict without each family, if the tier is refer and it was asked for"""
    is_full: bool
    """whether likeness of pairs, the test of dealt-out work and `without` are there, which decide nothing"""
    edge_bits: float
    """bits from which a pair is an edge in this log"""


def judge_group(workings: Workings, keys: Sequence[int], *, is_full: bool = False) -> GroupTest:
    """In: account_keys of the group, each of the run; whether to ask for what decides nothing as well. Raises UsageError for fewer than two."""
    if len(set(keys)) < 2:
        raise UsageError("a group takes two accounts of the window at least. Give more of them.")
    people = population(workings.frames(("account_records", "kinds")) | {"shared_values": workings.among("shared_values", "account_key", keys)})
    group = _group(workings, people, sorted(set(keys)))
    homes = workings.frame("members").select("account_id", pl.col("network_id").alias("run_network_id"))
    rest = _rest(workings, group)
    made = judged(workings, people, group, rest)
    if is_full:
        made |= described(workings, made, rest)
    return GroupTest(
        verdict={name: value for name, value in made["networks"].row(0, named=True).items() if name not in ("network_id", "flagged")},
        members=_members(group, people, made["members"], homes),
        families=_rows(made["network_families"]),
        tests=_rows(made["network_tests"].filter(pl.col("family") != "alternative")),
        alternatives=_rows(made["network_tests"].filter(pl.col("family") == "alternative").sort("status", "statistic", "test", descending=[True, False, False])),
        without=_rows(made["network_ablations"]) if is_full else (),
        is_full=is_full,
        edge_bits=round(people.edge_bits(workings.config.networks), 6),
    )


def _group(workings: Workings, people: Population, keys: Sequence[int]) -> pl.DataFrame:
    """The group as rows of `clusters`, with each account's median bits to the others."""
    members = people.positions(pl.Series(keys, dtype=pl.Int64))
    bits = np.round(median_bits(people, members, members, workings.config.networks.seed), 6)
    origin = "network" if len(members) >= workings.config.networks.min_accounts else "small"
    return _clusters(GROUP, people.keys[members].tolist(), origin, bits.tolist())


def _rest(workings: Workings, group: pl.DataFrame) -> pl.DataFrame:
    """Whoever is in a network of the run and not in the group, as one cluster, so that the background is the run's."""
    others = workings.frame("clusters").filter(pl.col("origin") == "network").join(group, on="account_key", how="anti")["account_key"].unique().sort().to_list()
    return _clusters(REST, others, "network", [0.0] * len(others))


def _clusters(number: int, keys: Sequence[int], origin: str, bits: Sequence[float]) -> pl.DataFrame:
    rows = {"cluster": [number] * len(keys), "account_key": keys, "origin": [origin] * len(keys), "bits": bits}
    return conform(pl.DataFrame(rows, schema_overrides={"account_key": pl.Int64}), schema.CLUSTERS)


def _members(group: pl.DataFrame, people: Population, named: pl.DataFrame, homes: pl.DataFrame) -> tuple[Member, ...]:
    ids = pl.Series("account_id", [people.ids[position] for position in people.positions(group["account_key"])])
    rows = group.select(ids, "bits").join(homes, on="account_id", how="left").sort("bits", "account_id", descending=[True, False])
    kept = set(named["account_id"].to_list())
    return tuple(Member(name, bits, name in kept, network) for name, bits, network in rows.iter_rows())


def _rows(frame: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    return tuple(frame.drop("network_id").iter_rows(named=True))
