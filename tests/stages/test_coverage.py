"""Coverage and the gate: what qualifies is counted without the group, and one shared card opens nothing."""

from __future__ import annotations

import itertools
from collections import defaultdict

import polars as pl
import pytest

from pipeline.kinds import CLASS_OF_FAMILY, FAMILIES, kind_table, kinds
from pipeline.stages.coverage import TELLING_DAYS
from tests.stages.builders import CONFIG, DAY_US, START_US, Frames, empty, frame, key, python_stage, stage_named

STAGE = stage_named("pipeline.stages.coverage:coverage")
VERDICT = CONFIG.verdict
POPULATION = 200


def _coverage(size: int, held: dict[tuple[str, int], list[int]], organization: list[int] | None = None, team: list[int] | None = None, days: int = 8) -> Frames:
    """One cluster of accounts 0 .. size - 1; `held` names the holders of each (kind, value); a vouched organisation, or a team that nobody vouches for; `days` of a log."""
    vouched = set(organization or [])
    owned = vouched | set(team or [])
    records = [
        {"account_key": key(n), "account_id": f"a{n:03d}", "is_vouched": n in vouched, "organization_key": key("organization") if n in owned else None} for n in range(POPULATION)
    ]
    family = {kind.kind: kind.family for kind in kinds(CONFIG.links)}
    values = [
        {"kind": k, "value_key": v, "account_key": key(n), "entity_key": key("organization") if n in vouched else key(n), "family": family[k]}
        | {"share": 1.0, "df": len({-1 if m in vouched else m for m in holders}), "rarity_micro_bits": 5_000_000}
        for (k, v), holders in held.items()
        for n in holders
    ]
    seen = [{"account_key": key(n), "first_us": START_US, "last_us": START_US + days * DAY_US - 1} for n in range(POPULATION)]
    given = {
        "account_records": frame("account_records", records),
        "features": frame("features", seen),
        "shared_values": frame("shared_values", values),
        "kinds": kind_table(CONFIG.links),
        "clusters": frame("clusters", [{"cluster": 3, "account_key": key(n), "origin": "network", "bits": 20.0} for n in range(size)]),
    }
    return python_stage(STAGE, {name: given[name] if name in given else empty(name) for name in STAGE.reads})


def _row(made: Frames, family: str) -> dict[str, object]:
    return made["cluster_families"].filter(pl.col("family") == family).row(0, named=True)


def _cards(count: int, each: int) -> dict[tuple[str, int], list[int]]:
    return {("payment", card): list(range(card * each, (card + 1) * each)) for card in range(count)}


def test_every_family_has_a_row_of_its_class() -> None:
    made = _coverage(10, {})
    assert made["cluster_families"].select("family", "evidence_class").rows() == sorted((family, CLASS_OF_FAMILY[family]) for family in FAMILIES)
    assert not made["cluster_families"]["admitted"].any()


def test_coverage_is_the_share_of_entities_that_hold_a_qualifying_value() -> None:
    row = _row(_coverage(10, _cards(3, 2)), "identity")
    assert row["coverage_share"] == 0.6
    assert row["linked_pair_share"] == round(3 / 45, 6)
    assert row["kinds"] == "payment"


@pytest.mark.parametrize(("cards", "each", "admitted"), [(1, 2, False), (2, 2, False), (4, 3, True), (1, 12, True), (6, 2, True)])
def test_the_gate_asks_for_coverage_and_for_more_than_one_shared_card(cards: int, each: int, admitted: bool) -> None:
    held = _cards(cards, each)
    covers = cards * each / 12 >= VERDICT.gate_coverage_share
    several = cards >= VERDICT.gate_min_values or each >= VERDICT.gate_min_values
    assert (covers and several) == admitted  # the table above holds under the defaults
    assert _row(_coverage(12, held), "identity")["admitted"] == admitted


def test_one_card_that_covers_a_pair_of_a_tiny_network_opens_nothing() -> None:
    assert _row(_coverage(3, _cards(1, 2)), "identity")["admitted"] is False


@pytest.mark.parametrize(("outside", "qualifies"), [(0, True), (6, True), (7, False), (30, False)])
def test_a_value_qualifies_by_its_holders_outside_counted_without_the_group(outside: int, qualifies: bool) -> None:
    holders = [*range(12), *range(100, 100 + outside)]
    made = _coverage(12, {("payment", 1): holders})
    assert (outside <= VERDICT.gate_max_outside_share * POPULATION) == qualifies
    assert made["cluster_values"].select("inside_count", "df", "qualifies").rows() == [(12, 12 + outside, qualifies)]
    assert _row(made, "identity")["admitted"] == qualifies


def test_a_value_of_which_most_holders_are_outside_does_not_qualify() -> None:
    made = _coverage(12, {("payment", 1): [0, 1, 100, 101, 102]})
    assert made["cluster_values"]["qualifies"].to_list() == [False]


def test_kinds_that_are_no_gate_never_admit() -> None:
    gates = {kind.kind for kind in kinds(CONFIG.links) if kind.is_gate}
    for kind in kinds(CONFIG.links):
        made = _coverage(12, {(kind.kind, value): list(range(12)) for value in range(6)})
        assert _row(made, kind.family)["admitted"] == (kind.kind in gates), kind.kind


def test_likeness_families_hold_no_gate() -> None:
    assert all(CLASS_OF_FAMILY[kind.family] != "likeness" for kind in kinds(CONFIG.links) if kind.is_gate)


def test_colleagues_of_a_vouched_organisation_are_one_holder() -> None:
    made = _coverage(10, {("payment", 1): list(range(6))}, organization=list(range(6)))
    assert made["cluster_values"].height == 0
    made = _coverage(10, {("payment", 1): list(range(8))}, organization=list(range(6)))
    assert made["cluster_values"].select("inside_count", "df").rows() == [(3, 3)]
    assert _row(made, "identity")["coverage_share"] == 0.6  # 3 of 5 entities


@pytest.mark.parametrize(("colleagues", "qualifies"), [(12, False), (11, True), (0, True)])
def test_what_only_colleagues_of_one_self_serve_organisation_share_does_not_qualify(colleagues: int, qualifies: bool) -> None:
    made = _coverage(12, {("payment", 1): list(range(12))}, team=list(range(colleagues)))
    assert made["cluster_values"]["qualifies"].to_list() == [qualifies]
    assert _row(made, "identity")["admitted"] == qualifies


def test_values_inside_are_those_of_a_count_by_hand(tables: Frames) -> None:
    cluster = {account: number for number, account, origin in tables["clusters"].select("cluster", "account_key", "origin").iter_rows() if origin != "vouched"}
    inside, everyone = defaultdict(set), defaultdict(set)
    for kind, value, account, entity in tables["shared_values"].select("kind", "value_key", "account_key", "entity_key").iter_rows():
        everyone[kind, value].add(entity)
        if account in cluster:
            inside[cluster[account], kind, value].add(entity)
    expected = {place: (len(holders), len(everyone[place[1:]])) for place, holders in inside.items() if len(holders) >= 2}
    found = tables["cluster_values"].select("cluster", "kind", "value_key", "inside_count", "df").rows()
    assert {row[:3]: row[3:] for row in found} == expected


def test_median_bits_of_the_campaign_are_those_of_its_pairs(tables: Frames) -> None:
    (cluster,) = tables["clusters"].join(tables["account_records"].filter(pl.col("account_id") == "carded-000"), on="account_key", how="semi")["cluster"]
    members = tables["clusters"].filter(pl.col("cluster") == cluster)["account_key"].to_list()
    links = tables["pair_links"].group_by("account_a", "account_b", "family").agg(pl.col("bits").sum())
    bits = {(a, b, family): value for a, b, family, value in links.iter_rows()}
    for family in FAMILIES:
        row = tables["cluster_families"].filter((pl.col("cluster") == cluster) & (pl.col("family") == family)).row(0, named=True)
        pairs = [bits.get((a, b, family), 0.0) for a, b in itertools.combinations(sorted(members), 2)]
        assert row["median_bits"] == pytest.approx(pl.Series(pairs).median(), abs=1e-6)
        assert row["linked_pair_share"] == pytest.approx(sum(pair > 0 for pair in pairs) / len(pairs), abs=1e-6)


def test_hand_offs_cover_what_one_web_joins_and_pairs_do_not_add_up() -> None:
    web = {("handoff", n): [n, n + 1] for n in range(6)}
    row = _row(_coverage(10, web), "handoff")
    assert (row["coverage_share"], row["admitted"]) == (0.7, True)
    row = _row(_coverage(10, {("handoff", n): [2 * n, 2 * n + 1] for n in range(5)}), "handoff")
    assert (row["coverage_share"], row["admitted"]) == (0.2, False)


@pytest.mark.parametrize(
    ("days", "conversations", "admitted"),
    [(1, 1, False), (TELLING_DAYS - 1, 2, False), (TELLING_DAYS - 1, VERDICT.gate_min_values, True), (TELLING_DAYS, 1, True)],
)
def test_one_conversation_of_many_accounts_opens_the_gate_only_where_a_hard_coded_id_would_have_come_back(days: int, conversations: int, admitted: bool) -> None:
    held = {("handoff", n): list(range(10)) for n in range(conversations)}
    assert _row(_coverage(10, held, days=days), "handoff")["admitted"] is admitted


def test_a_card_of_many_accounts_opens_the_gate_on_any_day() -> None:
    assert _row(_coverage(10, {("payment", 1): list(range(10))}, days=1), "identity")["admitted"] is True
