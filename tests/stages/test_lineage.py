"""Stage 80: ids carried by overlap, and every event, on small hand-made nights."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.lineage import continuations
from tests.stages.nights import State
from tests.stages.nights import events as _events
from tests.stages.nights import ids as _ids
from tests.stages.nights import night as _night


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


def test_a_night_that_is_judged_again_keeps_published_ids_and_what_it_takes_back() -> None:
    """The members of the first night come out otherwise on late files: the id that was published stays, and so does the line that no longer holds."""
    first = _night(0, {"P-1": "abcde", "P-2": "vwxyz"}, tiers={"P-2": "refer"})
    again = _night(0, {"P-7": "abcdef"}, replaces=first)
    assert _ids(again) == {"P-7": _ids(first)["P-1"]}
    assert _events(again, 0) == [(_ids(first)["P-1"], "new", None, 6)]
    assert _events(again, 0, superseded=True) == _events(first, 0)
    known = again["known_networks"].unique("network_id").sort("is_superseded")
    assert known.select("network_id", "is_superseded", "first_flagged_night").rows() == [(_ids(first)["P-1"], False, None), (_ids(first)["P-2"], True, date(2026, 5, 1))]


def test_judging_again_on_the_same_says_the_same() -> None:
    first = _night(0, {"P-1": "abcde"})
    second = _night(1, {"P-1": "abcdef"}, first)
    again = _night(1, {"P-1": "abcdef"}, first, replaces=second)
    assert all(again[name].equals(second[name]) for name in second)


def test_a_part_that_split_off_keeps_the_id_it_was_given_when_its_night_is_judged_again() -> None:
    first = _night(0, {"P-1": "abcdefghijkl"})
    second = _night(1, {"P-1": "abcde", "P-2": "fghijkl"}, first)
    again = _night(1, {"P-1": "abcde", "P-2": "fghijkl"}, first, replaces=second)
    assert all(again[name].equals(second[name]) for name in second)


def test_a_network_that_later_nights_published_gets_that_id_when_it_is_found_earlier() -> None:
    first = _night(0, {})
    second = _night(1, {"P-1": "abcde"}, first)
    again = _night(0, {"P-1": "abcd"}, replaces=second)
    assert _ids(again) == _ids(second)
    onward = _night(1, {"P-1": "abcde"}, again, replaces=second)
    assert _ids(onward) == _ids(second)
    assert _events(onward, 1) == [(_ids(second)["P-1"], "grown", None, 5)]
    assert _events(onward, 1, superseded=True) == [(_ids(second)["P-1"], "new", None, 5)]


def test_a_superseded_network_falls_dormant_to_nobody_and_comes_up_as_new_under_its_id() -> None:
    first = _night(0, {"P-1": "abcde"})
    again = _night(0, {}, replaces=first)
    second = _night(1, {}, again)
    third = _night(2, {"P-1": "abcdef"}, second)
    assert _events(second, 1) == []
    assert _ids(third) == _ids(first)
    assert _events(third, 2) == [(_ids(first)["P-1"], "new", None, 6)]
    assert not third["known_networks"]["is_superseded"].any()
    assert set(third["known_networks"]["first_night"]) == {date(2026, 5, 3)}


def test_the_first_flag_is_kept_when_the_verdict_changes() -> None:
    state = _night(0, {"P-1": "abcde"})
    seen = []
    for number, tier in ((1, "refer"), (2, "watch"), (3, "refer")):
        state = _night(number, {"P-1": "abcde"}, state, tiers={"P-1": tier})
        seen.append(state["known_networks"]["first_flagged_night"].unique().to_list())
    assert seen == [[date(2026, 5, 2)]] * 3


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefghijklmnopqrst"), unique=True, min_size=4, max_size=20), min_size=2, max_size=4), st.data())
def test_after_late_files_every_published_id_is_still_known_and_every_line_still_there(nights: list[list[str]], data: st.DataObject) -> None:
    """Nights are judged, then from some night on judged again on other members: no id and no line is lost, and the chain is one of its own."""
    old: list[State] = []
    for number, accounts in enumerate(nights):
        old.append(_night(number, _halves(accounts), old[-1] if old else None))
    start = data.draw(st.integers(0, len(nights) - 1))
    new = old[:start]
    for number in range(start, len(nights)):
        changed = data.draw(st.permutations(nights[number]))
        new.append(_night(number, _halves(changed), new[-1] if new else None, replaces=old[-1]))
    assert set(old[-1]["known_networks"]["network_id"]) <= set(new[-1]["known_networks"]["network_id"])
    columns = ["network_id", "night", "event", "other_id", "account_count", "tier"]
    assert set(old[-1]["lineage"].select(columns).rows()) <= set(new[-1]["lineage"].select(columns).rows())
    assert len(set(_ids(new[-1]).values())) == 2


def _halves(accounts: list[str]) -> dict[str, str]:
    cut = max(2, len(accounts) // 2)
    return {"P-1": "".join(accounts[:cut]), "P-2": "".join(accounts[cut:])}


NETWORKS = st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.sampled_from(["P-1", "P-2", "P-3"]), min_size=3)
"""account -> its network."""


@settings(max_examples=25, deadline=None)
@given(st.lists(NETWORKS, min_size=1, max_size=3), st.integers(0, 2))
def test_nights_that_are_judged_again_on_the_same_say_the_same(nights: list[dict[str, str]], first: int) -> None:
    """Whatever splits, merges and returns: judging again from any night on changes nothing."""
    parts = [{name: "".join(sorted(account for account, home in homes.items() if home == name)) for name in set(homes.values())} for homes in nights]
    old: list[State] = []
    for number, networks in enumerate(parts):
        old.append(_night(number, networks, old[-1] if old else None))
    new = old[: min(first, len(old) - 1)]
    for number in range(len(new), len(parts)):
        new.append(_night(number, parts[number], new[-1] if new else None, replaces=old[-1], said=old[number]))
        assert all(new[number][name].equals(old[number][name]) for name in ("network_ids", "lineage", "known_networks"))
