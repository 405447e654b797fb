"""Stage 80: ids carried by overlap, and every event, on small hand-made nights."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import load_config
from pipeline.kinds import kind_table
from pipeline import schema
from pipeline.run.execute import empty
from pipeline.stages.lineage import LINEAGE_TYPES, continuations, lineage

CONFIG = load_config()
START = date(2026, 5, 1)
State = dict[str, pl.DataFrame]


def _night(number: int, networks: dict[str, str], before: State | None = None, previous: int | None = None, replaces: State | None = None, tier: str = "watch") -> State:
    """Run one night; networks maps a provisional id to member letters, one account a letter. Accounts send all the time."""
    members = [(account, name) for name, accounts in networks.items() for account in accounts]
    letters = sorted({account for account, _ in members})
    homes = dict(members)
    inputs = {
        "members": pl.DataFrame(members, schema={"account_id": pl.String, "network_id": pl.String}, orient="row"),
        "networks": pl.DataFrame([(name, tier, len(accounts)) for name, accounts in networks.items()], schema={"network_id": pl.String, "tier": pl.String, "entity_count": pl.Int64}, orient="row"),
        "accounts": pl.DataFrame(
            [(account, ord(account), homes[account], 0, _micros(number)) for account in letters],
            schema={"account_id": pl.String, "account_key": pl.Int64, "network_id": pl.String, "first_us": pl.Int64, "last_us": pl.Int64},
            orient="row",
        ),
        "account_records": empty(schema.ACCOUNT_RECORDS),
        "shared_values": empty(schema.SHARED_VALUES),
        "kinds": kind_table(CONFIG.links),
        "earlier_networks": before["known_networks"] if before else empty(schema.KNOWN_NETWORKS),
        "earlier_values": before["known_values"] if before else empty(schema.KNOWN_VALUES),
        "earlier_lineage": before["lineage"] if before else empty(schema.LINEAGE),
        "earlier_returns": before["returned_values"] if before else empty(schema.RETURNED_VALUES),
        "published_networks": replaces["known_networks"] if replaces else empty(schema.KNOWN_NETWORKS),
        "published_lineage": replaces["lineage"] if replaces else empty(schema.LINEAGE),
        "night": pl.DataFrame(
            {"night": [START + timedelta(days=number)], "previous_night": [START + timedelta(days=previous if previous is not None else number - 1) if before else None]},
            schema_overrides={"previous_night": pl.Date},
        ),
    }
    return lineage(inputs, CONFIG)


def _micros(number: int) -> int:
    """The end of a night, microseconds since 1970 UTC."""
    return ((START - date(1970, 1, 1)).days + number + 1) * 86_400_000_000 - 1


def _ids(state: State) -> dict[str, str]:
    return dict(state["network_ids"].iter_rows())


def _events(state: State, number: int) -> list[tuple[str, str, str | None, int]]:
    tonight = state["lineage"].filter(pl.col("night") == START + timedelta(days=number))
    return sorted(tonight.select("network_id", "event", "other_id", "account_count").rows())


def test_the_first_night_names_every_network_new() -> None:
    state = _night(0, {"P-1": "abcde", "P-2": "vwxyz"})
    ids = _ids(state)
    assert len(set(ids.values())) == 2
    assert all(len(name) == 12 and name.startswith("N-") for name in ids.values())
    assert _events(state, 0) == sorted([(ids["P-1"], "new", None, 5), (ids["P-2"], "new", None, 5)])


def test_a_network_that_grows_keeps_its_id_under_another_provisional_name() -> None:
    first = _night(0, {"P-1": "abcde"})
    second = _night(1, {"P-9": "abcdefghijklmnop"}, first)
    assert _ids(second)["P-9"] == _ids(first)["P-1"]
    assert _events(second, 1) == [(_ids(first)["P-1"], "grown", None, 16)]


def test_a_network_that_shrinks_keeps_its_id() -> None:
    first = _night(0, {"P-1": "abcdefgh"})
    second = _night(1, {"P-1": "abcde"}, first)
    assert _events(second, 1) == [(_ids(first)["P-1"], "shrunk", None, 5)]


def test_the_same_members_again_are_no_event() -> None:
    first = _night(0, {"P-1": "abcde"})
    assert _events(_night(1, {"P-1": "abcde"}, first), 1) == []


def test_half_of_the_smaller_is_not_enough_and_one_more_is() -> None:
    first = _night(0, {"P-1": "abcdef"})
    half, more = _night(1, {"P-1": "abcuvw"}, first), _night(1, {"P-1": "abcduv"}, first)
    assert _ids(half)["P-1"] != _ids(first)["P-1"]
    assert _ids(more)["P-1"] == _ids(first)["P-1"]


def test_a_split_leaves_the_id_with_the_larger_part() -> None:
    first = _night(0, {"P-1": "abcdefghijkl"})
    second = _night(1, {"P-1": "abcde", "P-2": "fghijkl"}, first)
    old, ids = _ids(first)["P-1"], _ids(second)
    assert ids["P-2"] == old
    assert _events(second, 1) == sorted([(old, "shrunk", None, 7), (ids["P-1"], "split", old, 5)])


def test_a_merger_keeps_the_id_with_most_members_and_names_the_other() -> None:
    first = _night(0, {"P-1": "abcde", "P-2": "fghijkl"})
    second = _night(1, {"P-1": "abcdefghijkl"}, first)
    small, large = _ids(first)["P-1"], _ids(first)["P-2"]
    assert _ids(second) == {"P-1": large}
    assert _events(second, 1) == sorted([(large, "grown", None, 12), (small, "merged", large, 5)])


def test_dormant_is_said_once_and_a_return_keeps_the_id() -> None:
    first = _night(0, {"P-1": "abcde"})
    second = _night(1, {}, first)
    third = _night(2, {}, second)
    fourth = _night(3, {"P-1": "abcdef"}, third)
    name = _ids(first)["P-1"]
    assert _events(second, 1) == [(name, "dormant", None, 0)]
    assert _events(third, 2) == []
    assert _events(fourth, 3) == [(name, "grown", None, 6), (name, "returned", None, 6)]


def test_earlier_lines_stay() -> None:
    first = _night(0, {"P-1": "abcde"})
    second = _night(1, {"P-1": "abcdef"}, first)
    assert second["lineage"].head(1).equals(first["lineage"])


def test_an_id_of_a_dead_network_is_never_given_again() -> None:
    first = _night(0, {"P-1": "abcde"})
    elsewhere = _night(1, {"P-1": "vwxyz"}, first)
    again = _night(0, {"P-1": "vwxyz"}, elsewhere, previous=1)
    assert len({*_ids(first).values(), *_ids(elsewhere).values()}) == 2
    assert _ids(again) == _ids(elsewhere), "the same accounts return under their id"


SETS = st.dictionaries(st.sampled_from([f"P-{number}" for number in range(6)]), st.frozensets(st.sampled_from("abcdefghijklmnopqrst"), min_size=1), max_size=6)


@settings(max_examples=60, deadline=None)
@given(SETS, SETS)
def test_claims_are_exactly_the_strict_majorities_of_the_smaller(tonight: dict[str, frozenset[str]], earlier: dict[str, frozenset[str]]) -> None:
    expected = {(a, b) for a in tonight for b in earlier if len(tonight[a] & earlier[b]) > min(len(tonight[a]), len(earlier[b])) / 2}
    assert {(claim.provisional_id, claim.earlier_id) for claim in continuations(tonight, earlier)} == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefghijklmnopqrst"), unique=True, min_size=4, max_size=20), min_size=2, max_size=4))
def test_ids_are_unique_each_night_and_row_order_never_matters(nights: list[list[str]]) -> None:
    state: State | None = None
    mirrored: State | None = None
    for number, accounts in enumerate(nights):
        cut = max(2, len(accounts) // 2)
        networks = {"P-1": "".join(accounts[:cut]), "P-2": "".join(accounts[cut:])}
        backwards = {name: part[::-1] for name, part in reversed(networks.items())}
        state, mirrored = _night(number, networks, state), _night(number, backwards, mirrored)
        assert len(set(_ids(state).values())) == 2
        assert all(state[name].equals(mirrored[name]) for name in state)
