"""Grouping the accounts that bear on some gives these accounts the groups that grouping everybody gives them: on logs of random blocks, at any edge."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.evidence.neighbourhood import around
from pipeline.stages.clusters import clusters, grouped, joining_clients
from pipeline.stages.population import population
from tests.stages.builders import CONFIG, Frames
from tests.stages.test_clusters import _world
from tests.stages.test_pools_and_handfuls import CLIENT, Blocks, _writing

COUNT = 90
SPANS = st.tuples(st.integers(0, COUNT - 1), st.integers(2, 12)).map(lambda span: [(span[0] + step) % COUNT for step in range(span[1])])
KINDS = st.lists(st.sampled_from(["payment", "device", "ip", "template", "template", "template", "handoff"]), min_size=1, max_size=3)
BLOCKS = st.lists(st.tuples(SPANS, KINDS), min_size=1, max_size=9)
WORDED = st.lists(SPANS, max_size=2).map(lambda groups: [(members, ["template"] * 3) for members in groups for _ in range(3)])


def _moved(more_bits: float) -> Config:
    return dataclasses.replace(CONFIG, networks=dataclasses.replace(CONFIG.networks, edge_margin_bits=CONFIG.networks.edge_margin_bits + more_bits))


def _holding(table: pl.DataFrame, keys: list[int]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Groups with one of the accounts: origin, and accounts with their bits; in the order of their numbers."""
    groups = table.sort("cluster", "account_key").partition_by("cluster", maintain_order=True)
    own = [rows for rows in groups if set(rows["account_key"]) & set(keys)]
    return [(rows["origin"][0], list(zip(rows["account_key"].to_list(), rows["bits"].to_list(), strict=True))) for rows in own]


def _check(world: Frames, more_bits: float) -> None:
    config = _moved(more_bits)
    whole = clusters(world, config)["clusters"]
    people = population(world)
    clients = joining_clients(world, people, config.networks)
    groups = [part["account_key"].to_list() for part in whole.partition_by("cluster", maintain_order=True)]
    for keys in [*groups, people.keys[:3].tolist()]:
        near, there = around(people.positions(pl.Series(keys)), world, clients, people, people.edge_bits(config.networks), config)
        event("cut" if near["pair_links"].height < world["pair_links"].height else "whole")
        assert _holding(grouped(near, clients, there, config), keys) == _holding(whole, keys)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, WORDED, st.sampled_from([-20.0, -4.0, 0.0, 6.0]), st.dictionaries(st.integers(0, COUNT - 1), st.integers(1, 3), max_size=20))
def test_who_is_reached_is_grouped_as_in_the_whole_log(blocks: Blocks, worded: Blocks, more_bits: float, vouched: dict[int, int]) -> None:
    _check(_world(COUNT, [*blocks, *worded], vouched), more_bits)


@settings(max_examples=10, deadline=None)
@given(BLOCKS, st.booleans())
def test_so_with_a_client_that_puts_accounts_together(blocks: Blocks, is_alike: bool) -> None:
    _check(_writing(_world(COUNT, [*blocks, (CLIENT, ["rewritten_client"])]), CLIENT if is_alike else [], COUNT), 0.0)


def test_a_log_apart_is_left_out() -> None:
    one, other = list(range(8)), list(range(30, 38))
    world = _world(COUNT, [(one, ["payment", "template"]), (other, ["device", "template"])])
    people = population(world)
    keys = clusters(world, CONFIG)["clusters"].filter(pl.col("cluster") == 0)["account_key"]
    near, _ = around(people.positions(keys), world, [], people, people.edge_bits(CONFIG.networks), CONFIG)
    assert near["pair_links"].height == world["pair_links"].height // 2 > 0
    assert set(near["shared_values"]["account_key"]) == set(keys)


def test_nobody_named_reaches_nobody() -> None:
    world = _world(COUNT, [(list(range(8)), ["payment", "template"])])
    people = population(world)
    near, _ = around(np.empty(0, dtype=np.int64), world, [], people, people.edge_bits(CONFIG.networks), CONFIG)
    assert near["pair_links"].height == near["shared_values"].height == 0
