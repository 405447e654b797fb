"""Laws of the verdict: what can never be referred, however strong everything else is. Each law is drawn around facts that are referred."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kinds import CLASS_OF_FAMILY, DESCRIBES, FAMILIES, LIKENESS_FAMILIES, LINK_FAMILIES
from pipeline.measures.nulls import benjamini_hochberg
from pipeline.stages.alternatives import EXPLAINS
from pipeline.stages.unchecked import ASKED
from tests.stages.builders import CONFIG, START_US, Frames, empty, frame, key, kind_table, python_stage, stage_named

STAGE = stage_named("pipeline.stages.verdict:verdict")
LIKENESS = [family for family in LINK_FAMILIES if CLASS_OF_FAMILY[family] == "likeness"]
SMALLEST_P = 1e-6
INNOCENT = tuple(EXPLAINS)
NEVER = ("self_serve_team", "vouched_organisation")
"""Explanations that keep a network from being referred whatever they leave unexplained: one customer is not a network."""
LAWS = settings(max_examples=25, deadline=None)
BITS = st.floats(0, 64)
SIZES = st.integers(CONFIG.networks.min_accounts, 30)


def _family(family: str, admitted: bool, **changed: Any) -> dict[str, Any]:
    strong = {"median_bits": 64.0, "coverage_share": 1.0, "linked_pair_share": 1.0, "control_percentile": 100.0, "control_count": 99, "kinds": "", "admitted": admitted}
    return {"cluster": 0, "family": family, "evidence_class": CLASS_OF_FAMILY[family], **strong, **changed}


def _test(name: str, family: str, supports: str, p_value: float, cluster: int = 0) -> dict[str, Any]:
    return {"cluster": cluster, "test": name, "family": family, "supports": supports, "statistic": 1.0, "p_value": p_value, "sample_size": 99, "status": "ran", "reason": ""}


def _facts(size: int = 12, origin: str = "network", output: int = 100_000, documents: int = 30, **tables: list[dict[str, Any]]) -> Frames:
    """One cluster with everything against it, as the frames that the verdict reads; tables that are named replace the worst."""
    accounts = [key("account", n) for n in range(size)]
    held = [{"account_key": account, "prompt_key": n, "habit_count": 9, "request_count": 1, "output_tokens": output} for account in accounts for n in range(documents)]
    given: dict[str, list[dict[str, Any]]] = {
        "account_records": [{"account_key": account, "account_id": f"a{n:03d}", "is_vouched": False} for n, account in enumerate(accounts)],
        "clusters": [{"cluster": 0, "account_key": account, "origin": origin, "bits": 64.0} for account in accounts],
        "cluster_families": [_family(family, True) for family in FAMILIES],
        "cluster_tests": [
            _test("held_out_wording", "templates", "coordination", SMALLEST_P),
            _test("shared_days", "timing", "coordination", SMALLEST_P),
            _test("harvest_share", "extraction", "extraction", SMALLEST_P),
        ],
        "cluster_alternatives": [{"cluster": 0, "alternative": name, "fit_share": 0.0, "applies": False, "margin_bits": 64.0} for name in INNOCENT],
        "features": [{"account_key": account, "request_count": 100, "active_days": 9, "first_us": START_US, "last_us": START_US} for account in accounts],
        "boilerplate": held,
        "sample_totals": [{"account_key": account, "document_count": max(1, documents)} for account in accounts],
        "habits": [{"account_key": account, "half": 1, "shingle": 7, "document_count": 9, "document_total": 9} for account in accounts],
    }
    return {
        **{name: empty(name) for name in STAGE.reads if name != "kinds"},
        "kinds": kind_table(CONFIG.links),
        **{name: frame(name, rows) for name, rows in (given | tables).items()},
    }


def _verdict(facts: Frames) -> dict[str, Any]:
    networks = python_stage(STAGE, facts)["networks"]
    assert networks.height == 1
    network = networks.row(0, named=True)
    assert network["flagged"] == (network["tier"] == "refer")
    return network


def _innocent(*applying: tuple[str, float]) -> list[dict[str, Any]]:
    margins = dict(applying)
    return [{"cluster": 0, "alternative": name, "fit_share": 1.0, "applies": name in margins, "margin_bits": margins.get(name, 64.0)} for name in INNOCENT]


@pytest.mark.parametrize("size", [CONFIG.networks.min_accounts, 12, 60])
def test_the_facts_that_the_laws_vary_are_referred(size: int) -> None:
    assert _verdict(_facts(size))["tier"] == "refer"


@LAWS
@given(SIZES, st.booleans(), st.booleans(), BITS, st.floats(90, 100), st.floats(SMALLEST_P, CONFIG.verdict.max_q_value / 10))
def test_likeness_alone_is_never_referred_however_strong(size: int, likeness: bool, address: bool, bits: float, percentile: float, p_value: float) -> None:
    families = [
        _family(
            family,
            {"identity": False, "handoff": False, "client": False, "infrastructure": address}.get(family, likeness),
            median_bits=64.0 if family in LIKENESS else bits,
            control_percentile=percentile,
        )
        for family in LINK_FAMILIES
    ]
    tests = [
        _test("held_out_wording", "templates", "coordination", p_value),
        _test("held_out_topic", "topic", "coordination", p_value),
        _test("shared_days", "timing", "coordination", p_value),
        _test("harvest_share", "extraction", "extraction", SMALLEST_P),
        _test("pooled_harvest_share", "extraction", "extraction", SMALLEST_P),
    ]
    network = _verdict(_facts(size, cluster_families=families, cluster_tests=tests))
    assert network["tier"] == "watch"
    assert network["attribution_level"] in {"L0", "L1"}


@pytest.mark.parametrize("gate", [False, True])
def test_likeness_of_pairs_changes_nothing_of_a_verdict(gate: bool) -> None:
    """Without another family an open gate is one family short, and however much alike the members are, it stays so."""
    weak = {"median_bits": 0.0, "control_percentile": 50.0}
    families = [_family(family, gate and family == "identity", **weak) for family in FAMILIES]
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), _test("harvest_share", "extraction", "extraction", SMALLEST_P)]
    without = _verdict(_facts(cluster_families=families, cluster_tests=tests))
    alike = [_family(family, True) for family in LIKENESS_FAMILIES]
    assert _verdict(_facts(cluster_families=[*families, *alike], cluster_tests=tests)) == without
    assert without["tier"] == "watch"


@pytest.mark.parametrize("gate", ["identity", "handoff", "client"])
def test_a_specific_fact_or_a_coupling_opens_the_gate(gate: str) -> None:
    families = [_family(family, family in (gate, "templates") or CLASS_OF_FAMILY[family] == "likeness") for family in FAMILIES]
    assert _verdict(_facts(cluster_families=families))["tier"] == "refer"


@pytest.mark.parametrize(("share", "tier"), [(CONFIG.verdict.min_harvest_share, "refer"), (CONFIG.verdict.min_harvest_share - 0.01, "watch")])
def test_a_share_of_templated_long_answers_below_the_floor_is_no_extraction_however_rare(share: float, tier: str) -> None:
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), {**_test("harvest_share", "extraction", "extraction", SMALLEST_P), "statistic": share}]
    network = _verdict(_facts(cluster_tests=tests))
    assert (network["tier"], network["attribution_level"]) == (tier, "L3" if tier == "refer" else "L1"), "the gate is open and nothing explains it"


def test_a_family_diluted_by_other_traffic_counts_by_its_held_out_test_and_only_if_it_is_there() -> None:
    def tier(median_bits: float, p_value: float) -> str:
        dilute = {"median_bits": median_bits, "control_percentile": 100.0, "coverage_share": 0.0}
        absent = {"median_bits": 0.0, "control_percentile": 50.0, "coverage_share": 0.0}
        families = [_family(family, family == "handoff", **(dilute if family == "templates" else absent)) for family in FAMILIES]
        tests = [
            _test("held_out_wording", "templates", "coordination", p_value),
            _test("held_out_handoff", "handoff", "coordination", SMALLEST_P),
            _test("harvest_share", "extraction", "extraction", SMALLEST_P),
        ]
        return str(_verdict(_facts(cluster_families=families, cluster_tests=tests))["tier"])

    assert tier(1.0, SMALLEST_P) == "refer"
    assert tier(0.0, SMALLEST_P) == "watch"
    assert tier(1.0, 0.5) == "watch"


@LAWS
@given(SIZES, st.dictionaries(st.sampled_from(INNOCENT), BITS, min_size=1), st.sampled_from(NEVER), BITS)
def test_one_customer_is_never_referred_whatever_else_fits(size: int, others: dict[str, float], customer: str, margin: float) -> None:
    network = _verdict(_facts(size, cluster_alternatives=_innocent(*(others | {customer: margin}).items())))
    assert network["tier"] in {"watch", "explained"}


@LAWS
@given(SIZES, st.dictionaries(st.sampled_from(INNOCENT), BITS), st.sampled_from(INNOCENT), st.floats(-64, 0))
def test_what_an_explanation_explains_as_well_is_never_referred(size: int, others: dict[str, float], best: str, margin: float) -> None:
    network = _verdict(_facts(size, cluster_alternatives=_innocent(*(others | {best: margin}).items())))
    assert network["tier"] in {"watch", "explained"}
    assert network["best_alternative"] in {best, *others}
    assert network["attribution_level"] == "L0" or network["alternative_margin_bits"] > 0, "what explains the links leaves nobody's control to infer"


@pytest.mark.parametrize("origin", ["small", "vouched"])
@pytest.mark.parametrize("size", [2, 4, 12])
def test_small_groups_and_vouched_organisations_are_never_referred(origin: str, size: int) -> None:
    assert _verdict(_facts(size, origin=origin))["tier"] in {"watch", "explained"}


@LAWS
@given(st.integers(0, CONFIG.verdict.min_output_tokens - 1), st.integers(0, 30))
def test_short_answers_are_never_referred(output: int, documents: int) -> None:
    assert _verdict(_facts(output=output, documents=documents))["tier"] == "watch"


@LAWS
@given(st.floats(2.0**-CONFIG.verdict.min_extraction_bits + 1e-4, 1.0))
def test_traffic_that_volume_matched_groups_show_too_is_never_referred(p_value: float) -> None:
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), _test("harvest_share", "extraction", "extraction", p_value)]
    assert _verdict(_facts(cluster_tests=tests))["tier"] == "watch"


@pytest.mark.parametrize("ran", [0, 1])
def test_a_network_without_a_test_of_coordination_or_extraction_is_never_referred(ran: int) -> None:
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), _test("harvest_share", "extraction", "extraction", SMALLEST_P)]
    network = _verdict(_facts(cluster_tests=[tests[ran], {**tests[1 - ran], "status": "not_run", "p_value": None}]))
    assert network["tier"] == "watch"
    assert (network["q_value"] is None) == (ran == 1)


@LAWS
@given(st.floats(CONFIG.verdict.max_q_value * 1.001, 1.0))
def test_what_chance_explains_is_never_referred(p_value: float) -> None:
    tests = [_test("held_out_wording", "templates", "coordination", p_value), _test("harvest_share", "extraction", "extraction", SMALLEST_P)]
    assert _verdict(_facts(cluster_tests=tests))["tier"] == "watch"


def test_one_family_alone_is_never_referred() -> None:
    weak = {"median_bits": 0.0, "control_percentile": 50.0, "coverage_share": 0.0}
    families = [_family(family, family == "identity", **({} if family == "identity" else weak)) for family in FAMILIES]
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), _test("harvest_share", "extraction", "extraction", SMALLEST_P)]
    assert _verdict(_facts(cluster_families=families, cluster_tests=tests))["tier"] == "watch"


@LAWS
@given(st.lists(st.floats(SMALLEST_P, 1.0), min_size=1, max_size=12))
def test_q_values_control_false_discovery_over_all_clusters_of_the_run(p_values: list[float]) -> None:
    size, facts = 5, _facts(5)
    records = [{"account_key": key(c, n), "account_id": f"a{c}-{n}", "is_vouched": False} for c in range(len(p_values)) for n in range(size)]
    members = [{"cluster": c, "account_key": key(c, n), "origin": "network", "bits": 20.0} for c in range(len(p_values)) for n in range(size)]
    tests = [_test("held_out_wording", "templates", "coordination", p, c) for c, p in enumerate(p_values)]
    tables = {"account_records": records, "clusters": members, "cluster_tests": tests}
    facts |= {name: frame(name, rows) for name, rows in tables.items()} | {name: empty(name) for name in ("boilerplate", "sample_totals", "habits", "features")}
    made = python_stage(STAGE, facts)
    found = made["cluster_ids"].join(made["networks"], on="network_id").sort("cluster")
    q_values = benjamini_hochberg(pl.Series(p_values).to_numpy())
    assert found["q_value"].to_list() == pytest.approx(q_values.tolist(), abs=1e-6)
    assert found["p_value"].to_list() == pytest.approx(p_values, abs=1e-6)


def test_members_whose_own_traffic_is_not_the_networks_are_left_out() -> None:
    facts = _facts(12)
    stranger = key("account", 3)
    habits = facts["habits"].with_columns(pl.when(pl.col("account_key") == stranger).then(99).otherwise(pl.col("shingle")).alias("shingle"))
    made = python_stage(STAGE, facts | {"habits": habits})
    assert made["networks"]["tier"].to_list() == ["refer"]
    assert set(made["members"]["account_id"]) == {f"a{n:03d}" for n in range(12) if n != 3}


def test_a_network_of_which_too_few_members_collect_anything_is_not_referred() -> None:
    facts = _facts(8)
    idle = [key("account", n) for n in range(5)]
    network = _verdict(facts | {"boilerplate": facts["boilerplate"].filter(~pl.col("account_key").is_in(idle))})
    assert (network["tier"], network["account_count"]) == ("watch", 8)


def _unchecked(*names: str, margin: float = -1.0) -> list[dict[str, Any]]:
    return [{"cluster": 0, "alternative": name, "fit_share": 0.0, "applies": False, "margin_bits": margin, "is_unchecked": name in names} for name in INNOCENT]


@pytest.mark.parametrize("name", ASKED)
def test_what_an_unchecked_explanation_would_explain_is_watched_and_the_reason_names_it(name: str) -> None:
    network = _verdict(_facts(cluster_alternatives=_unchecked(name)))
    assert (network["tier"], network["reason"], network["best_alternative"]) == ("watch", f"unchecked_{name}", "none")
    assert network["attribution_level"] == "L0", "whose control it is cannot be inferred while the explanation stands open"


@pytest.mark.parametrize(("name", "tier"), [("self_serve_team", "watch"), ("public_client", "watch"), ("classroom", "refer"), ("event", "refer"), ("shared_box", "refer")])
def test_an_unchecked_explanation_that_would_leave_a_fact_unexplained_keeps_from_a_referral_only_who_it_would_keep_if_it_applied(name: str, tier: str) -> None:
    assert _verdict(_facts(cluster_alternatives=_unchecked(name, margin=1.0)))["tier"] == tier


@LAWS
@given(st.sets(st.sampled_from(INNOCENT)), st.sets(st.sampled_from(ASKED), min_size=1), st.floats(-9, 9), st.booleans(), st.booleans())
def test_no_verdict_is_bolder_for_what_could_not_be_checked(applying: set[str], unchecked: set[str], margin: float, gate: bool, extraction: bool) -> None:
    families = [_family(family, gate or family == "templates") for family in FAMILIES]
    tests = _facts()["cluster_tests"].filter(extraction | (pl.col("supports") != "extraction"))
    scored = [row | {"applies": row["alternative"] in applying} for row in _unchecked(margin=margin)]
    open_too = [row | {"is_unchecked": row["alternative"] in unchecked and not row["applies"]} for row in scored]
    known, less = (_verdict(_facts(cluster_families=families, cluster_alternatives=rows) | {"cluster_tests": tests}) for rows in (scored, open_too))
    assert less["tier"] == known["tier"] or (known["tier"], less["tier"]) == ("refer", "watch")
    assert known["tier"] == "refer" or less["reason"] == known["reason"]


def test_the_provisional_name_depends_on_the_members_alone() -> None:
    one, other = (_verdict(_facts(9, cluster_alternatives=_innocent(*fits))) for fits in ((), (("classroom", -6.0),)))
    assert one["network_id"] == other["network_id"]
    assert one["tier"] != other["tier"]
    assert _verdict(_facts(10))["network_id"] != one["network_id"]


def _pooled(size: int, shares: dict[int, float], likeness: dict[int, float] | None = None, p_value: float = 0.001) -> Frames:
    """Everything against a cluster, but extraction shows only in what its members have in common; `shares` and `likeness` differ from the others' 0.5 and 1."""
    tests = [
        _test("held_out_topic", "topic", "coordination", SMALLEST_P),
        {**_test("harvest_share", "extraction", "extraction", 1.0), "statistic": 0.0},
        {**_test("pooled_harvest_share", "extraction", "extraction", p_value), "statistic": 0.5},
    ]
    members = [{"cluster": 0, "account_key": key("account", n), "harvest_share": shares.get(n, 0.5), "likeness": (likeness or {}).get(n, 1.0)} for n in range(size)]
    return _facts(
        size, boilerplate=[], habits=[], sample_totals=[{"account_key": key("account", n), "document_count": 40} for n in range(size)], cluster_tests=tests, pooled_members=members
    )


def test_extraction_may_show_in_what_members_have_in_common_alone() -> None:
    made = python_stage(STAGE, _pooled(10, {}))
    assert made["networks"]["tier"].to_list() == ["refer"]
    assert made["networks"]["extraction_bits"].to_list() == pytest.approx([8.965784])  # 0.001 twice, because two measures were tried
    assert made["members"]["extraction_score"].to_list() == [0.5] * 10


def test_two_measures_of_extraction_are_two_tries() -> None:
    enough = 2.0 ** -(CONFIG.verdict.min_extraction_bits + 1)
    assert _verdict(_pooled(10, {}, p_value=enough * 0.99))["tier"] == "refer"
    assert _verdict(_pooled(10, {}, p_value=enough * 1.01))["reason"] == "no_extraction"


def test_members_who_send_little_of_what_is_common_or_another_mix_of_it_are_not_named() -> None:
    made = python_stage(STAGE, _pooled(12, {0: 0.12, 1: 0.0}, {2: 0.69}))
    assert set(made["members"]["account_id"]) == {f"a{n:03d}" for n in range(3, 12)}


def test_a_member_of_whom_no_prompt_was_at_hand_is_not_named() -> None:
    facts = _pooled(12, {})
    made = python_stage(STAGE, facts | {"pooled_members": facts["pooled_members"].filter(pl.col("account_key") != key("account", 4))})
    assert "a004" not in made["members"]["account_id"].to_list()
    assert made["members"].height == 11


def test_a_silent_account_is_named_for_a_card_that_the_network_shares_and_not_for_a_client() -> None:
    def named(kind: str) -> list[str]:
        family = "identity" if kind == "payment" else "client"
        facts = _pooled(12, {0: 0.0})
        value = {"cluster": 0, "kind": kind, "value_key": 5, "inside_count": 12, "df": 12, "qualifies": True}
        held = [
            {"kind": kind, "value_key": 5, "account_key": key("account", n), "entity_key": key("account", n), "family": family, "share": 1.0, "df": 12, "rarity_micro_bits": 0}
            for n in range(12)
        ]
        quiet = facts["sample_totals"].with_columns(pl.when(pl.col("account_key") == key("account", 0)).then(7).otherwise(pl.col("document_count")).alias("document_count"))
        tables = {"cluster_values": frame("cluster_values", [value]), "shared_values": frame("shared_values", held), "sample_totals": quiet}
        return python_stage(STAGE, facts | tables)["members"]["account_id"].to_list()

    assert "a000" in named("payment")
    assert "a000" not in named("rewritten_client")


def test_a_topic_in_common_establishes_a_family_and_topics_that_chance_gives_do_not() -> None:
    def tier(p_value: float) -> str:
        families = [_family(family, family == "client", **({} if family == "client" else {"median_bits": 0.0, "control_percentile": 50.0})) for family in FAMILIES]
        tests = [
            _test("held_out_topic", "topic", "coordination", p_value),
            _test("shared_something", "other", "coordination", SMALLEST_P),  # keeps the combined p-value small
            _test("harvest_share", "extraction", "extraction", SMALLEST_P),
        ]
        return str(_verdict(_facts(cluster_families=families, cluster_tests=tests))["tier"])

    assert tier(CONFIG.verdict.max_q_value) == "refer"
    assert tier(0.02) == "watch"


def test_a_member_whose_links_alone_hold_two_parts_together_is_a_bridge_however_strong_its_own() -> None:
    def roles(pairs: list[tuple[int, int]]) -> dict[str, str]:
        links = [{"account_a": key("account", a), "account_b": key("account", b), "kind": "payment", "family": "identity", "bits": 9.0, "support": 1} for a, b in pairs]
        members = python_stage(STAGE, _facts(7, pair_links=links))["members"]
        return dict(members.select("account_id", "role").iter_rows())

    triangles = [(0, 1), (0, 2), (1, 2), (4, 5), (4, 6), (5, 6)]
    assert {name for name, role in roles([*triangles, (2, 3), (3, 4)]).items() if role == "bridge"} == {"a002", "a003", "a004"}
    assert set(roles([*triangles, (2, 3), (3, 4), (1, 5)]).values()) == {"core"}
    assert set(roles([]).values()) == {"core"}


@LAWS
@given(st.dictionaries(st.sampled_from(("asked_once", "round_the_clock", "one_form")), st.floats(SMALLEST_P, 1.0)), st.sampled_from((SMALLEST_P, 1.0)))
def test_a_description_of_the_traffic_changes_no_verdict(described: dict[str, float], p_value: float) -> None:
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), _test("harvest_share", "extraction", "extraction", p_value)]
    shapes = [_test(name, "extraction", DESCRIBES, p) for name, p in described.items()]
    assert _verdict(_facts(cluster_tests=[*tests, *shapes])) == _verdict(_facts(cluster_tests=tests))


TIERS = ("explained", "watch", "refer")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(INNOCENT), st.floats(-6, 64), max_size=4), st.sampled_from(INNOCENT), st.floats(-6, 64), st.sampled_from((SMALLEST_P, 1.0)))
def test_a_further_explanation_that_applies_makes_no_verdict_harsher(applying: dict[str, float], more: str, margin: float, p_value: float) -> None:
    if more in NEVER:  # one customer whose traffic looks harvested is somebody's business, whatever else explains the links
        return
    tests = [_test("held_out_wording", "templates", "coordination", SMALLEST_P), _test("harvest_share", "extraction", "extraction", p_value)]
    before, after = (
        _verdict(_facts(cluster_tests=tests, cluster_alternatives=_innocent(*fits.items())))["tier"]
        for fits in (applying, {**applying, more: min(margin, applying.get(more, 64.0))})
    )
    assert TIERS.index(after) <= TIERS.index(before)
