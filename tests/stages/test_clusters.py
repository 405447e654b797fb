"""Clusters: planted groups are found whole and apart, small and vouched groups are kept, nobody is counted twice."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.stages.population import _medians
from tests.stages.builders import CONFIG, Frames, empty, frame, key, kind_table, python_stage, stage_named

STAGE = stage_named("pipeline.stages.clusters:clusters")
KINDS = kind_table(CONFIG.links)
CAP = dict(KINDS.select("kind", pl.col("cap_micro_bits") // 1_000_000).iter_rows())
FAMILY = dict(KINDS.select("kind", "family").iter_rows())


def _world(population: int, blocks: list[tuple[list[int], list[str]]], organizations: dict[int, int] | None = None) -> Frames:
    """Accounts 0 and on; in each block every account shares one value of each named kind, worth the kind's cap. Several shingles stand for a template."""
    owner = organizations or {}
    records = [
        {"account_key": key(n), "account_id": f"a{n:03d}", "is_vouched": n in owner, "organization_key": key("organization", owner[n]) if n in owner else None}
        for n in range(population)
    ]
    entity = {n: key("organization", owner[n]) if n in owner else key(n) for n in range(population)}
    values = []
    for number, (members, kinds) in enumerate(blocks):
        for kind, place in itertools.product(kinds, range(CONFIG.links.template_min_shingles)):
            if place == 0 or kind == "template":
                common = {"kind": kind, "value_key": key(kind, number, place), "family": FAMILY[kind], "share": 1.0, "df": len({entity[n] for n in members})}
                values += [{**common, "account_key": key(n), "entity_key": entity[n], "rarity_micro_bits": CAP[kind] * 1_000_000} for n in members]
    links = [
        {
            "account_a": min(key(a), key(b)),
            "account_b": max(key(a), key(b)),
            "kind": kind,
            "family": FAMILY[kind],
            "bits": float(CAP[kind]),
            "support": 1,
            "df": 2,
            "value_key": number,
        }
        for number, (members, kinds) in enumerate(blocks)
        for a, b in itertools.combinations(members, 2)
        for kind in kinds
        if entity[a] != entity[b]
    ]
    return {"account_records": frame("account_records", records), "kinds": KINDS, "shared_values": frame("shared_values", values), "pair_links": frame("pair_links", links)}


def _clusters(given: Frames, config: Config = CONFIG) -> list[tuple[str, list[int]]]:
    """Origin and members (numbers) of each cluster."""
    tables = {name: given.get(name, empty(name) if name != "kinds" else KINDS) for name in STAGE.reads}
    found = python_stage(STAGE, tables, config)["clusters"].join(given["account_records"].select("account_key", "account_id"), on="account_key")
    return [(rows["origin"][0], sorted(int(name[1:]) for name in rows["account_id"])) for _, rows in found.sort("cluster").group_by("cluster", maintain_order=True)]


def test_two_operators_are_two_clusters() -> None:
    found = _clusters(_world(60, [(list(range(8)), ["payment", "template"]), (list(range(20, 32)), ["payment", "template"])]))
    assert found == [("network", list(range(20, 32))), ("network", list(range(8)))]


def test_two_operators_who_share_one_public_habit_stay_apart() -> None:
    one, other = list(range(8)), list(range(20, 30))
    found = _clusters(_world(60, [(one, ["payment", "stack", "ip"]), (other, ["payment", "stack", "ip"]), ([*one, *other], ["template"])]))
    assert found == [("network", other), ("network", one)]


def test_one_family_makes_no_network_however_many_bits() -> None:
    assert CAP["payment"] > math.log2(40) + CONFIG.networks.edge_margin_bits
    assert _clusters(_world(40, [(list(range(5)), ["payment"])])) == [("one_fact", list(range(5)))]
    assert _clusters(_world(40, [(list(range(9)), ["template"])])) == []


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("kind", ["payment", "device"])
def test_two_to_four_accounts_that_share_a_specific_fact_are_kept_as_small(count: int, kind: str) -> None:
    assert _clusters(_world(40, [(list(range(count)), [kind])])) == [("small", list(range(count)))]


def test_a_household_with_likeness_only_is_no_group() -> None:
    assert _clusters(_world(40, [([1, 2, 3], ["template", "stack"])])) == []


def test_accounts_of_a_vouched_organisation_are_kept_as_one_cluster() -> None:
    assert _clusters(_world(40, [], dict.fromkeys(range(6), 1))) == [("vouched", list(range(6)))]


def test_an_account_outside_stays_outside_a_network_that_it_touches_once() -> None:
    given = _world(60, [(list(range(10)), ["payment", "template", "ip"]), ([0, 30], ["payment", "ip"])])
    assert ("network", list(range(10))) in _clusters(given)


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([(list(range(6)), ["payment", "template"]), ([5, 9], ["payment"])], id="a member shares a card with an outsider"),
        pytest.param([([0, 30], ["payment", "device"])], id="an employee shares a card with a private account"),
        pytest.param([([0, 30, 31, 32, 33], ["payment", "template", "device"])], id="an employee is in a network"),
    ],
)
def test_no_account_is_in_two_clusters(blocks: list[tuple[list[int], list[str]]]) -> None:
    found = _clusters(_world(60, blocks, dict.fromkeys([0, 40, 41, 42, 43, 44], 1)))
    members = [member for _, group in found for member in group]
    assert len(members) == len(set(members))
    assert {0, 40} <= set(members)


@pytest.mark.parametrize("dense_accounts", [400, 50])
def test_a_community_too_large_to_compare_pair_by_pair_is_cut_as_a_small_one_is(dense_accounts: int) -> None:
    one, other = list(range(70)), list(range(100, 160))
    blocks = [(one, ["payment", "template", "ip"]), (other, ["payment", "template", "ip"]), ([*one[:3], *other[:3]], ["device", "stack"])]
    config = dataclasses.replace(CONFIG, networks=dataclasses.replace(CONFIG.networks, dense_accounts=dense_accounts))
    assert _clusters(_world(200, blocks), config) == [("network", one), ("network", other)]


@pytest.mark.parametrize("others", [0, 1, 6])
def test_a_network_is_the_same_whatever_other_networks_the_log_holds(others: int) -> None:
    operator = list(range(16))
    cards = [(operator[start : start + 4], ["payment"]) for start in range(0, 16, 4)]
    rest = [(list(range(start, start + 8)), ["payment", "template"]) for start in range(100, 100 + 10 * others, 10)]
    found = _clusters(_world(200, [(operator, ["template", "ip"]), *cards, *rest]))
    assert ("network", operator) in found
    assert len(found) == 1 + others


@given(st.integers(0, 6), st.integers(1, 9), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_medians_leave_out_what_is_not_known(count: int, width: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = np.round(draw.random((count, width)) * 30, 6)
    rows[draw.random((count, width)) < 0.3] = np.nan
    rows[:, 0] = np.nan_to_num(rows[:, 0])
    assert np.array_equal(_medians(rows), np.nanmedian(rows, axis=1))
