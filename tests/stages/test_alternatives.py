"""Innocent alternatives: who fits one, what it explains, and what is left, by hand-made clusters."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from pipeline.kinds import kind_table, kinds
from pipeline.stages.alternatives import EXPLAINS, NOTHING
from pipeline.stages.innocent_fits import SAME_CUSTOMER, STOPPED, UNLIKE_P
from tests.stages.builders import CONFIG, DAY_US, Frames, empty, frame, key, python_stage, stage_named

STAGE = stage_named("pipeline.stages.alternatives:alternatives")
VERDICT, MARGIN = CONFIG.verdict, CONFIG.networks.edge_margin_bits
POPULATION = 256
FEW_TEXTS, END_USERS = VERDICT.few_texts_share, VERDICT.end_user_count
COUNTS = ("document_count", "repeated_count", "elsewhere_count", "templated_count", "item_elsewhere_count")
FAMILY = {kind.kind: kind.family for kind in kinds(CONFIG.links)}
ENOUGH = math.ceil(VERDICT.alternative_share * 10)


def _scored(  # noqa: PLR0917 (one argument a table)
    records: dict[int, dict[str, Any]] | None = None,
    held: dict[str, list[int]] | None = None,
    brought: list[int] | None = None,
    size: int = 10,
    own: int = 1,
    topic_p: float | None = None,
    features: dict[int, dict[str, Any]] | None = None,
    repeated: dict[int, tuple[int, ...]] | None = None,
    end_users: dict[int, int] | None = None,
) -> dict[str, dict[str, Any]]:
    """Alternatives of one cluster of accounts 0 .. size - 1. `records` adds columns to an account; `held` names the holders of one value of each kind (of `own` templates);
    `brought` those of ten 4-grams that a public client brings; `topic_p` is the p-value of their common topics; `features` adds features
    to an account; `repeated` says how many long prompts it sent, how many of them other members did and how many outsiders, and
    then how many templated ones, and how many of these are filled as outsiders fill theirs; `end_users` how many it names.
    """
    accounts = [{"account_key": key(n), "account_id": f"a{n}", "is_vouched": False, **(records or {}).get(n, {})} for n in range(POPULATION)]
    facts = held or {}
    values = [
        {"kind": kind, "value_key": value, "account_key": key(n), "entity_key": key(n), "family": FAMILY[kind], "share": 1.0, "df": len(holders), "rarity_micro_bits": 1}
        for kind, holders in facts.items()
        for value in range(7, 7 + (own if kind == "template" else 1))
        for n in holders
    ]
    shared = [
        {"cluster": 0, "kind": kind, "value_key": value, "inside_count": inside, "df": len(holders), "qualifies": True}
        for kind, holders in facts.items()
        for value in range(7, 7 + (own if kind == "template" else 1))
        if (inside := sum(n < size for n in holders)) >= 2
    ]
    given: Frames = {
        "account_records": frame("account_records", accounts),
        "shared_values": frame("shared_values", values),
        "cluster_values": frame("cluster_values", shared),
        "recurring_shingles": frame("recurring_shingles", [{"account_key": key(n), "half": 0, "shingle": 500 + g} for n in brought or [] for g in range(10)]),
        "client_wording": frame("client_wording", [{"kind": "template", "value_key": 500 + g} for g in range(10)]),
        "clusters": frame("clusters", [{"cluster": 0, "account_key": key(n), "origin": "network", "bits": 20.0} for n in range(size)]),
        "kinds": kind_table(CONFIG.links),
        "features": frame("features", [{"account_key": key(n), **(features or {}).get(n, {})} for n in range(size)]),
        "repeated_prompts": frame(
            "repeated_prompts",
            [{"cluster": 0, "account_key": key(n), **dict(zip(COUNTS, (*counts, 0, 0), strict=False))} for n, counts in (repeated or {}).items()],
        ),
        "entity_counts": frame(
            "entity_counts",
            [{"kind": kind, "account_key": key(n), "request_count": 1, "value_count": users} for n, users in (end_users or {}).items() for kind in ("end_user", "ip")],
        ),
        "cluster_tests": frame("cluster_tests", [{"cluster": 0, "test": "held_out_topic", "p_value": topic_p, "status": "ran" if topic_p else "not_run"}]),
    }
    made = python_stage(STAGE, {name: given[name] if name in given else empty(name) for name in STAGE.reads})
    return {row["alternative"]: row for row in made["cluster_alternatives"].iter_rows(named=True)}


def test_every_alternative_is_scored_and_strangers_fit_none() -> None:
    found = _scored()
    assert set(found) == {*EXPLAINS, NOTHING}
    assert not any(row["applies"] for row in found.values())
    assert all(row["margin_bits"] == -MARGIN for row in found.values())


@pytest.mark.parametrize(("vouched", "alternative"), [(True, "vouched_organisation"), (False, "self_serve_team")])
@pytest.mark.parametrize("members", [ENOUGH - 1, ENOUGH, 10])
def test_an_organisation_applies_when_enough_members_are_in_it(members: int, vouched: bool, alternative: str) -> None:
    row = _scored({n: {"organization_key": 5, "is_vouched": vouched} for n in range(members)})[alternative]
    assert (row["fit_share"], row["applies"]) == (members / 10, members >= ENOUGH)


def test_members_of_two_organisations_are_not_one_customer() -> None:
    assert _scored({n: {"organization_key": 5 + n % 2} for n in range(10)})["self_serve_team"]["fit_share"] == 0.5


@pytest.mark.parametrize("fields", [{"access_pathway": "education"}, {"email_domain_class": "edu"}])
def test_a_class_is_told_by_its_pathway_or_its_mailboxes(fields: dict[str, str]) -> None:
    row = _scored(dict.fromkeys(range(9), fields))["classroom"]
    assert (row["fit_share"], row["applies"]) == (0.9, True)


@pytest.mark.parametrize(("days", "applies"), [(0, True), (CONFIG.links.cohort_days, False)])
def test_an_event_is_members_behind_one_address_that_signed_up_within_days(days: int, applies: bool) -> None:
    records = {n: {"created_us": n * days * DAY_US} for n in range(10)}
    assert _scored(records, {"ip": list(range(10))})["event"]["applies"] is applies
    assert _scored(records)["event"]["fit_share"] == 0.0
    assert _scored(records, {"ip_prefix": list(range(10))})["event"]["fit_share"] == 0.0  # a network of many addresses is no place


@pytest.mark.parametrize("holders", [ENOUGH - 1, ENOUGH, 10])
def test_a_public_client_applies_when_enough_members_hold_its_wording_and_hardly_any_other(holders: int) -> None:
    row = _scored(brought=list(range(holders)))["public_client"]
    assert (row["fit_share"], row["applies"]) == (holders / 10, holders >= ENOUGH)


@pytest.mark.parametrize(("own", "applies"), [(CONFIG.links.template_min_shingles - 2, True), (CONFIG.links.template_min_shingles, False)])
def test_members_who_share_a_template_of_their_own_are_more_than_users_of_one_client(own: int, applies: bool) -> None:
    members = list(range(10))
    assert _scored(held={"template": members}, brought=members, own=own)["public_client"]["applies"] is applies


def test_wording_that_no_client_brings_is_not_a_clients() -> None:
    assert _scored(held={"template": list(range(10))})["public_client"]["fit_share"] == 0.0


def test_the_margin_is_the_rarest_tie_that_is_not_explained_counted_without_the_group() -> None:
    inside, outside = list(range(10)), [100, 101, 102]
    found = _scored(held={"payment": [*inside, *outside], "ip": inside, "system": inside})
    rare = math.log2(POPULATION / (len(outside) + 1))
    assert found["classroom"]["margin_bits"] == pytest.approx(rare - MARGIN)  # a campus explains the address, not the card
    assert found["public_client"]["margin_bits"] == pytest.approx(math.log2(POPULATION) - MARGIN)  # a client explains neither
    assert found["self_serve_team"]["margin_bits"] == found["vouched_organisation"]["margin_bits"] == -MARGIN


@pytest.mark.parametrize("holders", [4, 6])
def test_a_fact_of_fewer_than_half_the_members_is_not_a_fact_of_the_group(holders: int) -> None:
    margin = _scored(held={"payment": list(range(holders))})["classroom"]["margin_bits"]
    assert (margin > -MARGIN) == (holders > 5)


def test_a_box_explains_a_client_of_members_who_write_about_things_as_different_as_strangers_do() -> None:
    everyone = list(range(10))
    unlike = _scored(held={"rewritten_client": everyone, "template": everyone}, topic_p=UNLIKE_P + 0.001)["shared_box"]
    assert (unlike["applies"], unlike["margin_bits"]) == (True, -MARGIN)
    assert not _scored(held={"rewritten_client": everyone}, topic_p=UNLIKE_P)["shared_box"]["applies"]
    assert not _scored(held={"rewritten_client": everyone})["shared_box"]["applies"]  # the test did not run: nothing is known
    assert _scored(held={"rewritten_client": everyone, "payment": everyone}, topic_p=0.9)["shared_box"]["margin_bits"] > 0


def test_a_class_behind_its_schools_box_is_a_class() -> None:
    everyone = list(range(10))
    found = _scored({n: {"access_pathway": "education"} for n in everyone}, {"rewritten_client": everyone, "ip": everyone})["classroom"]
    assert (found["applies"], found["margin_bits"]) == (True, -MARGIN)


@pytest.mark.parametrize("holders", [ENOUGH - 1, ENOUGH, 10])
@pytest.mark.parametrize("kind", ["ip", "ip_prefix", "signup_ip"])
def test_a_shared_address_explains_itself_and_nothing_besides(kind: str, holders: int) -> None:
    behind = list(range(holders))
    row = _scored(held={kind: behind})["shared_address"]
    assert (row["fit_share"], row["applies"], row["margin_bits"]) == (holders / 10, holders >= ENOUGH, -MARGIN)
    assert _scored(held={kind: behind, "template": behind})["shared_address"]["margin_bits"] > 0


@pytest.mark.parametrize(("alternative", "counts"), [("evaluation", (4, 2, 0)), ("shared_corpus", (4, 0, 2))])
def test_prompts_that_others_sent_word_for_word_tell_one_list_from_dealt_work(alternative: str, counts: tuple[int, int, int]) -> None:
    everyone = list(range(10))
    found = _scored(held={"prompt": everyone, "template": everyone}, repeated=dict.fromkeys(everyone, counts))
    assert (found[alternative]["applies"], found[alternative]["margin_bits"]) == (True, -MARGIN)
    assert [name for name in ("evaluation", "shared_corpus") if found[name]["applies"]] == [alternative]
    fewer = dict.fromkeys(everyone, (counts[0] + 1, *counts[1:]))
    assert not _scored(repeated=fewer)[alternative]["applies"]
    assert _scored(held={"fanout": everyone}, repeated=dict.fromkeys(everyone, counts))[alternative]["margin_bits"] > 0


@pytest.mark.parametrize(
    ("distinct", "output", "applies"), [(FEW_TEXTS, 20.0, True), (FEW_TEXTS * 1.01, 20.0, False), (FEW_TEXTS, float(VERDICT.min_output_tokens), False), (None, 20.0, False)]
)
def test_a_test_of_load_is_few_texts_over_and_over_with_short_answers(distinct: float | None, output: float, applies: bool) -> None:
    own = {"prompt_distinct_share": distinct, "output_tokens_mean": output}
    assert _scored(features=dict.fromkeys(range(10), own))["load_test"]["applies"] is applies


@pytest.mark.parametrize(("share", "applies"), [(0.5, True), (0.49, False), (None, False)])
def test_companies_that_run_batches_share_the_batch_interfaces_settings_only(share: float | None, applies: bool) -> None:
    everyone = list(range(10))
    found = _scored(held={"settings": everyone}, features={n: {"batch_share": share} for n in everyone})["batch_jobs"]
    assert (found["applies"], found["margin_bits"]) == (applies, -MARGIN)
    assert _scored(held={"template": everyone})["batch_jobs"]["margin_bits"] > 0


@pytest.mark.parametrize(("users", "applies"), [(END_USERS, True), (END_USERS - 1, False)])
def test_an_aggregator_names_its_end_users_which_explains_no_card_no_hand_off_and_no_client(users: int, applies: bool) -> None:
    everyone = list(range(10))
    assert _scored(end_users=dict.fromkeys(everyone, users))["aggregator"]["applies"] is applies
    for kind in ("payment", "handoff", "fanout", "rewritten_client"):
        assert _scored(held={kind: everyone}, end_users=dict.fromkeys(everyone, users))["aggregator"]["margin_bits"] > 0


def test_one_customer_explains_all_that_any_other_alternative_explains() -> None:
    everything = {kind.kind for kind in kinds(CONFIG.links)}
    for customer in ("vouched_organisation", "self_serve_team"):
        assert set(EXPLAINS[customer]) >= everything
    assert all(set(explained) <= everything for explained in EXPLAINS.values())


def test_no_innocent_crowd_explains_a_card_a_mailbox_or_a_phone() -> None:
    for alternative in set(EXPLAINS) - {"vouched_organisation", "self_serve_team", "migration"}:
        assert not set(EXPLAINS[alternative]) & {"payment", "email", "phone", "organization"}


DAYS_IN_TURN = 2


def _in_turn(size: int = 6, pause: int = 1, **records: Any) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    """Records and features of accounts of one card that work for two days each, one after the other."""
    start = {n: n * (DAYS_IN_TURN * DAY_US + pause) for n in range(size)}
    return (
        {n: {"payment_key": 5, "status": "closed", **records} for n in range(size)},
        {n: {"first_us": first, "last_us": first + DAYS_IN_TURN * DAY_US} for n, first in start.items()},
    )


def test_a_move_is_one_customers_accounts_one_after_the_other_and_leaves_nothing_that_it_takes_along() -> None:
    records, turns = _in_turn()
    everyone = list(range(6))
    row = _scored(records, {"payment": everyone, "ip": everyone, "template": everyone}, size=6, features=turns)["migration"]
    assert (row["fit_share"], row["applies"], row["margin_bits"]) == (1.0, True, -MARGIN)
    for kind in ("handoff", "fanout", "rewritten_client"):
        assert _scored(records, {kind: everyone}, size=6, features=turns)["migration"]["margin_bits"] > 0


@pytest.mark.parametrize("record", SAME_CUSTOMER)
def test_a_move_is_one_customers_by_any_record_that_says_so(record: str) -> None:
    records, turns = _in_turn(payment_key=None, **{record: 9}) if record != "payment_key" else _in_turn()
    assert _scored(records, size=6, features=turns)["migration"]["applies"] is True
    assert _scored({n: {**row, record: n} for n, row in records.items()}, size=6, features=turns)["migration"]["fit_share"] == 0.0
    assert _scored({n: {**row, record: None} for n, row in records.items()}, size=6, features=turns)["migration"]["fit_share"] == 0.0


@pytest.mark.parametrize(
    ("pause", "applies"), [(1, True), (VERDICT.migration_pause_days * DAY_US, True), (VERDICT.migration_pause_days * DAY_US + 1, False), (0, False), (-DAY_US, False)]
)
def test_accounts_that_work_at_once_or_long_after_each_other_have_not_moved(pause: int, applies: bool) -> None:
    records, turns = _in_turn(pause=pause)
    assert _scored(records, size=6, features=turns)["migration"]["applies"] is applies


@pytest.mark.parametrize("status", STOPPED)
def test_an_account_that_the_provider_stopped_has_not_moved(status: str) -> None:
    records, turns = _in_turn(status=status)
    assert _scored(records, size=6, features=turns)["migration"]["fit_share"] == 0.0


@pytest.mark.parametrize("size", [VERDICT.migration_max_accounts, VERDICT.migration_max_accounts + 1])
def test_more_accounts_than_a_customer_moves_through_are_a_pool(size: int) -> None:
    records, turns = _in_turn(size)
    assert _scored(records, size=size, features=turns)["migration"]["applies"] is (size <= VERDICT.migration_max_accounts)


def test_the_longest_chain_counts_and_a_pool_that_is_replaced_account_by_account_is_none() -> None:
    records, turns = _in_turn(8)
    both = {n: turns[n // 2] for n in range(8)}  # two work at any time
    assert _scored(records, size=8, features=both)["migration"]["fit_share"] == 0.5
    one_beside = {**turns, 7: turns[0]}
    assert _scored(records, size=8, features=one_beside)["migration"]["fit_share"] == 7 / 8


@pytest.mark.parametrize(("counts", "applies"), [((9, 0, 0, 4, 2), True), ((9, 0, 0, 5, 2), False), ((9, 0, 0, 0, 0), False), ((4, 0, 4, 5, 0), False)])
def test_scripts_over_one_corpus_fill_templates_of_their_own_with_what_outsiders_fill_theirs_with(counts: tuple[int, ...], applies: bool) -> None:
    everyone = list(range(10))
    found = _scored(held={"template": everyone, "settings": everyone}, repeated=dict.fromkeys(everyone, counts))
    assert (found["script_users"]["applies"], found["script_users"]["margin_bits"]) == (applies, -MARGIN)
    for kind in ("payment", "ip", "handoff", "rewritten_client"):
        assert _scored(held={kind: everyone}, repeated=dict.fromkeys(everyone, counts))["script_users"]["margin_bits"] > 0


def test_chance_explains_nothing_and_never_applies() -> None:
    found = _scored({n: {"organization_key": 5, "access_pathway": "education"} for n in range(10)}, {"payment": list(range(10))})
    assert found[NOTHING]["applies"] is False
    assert found[NOTHING]["margin_bits"] == pytest.approx(math.log2(POPULATION) - MARGIN)
    assert found[NOTHING]["margin_bits"] == max(row["margin_bits"] for row in found.values())


def test_small_groups_are_not_scored(tables: Frames) -> None:
    small = tables["clusters"].filter(pl.col("origin") == "small")["cluster"].unique()
    assert len(small) > 0
    assert not tables["cluster_alternatives"]["cluster"].is_in(small.implode()).any()
