"""Pools of hand-offs and handfuls that a fact joins: webs become networks, pairs never do, and wording brings in only whom a fact holds together."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pipeline.stages.population import population
from pipeline.stages.relinking import PHRASE, _writers
from pipeline.stages.relinking import _wording as _wording_of
from tests.stages.builders import CONFIG, Frames, frame, key
from tests.stages.test_clusters import _clusters, _world

Blocks = list[tuple[list[int], list[str]]]


def _ring(members: list[int]) -> Blocks:
    """Each account hands one conversation on to the next, the last to the first."""
    return [([one, other], ["handoff"]) for one, other in zip(members, [*members[1:], members[0]], strict=True)]


def _wording(members: list[int]) -> Blocks:
    """Twelve habits in common."""
    return [(members, ["template"])] * 3


OPERATOR = list(range(8))
CARDS: Blocks = [(OPERATOR[:4], ["payment"]), (OPERATOR[4:], ["payment"]), (OPERATOR, ["ip"])]
HANDFUL = [20, 21, 22]


def test_a_web_of_hand_offs_is_a_network_though_most_pairs_share_nothing() -> None:
    assert _clusters(_world(60, _ring(list(range(9))))) == [("network", list(range(9)))]


@pytest.mark.parametrize("pairs", [1, 6])
def test_two_accounts_of_one_person_are_no_pool_however_many_such_persons(pairs: int) -> None:
    assert _clusters(_world(60, [([2 * n, 2 * n + 1], ["handoff"]) for n in range(pairs)])) == []


def test_a_chain_of_hand_offs_is_no_pool() -> None:
    assert _clusters(_world(60, _ring(list(range(9)))[:-1])) == []


def test_an_account_with_one_partner_stays_outside_the_pool() -> None:
    assert _clusters(_world(60, [*_ring(list(range(6))), ([5, 30], ["handoff"])])) == [("network", list(range(6)))]


def test_a_pool_too_small_for_a_network_is_none() -> None:
    assert _clusters(_world(60, _ring([0, 1, 2, 3]))) == []


def test_colleagues_of_one_vouched_organisation_are_no_pool() -> None:
    assert _clusters(_world(60, _ring(list(range(6))), dict.fromkeys(range(6), 1))) == [("vouched", list(range(6)))]


def test_pieces_of_a_pool_become_one_network() -> None:
    one, other = list(range(8)), list(range(20, 28))
    blocks: Blocks = [(one, ["payment", "template"]), (other, ["payment", "template"])]
    assert len(_clusters(_world(60, blocks))) == 2
    assert _clusters(_world(60, [*blocks, *_ring([*one, *other])])) == [("network", [*one, *other])]


def test_a_small_web_inside_a_large_network_does_not_tear_it() -> None:
    large = list(range(30))
    assert _clusters(_world(80, [(large, ["payment", "template"]), *_ring(large[:6])])) == [("network", large)]


def test_a_network_that_a_web_touches_stays_apart() -> None:
    network, web = list(range(12)), [10, 11, *range(30, 40)]
    found = _clusters(_world(80, [(network, ["payment", "template"]), *_ring(web)]))
    assert found == [("network", network), ("network", list(range(30, 40)))]


def test_a_handful_with_a_card_of_its_own_comes_to_the_network_whose_wording_it_writes() -> None:
    handful: Blocks = [(HANDFUL, ["payment"])]
    assert _clusters(_world(200, [*CARDS, *_wording(OPERATOR), *handful])) == [("network", OPERATOR), ("small", HANDFUL)]
    assert _clusters(_world(200, [*CARDS, *_wording([*OPERATOR, *HANDFUL]), *handful])) == [("network", [*OPERATOR, *HANDFUL])]


def test_wording_alone_brings_nobody_in() -> None:
    assert _clusters(_world(200, [*CARDS, *_wording([*OPERATOR, *HANDFUL])])) == [("network", OPERATOR)]


def test_of_a_handful_only_those_come_who_write_so() -> None:
    found = _clusters(_world(200, [*CARDS, *_wording([*OPERATOR, *HANDFUL[:2]]), (HANDFUL, ["payment"])]))
    assert found[0] == ("network", [*OPERATOR, *HANDFUL[:2]])


def test_wording_that_as_many_others_write_is_nobodys_own() -> None:
    public = [*OPERATOR, *HANDFUL, *range(40, 50)]
    assert _clusters(_world(400, [*CARDS, *_wording(public), (HANDFUL, ["payment"])])) == [("network", OPERATOR), ("small", HANDFUL)]


def test_little_wording_is_no_wording() -> None:
    assert _clusters(_world(200, [*CARDS, ([*OPERATOR, *HANDFUL], ["template"]), (HANDFUL, ["payment"])])) == [("network", OPERATOR), ("small", HANDFUL)]


def test_a_network_that_no_fact_joins_takes_no_handful_in() -> None:
    strangers: Blocks = [(OPERATOR, ["ip", "template"])]
    blocks = [*strangers, *_wording([*OPERATOR, *HANDFUL]), (HANDFUL, ["payment"])]
    assert _clusters(_world(200, blocks)) == [("network", OPERATOR), ("small", HANDFUL)]


def _writing(world: Frames, members: list[int], population: int = 60) -> Frames:
    """Everybody writes two words of thirty; the members a common one besides, in the prompts that form networks."""
    draw = random.Random(3)
    rows = [{"account_key": key(n), "half": 0, "token": token, "document_count": 2} for n in range(population) for token in sorted(draw.sample(range(30), 2))]
    rows += [{"account_key": key(n), "half": 0, "token": 99, "document_count": 9} for n in members]
    return {**world, "account_words": frame("account_words", rows)}


CLIENT = list(range(9))


def test_one_client_under_several_names_makes_a_network_of_holders_who_write_about_the_same_things() -> None:
    assert _clusters(_writing(_world(60, [(CLIENT, ["rewritten_client"])]), CLIENT)) == [("network", CLIENT)]


def test_a_box_between_strangers_and_the_service_makes_none() -> None:
    world = _world(60, [(CLIENT, ["rewritten_client"])])
    assert _clusters(_writing(world, [])) == []
    assert _clusters(world) == []  # no words are known


@pytest.mark.parametrize(("strangers", "found"), [(2, 1), (5, 0)])
def test_a_library_that_a_campaign_and_strangers_are_built_with_makes_none_and_a_few_outsiders_do_not_hide_one(strangers: int, found: int) -> None:
    holders = [*CLIENT, *range(30, 30 + strangers)]
    assert len(_clusters(_writing(_world(60, [(holders, ["rewritten_client"])]), CLIENT))) == found


def test_words_of_prompts_kept_out_make_no_network() -> None:
    world = _writing(_world(60, [(CLIENT, ["rewritten_client"])]), CLIENT)
    assert _clusters({**world, "account_words": world["account_words"].with_columns(pl.lit(1, dtype=pl.Int64).alias("half"))}) == []


def test_a_client_of_too_few_accounts_makes_none() -> None:
    assert _clusters(_writing(_world(60, [([0, 1, 2, 3], ["rewritten_client"])]), [0, 1, 2, 3])) == []


def test_one_client_puts_pieces_and_pools_together() -> None:
    one, other = list(range(8)), list(range(20, 28))
    blocks: Blocks = [(one, ["payment", "template"]), *_ring(other)]
    assert len(_clusters(_world(60, blocks))) == 2
    assert _clusters(_writing(_world(60, [*blocks, ([*one, *other], ["rewritten_client"])]), [*one, *other])) == [("network", [*one, *other])]


@given(st.sets(st.integers(0, 19)), st.sets(st.tuples(st.integers(0, 19), st.integers(0, 11)), max_size=60), st.sets(st.integers(0, 19), min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_writers_are_those_of_the_rule_written_out(alike: set[int], odd: set[tuple[int, int]], inside: set[int]) -> None:
    held = {(n, v) for n in alike for v in range(12)} ^ odd
    world = _world(20, [])
    rows = [{"kind": kind, "value_key": key("shingle", v), "account_key": key(n), "df": 2, "share": 1.0, "rarity_micro_bits": 1} for kind in ("template", "ip") for n, v in held]
    people = population({**world, "shared_values": frame("shared_values", rows)})
    config = dataclasses.replace(CONFIG, verdict=dataclasses.replace(CONFIG.verdict, gate_in_share=0.4, gate_max_outside_share=0.3))
    members = np.sort(people.positions(pl.Series([key(n) for n in inside])))
    common = {v for v in range(12) if 2 * sum((n, v) in held for n in inside) >= len(inside)}
    writers = {n for n in set(range(20)) - set(inside) if 2 * sum((n, v) in held for v in common) >= len(common)}
    is_own = len(common) >= PHRASE and len(inside) >= 0.4 * (len(inside) + len(writers)) and len(writers) <= 0.3 * 20
    event(f"own wording with writers: {is_own and bool(writers)}")
    found = _writers(_wording_of(frame("shared_values", rows), people), members, people, config)
    assert found.tolist() == sorted(people.positions(pl.Series([key(n) for n in writers], dtype=pl.Int64)).tolist() if is_own else [])
