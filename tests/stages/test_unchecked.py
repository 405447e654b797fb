"""Innocent explanations that a log cannot rule out: what is missing never counts as evidence against them, and what is there still does."""

from __future__ import annotations

import functools
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.kinds import kind_table, kinds
from tests.stages.builders import CONFIG, DAY_US, Frames, empty, frame, key, python_stage, sql, stage_named

STAGE = stage_named("pipeline.stages.alternatives:alternatives")
SIZE, POPULATION = 10, 40
FAMILY = {kind.kind: kind.family for kind in kinds(CONFIG.links)}
MEMBERS = tuple(range(SIZE))
TOLD: dict[str, Any] = {
    "has_record": True,
    "access_pathway": "self_serve",
    "email_domain_class": "free",
    "created_us": 0,
    "payment_key": 1,
    "email_domain_key": 1,
    "signup_ip_key": 1,
    "organization_key": 1,
}
"""A record with every column that an explanation asks for; numbers are made each account's own."""


def _record(number: int, **changed: Any) -> dict[str, Any]:
    own = {name: key(name, number) if isinstance(value, int) and not isinstance(value, bool) else value for name, value in TOLD.items()}
    return {"account_key": key(number), "account_id": f"a{number:02d}", "is_vouched": False, **own, "created_us": 30 * number * DAY_US, **changed}


@functools.cache
def _counted(used: tuple[tuple[int, str], ...]) -> pl.DataFrame:
    """entity_counts as stage 31 makes it of accounts and the kinds of which they used a value: it counts no kind that no stage asks for."""
    day = {"first_day": "2026-05-01", "day_count": 1, "request_count": 1}
    rows = [{"kind": kind, "account_key": key(n), "value_key": key(kind, n), **day} for n, kind in used]
    windows = [{"account_key": key(n), "first_us": 0} for n in range(POPULATION)]
    return sql("31_entity_counts.sql", {"entities": frame("entities", rows), "account_windows": frame("account_windows", windows)})


def _scored(
    members: dict[int, dict[str, Any]] | None = None,
    held: dict[str, list[int]] | None = None,
    clients: tuple[int, ...] = tuple(range(POPULATION)),
    addressed: tuple[int, ...] = tuple(range(POPULATION)),
    wording: dict[int, list[int]] | None = None,
    topic_p: float | None = 1e-4,
    share: int = 9,
    missing: tuple[str, ...] = (),
) -> dict[str, dict[str, Any]]:
    """Alternatives of one cluster of accounts 0 .. SIZE - 1 amid POPULATION.

    `members` changes their records, `held` names the holders of one value of each kind, `clients` and `addressed` the accounts with a named client or an address, `wording`
    who recurs to each 4-gram (in `share` of 10 prompts that formed nothing), `missing` columns that no record has.
    """
    records = [_record(n, **(members or {}).get(n, {})) | dict.fromkeys(missing) for n in range(POPULATION)]
    values = [
        {"kind": kind, "value_key": 7, "account_key": key(n), "entity_key": key(n), "family": FAMILY[kind], "share": 1.0, "df": len(holders), "rarity_micro_bits": 1}
        for kind, holders in (held or {}).items()
        for n in holders
    ]
    shared = [{"cluster": 0, "kind": k, "value_key": 7, "inside_count": sum(n < SIZE for n in h), "df": len(h), "qualifies": True} for k, h in (held or {}).items()]
    habits = [(n, gram, half) for gram, users in (wording or {}).items() for n in users for half in (0, 1)]
    used = (*((n, kind) for n in clients for kind in ("agent", "agent_product")), *((n, kind) for n in addressed for kind in ("ip", "ip_prefix")))
    given_: Frames = {
        "account_records": frame("account_records", records),
        "shared_values": frame("shared_values", values),
        "cluster_values": frame("cluster_values", shared),
        "recurring_shingles": frame(
            "recurring_shingles", [{"account_key": key(n), "half": half, "shingle": gram, "document_count": share, "document_total": 10} for n, gram, half in habits]
        ),
        "clusters": frame("clusters", [{"cluster": 0, "account_key": key(n), "origin": "network", "bits": 20.0} for n in MEMBERS]),
        "kinds": kind_table(CONFIG.links),
        "entity_counts": _counted(used),
        "cluster_tests": frame("cluster_tests", [{"cluster": 0, "test": "held_out_topic", "p_value": topic_p, "status": "ran" if topic_p else "not_run"}]),
    }
    made = python_stage(STAGE, {name: given_[name] if name in given_ else empty(name) for name in STAGE.reads})
    return {row["alternative"]: row for row in made["cluster_alternatives"].iter_rows(named=True)}


def _open(**given_: Any) -> set[str]:
    return {name for name, row in _scored(**given_).items() if row["is_unchecked"]}


def test_a_log_that_lacks_nothing_leaves_nothing_unchecked() -> None:
    assert _open() == set()
    assert _open(held={"ip": list(MEMBERS), "payment": list(MEMBERS)}, wording={g: list(MEMBERS) for g in range(9)}) == set()


@pytest.mark.parametrize(
    ("missing", "held", "left"),
    [
        (("organization_key",), {"payment": MEMBERS}, {"self_serve_team"}),
        (("organization_key",), {"mail_domain": MEMBERS}, {"self_serve_team"}),
        (("organization_key",), {"payment": MEMBERS[:5]}, set()),
        (("organization_key", "payment_key", "email_domain_key"), {}, {"self_serve_team"}),
        (("access_pathway",), {"ip_prefix": MEMBERS}, {"classroom"}),
        (("email_domain_class",), {"signup_ip": MEMBERS}, {"classroom"}),
        (("access_pathway", "email_domain_class"), {}, set()),
        (("created_us",), {"ip": MEMBERS}, {"event"}),
        (("created_us",), {"ip_prefix": MEMBERS}, set()),
    ],
)
def test_a_missing_column_leaves_open_what_nothing_else_speaks_against(missing: tuple[str, ...], held: dict[str, tuple[int, ...]], left: set[str]) -> None:
    assert _open(missing=missing, held={kind: list(holders) for kind, holders in held.items()}) == left


def test_without_addresses_a_class_of_unknown_pathway_and_people_of_one_week_stay_open() -> None:
    bare = {"addressed": (), "missing": ("signup_ip_key", "access_pathway")}
    assert _open(**bare) == {"classroom"}
    assert _open(**bare, members={n: {"created_us": n} for n in MEMBERS}) == {"classroom", "event"}


def test_without_the_accounts_table_what_the_requests_say_still_counts() -> None:
    nothing = tuple(name for name in TOLD if name not in {"has_record", "organization_key"})
    members = {n: {"has_record": False} for n in range(POPULATION)}
    assert _open(members=members, missing=nothing) == set()
    assert _open(members=members, missing=nothing, held={"ip": list(MEMBERS)}) == {"classroom", "event"}
    assert _open(members=members, missing=(*nothing, "organization_key")) == {"self_serve_team"}


@pytest.mark.parametrize(("recorded", "left"), [(SIZE, set()), (2, {"self_serve_team"}), (3, set())])
def test_an_account_without_a_record_may_have_an_organisation_if_only_records_tell(recorded: int, left: set[str]) -> None:
    none = {"organization_key": None, "payment_key": None, "email_domain_key": None}
    members = {n: none | {"has_record": n < recorded} for n in MEMBERS} | {n: {"has_record": True} for n in range(SIZE, POPULATION)}
    assert _open(members=members) == left


def test_where_requests_name_organisations_an_account_without_one_has_none() -> None:
    none = {"organization_key": None, "payment_key": None, "email_domain_key": None, "has_record": False}
    assert _open(members=dict.fromkeys(MEMBERS, none) | {30: {"has_record": False}}) == set()


def test_a_topic_test_that_could_not_run_leaves_a_box_open_and_one_that_ran_does_not() -> None:
    assert _open(topic_p=None) == {"shared_box"}
    assert _open(topic_p=1e-4) == set()
    assert _scored(topic_p=0.5)["shared_box"]["applies"]


def _by(users: list[int], *grams: int) -> dict[int, list[int]]:
    return dict.fromkeys(range(*grams), users)


EVERYBODY, OUTSIDE = list(range(POPULATION)), list(range(SIZE, POPULATION))
LEAST = CONFIG.links.template_min_shingles


@pytest.mark.parametrize(
    ("clients", "wording", "share", "left"),
    [
        (OUTSIDE, _by(EVERYBODY, 9), 9, {"public_client"}),
        (EVERYBODY, _by(EVERYBODY, 9), 9, set()),  # the client is named, and judged as such
        (OUTSIDE, _by(list(MEMBERS), 9), 9, set()),  # wording of the group's own
        (OUTSIDE, _by(EVERYBODY, LEAST - 1), 9, set()),  # too little for a templated prompt
        (OUTSIDE, _by(EVERYBODY, 9) | _by(list(MEMBERS), 20, 20 + LEAST), 9, set()),  # own wording besides
        (OUTSIDE, _by(EVERYBODY, 9) | _by(list(MEMBERS), 20, 19 + LEAST), 9, {"public_client"}),
        (OUTSIDE, _by(EVERYBODY, 9) | _by(list(MEMBERS), 20, 20 + LEAST), 0, {"public_client"}),  # but in hardly a prompt
    ],
)
def test_wording_that_others_use_may_be_a_clients_if_no_client_is_named(clients: list[int], wording: dict[int, list[int]], share: int, left: set[str]) -> None:
    assert _open(clients=tuple(clients), wording=wording, share=share) == left


RECORDS = st.fixed_dictionaries(
    {
        "organization_key": st.sampled_from([1, 1, 1, 2]),
        "access_pathway": st.sampled_from(["education", "education", "self_serve"]),
        "email_domain_class": st.sampled_from(["edu", "free"]),
        "created_us": st.sampled_from([0, 1, 9 * DAY_US]),
    }
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(RECORDS, min_size=SIZE, max_size=SIZE),
    st.sets(st.sampled_from(["organization_key", "access_pathway", "email_domain_class", "created_us", "addresses"]), min_size=1),
)
def test_whatever_applies_in_the_whole_log_applies_or_is_unchecked_in_a_part_of_it(records: list[dict[str, Any]], lost: set[str]) -> None:
    """A customer's accounts on one card, a class and an event at one address: with columns lost they are explained or left open, never forgotten."""
    members, held = dict(enumerate(records)), {"payment": list(MEMBERS), "ip": list(MEMBERS)}
    whole = _scored(members=members, held=held)
    applying = {name for name in ("self_serve_team", "classroom", "event") if whole[name]["applies"]}
    assume(applying)
    bare = "addresses" in lost
    columns = tuple(sorted(lost - {"addresses"})) + (("signup_ip_key",) if bare else ())
    less = _scored(members=members, held={"payment": held["payment"]} if bare else held, addressed=() if bare else tuple(range(POPULATION)), missing=columns)
    assert all(less[name]["applies"] or less[name]["is_unchecked"] for name in applying)
    assert not any(less[name]["applies"] and not whole[name]["applies"] for name in applying)
