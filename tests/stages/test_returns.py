"""A banned pool under new accounts: known by rare values its operator made, never by what many share."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema
from pipeline.kinds import kind_table
from pipeline.run.execute import empty
from pipeline.stages.returns import VALUE_TYPES, held_values, matches, remembered
from tests.stages.nights import CONFIG, FAMILIES, Held, State, day, events, ids, micros, night

OLD, NEW = "abcdefg", "nopqrst"
MADE: Held = {**{("template", value): "" for value in range(10)}, ("stack", 77): "", ("settings", 78): ""}
"""What the operator of both pools made."""


def held_by(holders: str, made: Held = MADE, others: str = "") -> Held:
    return dict.fromkeys(made, holders + others)


def before(tier: str = "refer", held: Held | None = None) -> State:
    """The old pool on night 0, gone on night 1."""
    first = night(0, {"P-1": OLD}, held=held_by(OLD) if held is None else held, tiers={"P-1": tier}, strangers=200)
    return night(1, {}, first, strangers=200)


def back(state: State, held: Held, tier: str = "refer", number: int = 5, networks: dict[str, str] | None = None) -> State:
    """The new pool on night 5; the old one's accounts are out of the window."""
    spans = dict.fromkeys(NEW, (number, number))
    return night(number, networks or {"P-9": NEW}, state, previous=1, held=held, tiers={"P-9": tier}, spans=spans, strangers=200)


def test_a_pool_that_returns_under_new_accounts_takes_its_id_back() -> None:
    state = before()
    again = back(state, held_by(NEW))
    (name,) = set(state["known_networks"]["network_id"])
    assert ids(again) == {"P-9": name}
    assert events(again, 5) == [(name, "returned", None, 7)]
    line = again["lineage"].filter(pl.col("event") == "returned").row(0, named=True)
    assert (line["matched_by"], line["tier"]) == ("values", "refer")
    proof = again["returned_values"]
    assert set(proof["other_id"]) == set(proof["network_id"]) == {name}
    assert {(kind, value) for kind, value in proof.select("kind", "value_key").iter_rows()} == set(MADE)
    assert again["known_networks"]["first_flagged_night"].unique().to_list() == [day(0)]


@pytest.mark.parametrize(
    ("why", "made"),
    [
        ("wording alone", {key: "" for key in MADE if key[0] == "template"}),
        ("client and settings alone", {key: "" for key in MADE if key[0] != "template"}),
        ("too little wording to be a template", {**{("template", value): "" for value in range(3)}, ("stack", 77): ""}),
    ],
)
def test_one_likeness_is_not_enough(why: str, made: Held) -> None:
    state = before()
    again = back(state, held_by(NEW, made))
    assert ids(again)["P-9"] not in set(state["known_networks"]["network_id"]), why
    assert [event for _, event, _, _ in events(again, 5)] == ["new"]


def test_what_strangers_hold_as_well_is_no_mark() -> None:
    """A popular client: preamble, stack and settings are as common outside as inside."""
    state = before()
    crowd = "".join(chr(300 + at) for at in range(8))
    again = back(state, held_by(NEW, others=crowd))
    assert [event for _, event, _, _ in events(again, 5)] == ["new"]
    popular_then = before(held=held_by(OLD, others=crowd))
    assert popular_then["known_values"].is_empty()
    assert [event for _, event, _, _ in events(back(popular_then, held_by(NEW)), 5)] == ["new"]


@pytest.mark.parametrize(("then", "now"), [("explained", "refer"), ("refer", "explained")])
def test_the_innocently_explained_return_as_nobody(then: str, now: str) -> None:
    again = back(before(tier=then), held_by(NEW), tier=now)
    assert [event for _, event, _, _ in events(again, 5)] == ["new"]


def test_the_wording_must_be_that_of_most() -> None:
    """Two members of seven carry the old wording; the others only the old client."""
    held = {key: NEW[:2] if key[0] == "template" else NEW for key in MADE}
    assert [event for _, event, _, _ in events(back(before(), held), 5)] == ["new"]


def test_a_network_that_still_sends_has_not_returned() -> None:
    first = night(0, {"P-1": OLD}, held=held_by(OLD), strangers=200)
    both = night(1, {"P-1": OLD, "P-9": NEW}, first, held=held_by(OLD + NEW), spans=dict.fromkeys(NEW, (1, 1)) | dict.fromkeys(OLD, (0, 1)), strangers=200)
    assert [event for _, event, _, _ in events(both, 1)] == ["new"]


def test_while_the_old_accounts_are_still_in_the_window_the_new_network_is_linked_to_them() -> None:
    first = night(0, {"P-1": OLD}, held=held_by(OLD), strangers=200)
    spans = dict.fromkeys(OLD, (0, 0)) | dict.fromkeys(NEW, (3, 3))
    both = night(3, {"P-1": OLD, "P-9": NEW}, first, previous=0, held=held_by(OLD + NEW), spans=spans, strangers=200)
    old, new = ids(both)["P-1"], ids(both)["P-9"]
    assert old == ids(first)["P-1"] != new
    assert sorted(row for row in events(both, 3) if row[0] == new) == [(new, "new", None, 7), (new, "returned", old, 7)]
    spans = spans | dict.fromkeys(NEW, (3, 4))
    later = night(4, {"P-1": OLD, "P-9": NEW}, both, previous=3, held=held_by(OLD + NEW), spans=spans, strangers=200)
    assert events(later, 4) == [], "said once"
    assert later["returned_values"].equals(both["returned_values"])


def test_old_accounts_silent_and_new_ones_in_one_network_is_a_return_too() -> None:
    first = night(0, {"P-1": OLD}, strangers=200)
    spans = dict.fromkeys(OLD, (0, 0)) | dict.fromkeys(NEW, (3, 3))
    second = night(3, {"P-1": OLD + NEW}, first, previous=0, spans=spans)
    name = ids(first)["P-1"]
    assert events(second, 3) == [(name, "grown", None, 14), (name, "returned", None, 14)]


def test_of_two_networks_that_match_one_takes_the_id_and_the_other_is_linked() -> None:
    state, rest = before(), "uvwxyzA"
    (name,) = set(state["known_networks"]["network_id"])
    again = night(5, {"P-8": rest, "P-9": NEW}, state, previous=1, held=held_by(NEW + rest), spans=dict.fromkeys(NEW + rest, (5, 5)), strangers=200)
    (other,) = set(ids(again).values()) - {name}
    assert events(again, 5) == sorted([(name, "returned", None, 7), (other, "new", None, 7), (other, "returned", name, 7)])


def test_times_of_accounts_are_kept_with_the_network() -> None:
    again = back(before(), held_by(NEW))
    known = again["known_networks"]
    assert known["last_seen_at"].dt.epoch("us").to_list() == [micros(5)] * 7
    assert set(known["account_id"]) == set(NEW)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*MADE, ("payment", 1), ("headers", 2)]), st.frozensets(st.sampled_from(OLD + NEW + "ABCDEFGH"), min_size=2)), max_size=30))
def test_whatever_is_shared_the_order_of_rows_never_matters(facts: list[tuple[tuple[str, int], frozenset[str]]]) -> None:
    held = {key: "".join(sorted(holders)) for key, holders in facts}
    turned = {key: holders[::-1] for key, holders in reversed(held.items())}
    one, other = (back(before(held=some), some) for some in (held, turned))
    assert all(one[name].sort(one[name].columns).equals(other[name].sort(other[name].columns)) for name in one)


@pytest.mark.parametrize("seed", range(5))
def test_circles_of_friends_are_never_taken_for_each_other(seed: int) -> None:
    """The null: forty groups of eight, half of them earlier ones, each with two templates (six 4-grams a piece), two stacks and settings of all degrees of popularity."""
    rng, entities = np.random.default_rng(seed), 3000
    members = rng.permutation(entities)[:320].reshape(40, 8)
    rows = []
    for kind, each, adopted in (("template", 6, 2), ("stack", 1, 2), ("settings", 1, 1)):
        fashions = [rng.choice(300, adopted, replace=False) for _ in members]
        for piece, popularity in enumerate(np.exp(rng.uniform(np.log(0.0005), np.log(0.1), 300))):
            circles = [members[at] for at, chosen in enumerate(fashions) if piece in chosen]
            holders = np.unique(np.concatenate([np.flatnonzero(rng.random(entities) < popularity), *circles]))
            rows += [(kind, piece * 10 + at, int(one), int(one), FAMILIES[kind], 1.0, len(holders), len(holders), 0) for at in range(each) for one in holders]
    values = pl.DataFrame(rows, schema=empty(schema.SHARED_VALUES).schema, orient="row")
    accounts = pl.DataFrame({"account_key": members.ravel().astype(np.int64), "network_id": [f"{'OT'[at // 160]}{at // 8}" for at in range(320)]})
    networks = pl.DataFrame({"network_id": accounts["network_id"].unique().sort(), "entity_count": 8})
    held = held_values(values, accounts, networks)
    known = remembered(pl.DataFrame(schema=VALUE_TYPES), held, {name: name for name in networks["network_id"]}, entities, day(0))
    assert known["network_id"].n_unique() > 10, "there was something to match"
    present = values.join(accounts, on="account_key").group_by("network_id", "kind", "value_key").agg(pl.len().cast(pl.Int64).alias("count"))
    pairs = [(one, other) for one in networks["network_id"] for other in networks["network_id"] if (one[0], other[0]) == ("T", "O")]
    assert len(pairs) == 400
    assert matches(pairs, held, known, present, entities, kind_table(CONFIG.links), CONFIG) == []
