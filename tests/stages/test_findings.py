"""Findings on the planted world: every figure recounted from the requests, every evidence row a request of a member, hashes and caps right."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kinds import DESCRIBES, SHAPES
from pipeline.stages import findings as findings_stage
from tests.stages import planted
from tests.stages.builders import CONFIG, Frames, empty, frame, key, python_stage, stage_named

STAGE = stage_named("pipeline.stages.findings:findings")
KEPT = 1_000


def _reads(tables: Frames) -> Frames:
    return {name: tables[name] if name in tables else empty(name) for name in STAGE.reads}


def _network(tables: Frames, group: str) -> str:
    (name,) = tables["members"].filter(pl.col("account_id").str.starts_with(group))["network_id"].unique()
    return str(name)


def _finding(tables: Frames, group: str, measure: str) -> dict[str, object]:
    found = tables["findings"].filter((pl.col("network_id") == _network(tables, group)) & (pl.col("measure") == measure))
    assert found.height == 1
    return found.row(0, named=True)


def _evidence(tables: Frames, group: str, measure: str) -> pl.DataFrame:
    rows = tables["evidence"].filter(pl.col("finding_id") == _finding(tables, group, measure)["finding_id"])
    return rows.join(tables["requests"], on=["request_id", "source_file", "source_row"])


def _keys(group: str, count: int) -> list[int]:
    return [key("account", f"{group}-{n:03d}") for n in range(count)]


def test_every_network_has_findings_ranked_from_one(tables: Frames) -> None:
    ranks = tables["findings"].group_by("network_id").agg(pl.col("rank").sort())
    assert set(tables["networks"]["network_id"]) == set(ranks["network_id"])
    assert all(found == list(range(1, len(found) + 1)) for found in ranks["rank"].to_list())
    assert tables["findings"]["finding_id"].is_unique().all()


def test_every_evidence_row_is_a_request_of_a_member_of_the_findings_network(tables: Frames) -> None:
    rows = tables["evidence"].join(tables["requests"], on=["request_id", "source_file", "source_row"], how="left").join(tables["account_records"], on="account_key", how="left")
    assert rows["account_id"].null_count() == 0
    owners = rows.join(tables["findings"], on="finding_id").join(tables["members"], on=["account_id", "network_id"], how="left")
    assert owners["membership"].null_count() == 0
    assert owners.height == tables["evidence"].height > 0


def test_the_hash_is_that_of_the_rows_kept_and_no_finding_keeps_more_than_a_thousand(tables: Frames) -> None:
    kept = tables["evidence"].group_by("finding_id").agg(pl.struct("request_id", "source_file", "source_row").alias("rows"))
    rows = dict(kept.iter_rows())
    for finding, total, digest in tables["findings"].select("finding_id", "evidence_total", "evidence_sha256").iter_rows():
        lines = sorted("\t".join((r["request_id"], r["source_file"], str(r["source_row"]))) for r in rows.get(finding, []))
        assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == digest
        assert len(lines) == min(KEPT, len(lines)) <= total


def test_shared_cards_are_counted_and_shown_by_their_holders(tables: Frames) -> None:
    finding = _finding(tables, "carded", "shared_payment")
    assert finding["value"] == planted.CARD_HOLDERS / planted.CARDED
    assert finding["evidence_total"] == planted.CARD_HOLDERS
    assert set(_evidence(tables, "carded", "shared_payment")["account_key"]) == set(_keys("carded", planted.CARD_HOLDERS))


def test_shared_addresses_are_counted_in_requests_and_shown_by_a_request_from_each(tables: Frames) -> None:
    proxies = [key("ip", f"proxy {n}") for n in range(4)]
    through = tables["requests"].filter(pl.col("account_key").is_in(_keys("carded", planted.CARDED)) & pl.col("ip_key").is_in(proxies))
    shown = _evidence(tables, "carded", "shared_address")
    assert _finding(tables, "carded", "shared_address")["evidence_total"] == through.height
    assert set(shown["ip_key"]) == set(proxies)
    assert set(shown.select("account_key", "ip_key").iter_rows()) == set(through.select("account_key", "ip_key").iter_rows())


def test_templated_output_is_the_median_answer_of_prompts_kept_out_of_clustering(tables: Frames) -> None:
    mine = tables["requests"].filter(pl.col("account_key").is_in(_keys("carded", planted.CARDED)) & (pl.col("prompt_key") % 2 == 1))
    finding = _finding(tables, "carded", "templated_output")
    assert finding["value"] == mine["output_tokens"].median()
    assert finding["evidence_total"] == mine.height
    assert (_evidence(tables, "carded", "templated_output")["prompt_key"] % 2 == 1).all()
    assert finding["value"] >= CONFIG.verdict.min_output_tokens == finding["threshold"]


def test_tests_are_inferences_with_p_and_counts_are_observations_without(tables: Frames) -> None:
    findings = tables["findings"]
    assert set(findings["kind"]) == {"inference", "observation"}
    assert (findings["kind"] == "inference").to_list() == findings["p_value"].is_not_null().to_list()
    assert set(findings["supports"]) == {"coordination", "extraction", "benign"}


def test_what_speaks_for_an_innocent_explanation_is_named_even_where_it_loses(tables: Frames) -> None:
    finding = _finding(tables, "pupil", "fits_classroom")
    assert (finding["supports"], finding["value"]) == ("benign", 1.0)


def test_a_baseline_is_the_same_share_among_the_controls(tables: Frames) -> None:
    finding = _finding(tables, "carded", "shared_payment")
    assert finding["baseline"] == 0.0
    assert finding["baseline_n"] == tables["controls"].filter(pl.col("network_id") == finding["network_id"]).height > 0


@pytest.mark.parametrize("times", [1, 9])
def test_a_thousand_rows_are_kept_the_strongest_twenty_among_them_and_the_total_is_stated(tables: Frames, times: int) -> None:
    mine = pl.col("account_key").is_in(_keys("carded", planted.CARDED))
    held = tables["boilerplate"].filter(mine)
    copies = [held.with_columns(pl.col("source_row") + number, pl.lit(number % 2 + 5, dtype=pl.Int64).alias("habit_count")) for number in range(times)]
    strongest = held.head(20).with_columns(pl.col("source_row") + times, pl.lit(14, dtype=pl.Int64).alias("habit_count"))
    made = python_stage(STAGE, {**_reads(tables), "boilerplate": pl.concat([*copies, strongest])})
    finding = _finding({**tables, **made}, "carded", "templated_output")
    kept = made["evidence"].filter(pl.col("finding_id") == finding["finding_id"])
    assert finding["evidence_total"] == times * held.height + 20
    assert kept.height == min(KEPT, times * held.height + 20)
    reference = ["request_id", "source_file", "source_row"]
    assert strongest.join(kept, on=reference, how="anti").height == 0
    assert {1: kept.height < KEPT, 9: kept.height == KEPT}[times]


def test_a_finding_has_another_name_under_other_settings(tables: Frames) -> None:
    import dataclasses

    other = dataclasses.replace(CONFIG, verdict=dataclasses.replace(CONFIG.verdict, max_q_value=0.02))
    made = python_stage(STAGE, _reads(tables), other)
    assert not set(made["findings"]["finding_id"]) & set(tables["findings"]["finding_id"])


def _conversations(members: list[int], sizes: list[int]) -> pl.DataFrame:
    """Conversations that were handed on, each with so many of the members, and one that a single member took part in."""
    held = [(number, member) for number, size in enumerate(sizes) for member in members[:size]]
    same = {"source_file": "f", "source_row": 0, "request_count": 3}
    rows = [{**same, "account_key": member, "session_key": key("session", number), "request_id": f"{number}-{member}"} for number, member in [*held, (len(sizes), members[0])]]
    return frame("handoff_requests", rows)


def _handed_on(tables: Frames, sizes: list[int]) -> tuple[dict[str, object], pl.DataFrame]:
    """The finding and its rows when the carded network handed conversations on, with the conversation that each row belongs to."""
    (cluster,) = tables["cluster_ids"].filter(pl.col("network_id") == _network(tables, "carded"))["cluster"]
    members = _keys("carded", planted.CARDED)
    made = _conversations([*members, *_keys("person", 3)], sizes).with_columns(pl.lit(cluster, dtype=pl.Int64).alias("cluster"))
    values = [{"kind": "handoff", "family": "handoff", "value_key": row["session_key"], "account_key": row["account_key"]} for row in made.iter_rows(named=True)]
    facts = frame("cluster_values", [{"cluster": cluster, "kind": "handoff", "value_key": value, "qualifies": True} for value in made["session_key"].unique()])
    more = {"shared_values": pl.concat([tables["shared_values"], frame("shared_values", values)]), "cluster_values": pl.concat([tables["cluster_values"], facts])}
    found = python_stage(STAGE, {**_reads(tables), **more, "handoff_requests": made})
    finding = _finding({**tables, **found}, "carded", "handed_on_conversation")
    return finding, found["evidence"].filter(pl.col("finding_id") == finding["finding_id"]).join(made, on="request_id")


def test_handed_on_conversations_are_shown_on_the_accounts_that_took_part(tables: Frames) -> None:
    finding, rows = _handed_on(tables, [2, 5, planted.CARDED + 3])
    shown = dict(rows.group_by("session_key").agg(pl.col("account_key").n_unique()).iter_rows())
    assert shown == {key("session", 0): 2, key("session", 1): 5, key("session", 2): planted.CARDED}, "outsiders and what one member alone used are no evidence"
    assert finding["evidence_total"] == 3 * rows.height
    assert (finding["value"], finding["threshold"], finding["kind"]) == (1.0, CONFIG.verdict.gate_coverage_share, "observation")
    assert set(rows["role"]) == {"shares_value"}


def test_of_many_conversations_whole_ones_are_kept_and_those_of_most_members_first(tables: Frames) -> None:
    finding, rows = _handed_on(tables, [2] * 400 + [4] * 5 + [3] * 200)
    assert rows.height == KEPT
    assert finding["evidence_total"] == 3 * (2 * 400 + 4 * 5 + 3 * 200)
    shown = dict(rows.group_by("session_key").len().iter_rows())
    assert [shown[key("session", number)] for number in range(400, 405)] == [4] * 5
    full = {key("session", number): 2 if number < 400 else 3 for number in (*range(400), *range(405, 605))}
    assert sum(count < full[value] for value, count in shown.items() if value in full) <= 1, "only the last one may be cut"


REFERENCE = st.tuples(st.integers(0, 3), st.sampled_from("xyz"), st.integers(0, 5), st.integers(1, 4), st.none() | st.integers(0, 2))
"""Strength, request, row, weight and lot."""


def _references(rows: list[tuple[int, str, int, int, int | None]]) -> pl.DataFrame:
    columns = {"request_id": [r for _, r, _, _, _ in rows], "source_file": ["f"] * len(rows), "source_row": [n for _, _, n, _, _ in rows], "role": ["supports"] * len(rows)}
    numbers = {"strength": [s for s, _, _, _, _ in rows], "weight": [w for _, _, _, w, _ in rows], "lot": [lot for _, _, _, _, lot in rows]}
    schema = {"request_id": pl.String, "source_file": pl.String, "source_row": pl.Int64, "role": pl.String, "strength": pl.Int64, "weight": pl.Int64, "lot": pl.Int64}
    return pl.DataFrame(columns | numbers, schema=schema)


def _slow_kept(rows: list[tuple[int, str, int, int, int | None]], strongest: int, kept: int) -> list[tuple[str, str, int]]:
    found: dict[tuple[str, int], str] = {}
    for _, request, number, _, lot in sorted(rows, key=lambda row: (-row[0], row[1], row[2])):
        name = f"{request} f {number}" if lot is None else str(lot)
        found.setdefault((request, number), hashlib.sha256(name.encode()).hexdigest())
    order = list(found)
    rest = sorted(order[strongest:], key=lambda reference: (found[reference], *reference))
    return sorted((request, "f", number) for request, number in [*order[:strongest], *rest[: kept - strongest]])


@given(st.lists(st.lists(REFERENCE, max_size=25, unique_by=lambda row: (row[0], row[1], row[2])), max_size=6), st.integers(0, 60))
@settings(max_examples=80, deadline=None)
def test_what_is_kept_of_many_claims_at_once_is_what_is_kept_of_each(claims: list[list[tuple[int, str, int, int, int | None]]], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("STRONGEST", 3), ("KEPT", 7), ("ROWS_AT_ONCE", at_once)):
            patch.setattr(findings_stage, name, value)
        shelf = findings_stage._Shelf()
        assert [shelf.put(_references(rows)) for rows in claims] == list(range(len(claims)))
        kept, totals = shelf.cleared()
    for part, rows in enumerate(claims):
        expected = _slow_kept(rows, 3, 7)
        assert sorted(kept.filter(pl.col("part") == part).select("request_id", "source_file", "source_row").iter_rows()) == expected
        lines = sorted("\t".join(map(str, row)) for row in expected)
        assert totals[part] == {"evidence_total": sum(row[3] for row in rows), "evidence_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}
    assert len(totals) == len(claims)


def test_the_shape_of_the_traffic_is_observed_and_no_inference(tables: Frames) -> None:
    shapes = tables["findings"].filter(pl.col("measure").is_in(list(SHAPES)))
    described = tables["cluster_tests"].filter((pl.col("supports") == DESCRIBES) & (pl.col("status") == "ran"))
    assert shapes.height == described.height > 0
    assert shapes.select("kind", "supports").unique().rows() == [("observation", "extraction")]
    assert shapes["p_value"].null_count() == shapes.height
    assert shapes["baseline"].null_count() == 0
    assert set(tables["findings"]["supports"]) <= {"coordination", "extraction", "benign"}
    rows = tables["evidence"].join(shapes, on="finding_id", how="semi")
    assert rows["role"].unique().to_list() == ["shows_template"]
