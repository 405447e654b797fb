"""Nearest accounts: distances found another way, laws of likeness, and links that are the run's own."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from pipeline.evidence.cards import FEATURE_NAMES, linked_accounts, percentiles
from pipeline.evidence.explanation import explain
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.similar import SHARED, similar
from pipeline.evidence.waterfall import waterfall


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


def _account(run: FinishedRun, name: str) -> dict[str, object]:
    return run.where("accounts", account_id=name).row(0, named=True)


def _bent(run: FinishedRun) -> dict[str, dict[str, float]]:
    """Every account's features on the bent scale, one value at a time in plain Python."""
    rows = run.table("accounts").rows(named=True)
    scaled: dict[str, dict[str, float]] = {row["account_id"]: {} for row in rows}
    for name in FEATURE_NAMES:
        known = sorted(float(row[name]) for row in rows if row[name] is not None)
        if not known:
            continue
        at = [known[min(len(known) - 1, int(share * len(known)))] for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
        spread = (at[3] - at[1]) / 2 or (at[4] - at[0]) / 2
        if spread > 0:
            for row in rows:
                if row[name] is not None:
                    scaled[row["account_id"]][name] = math.asinh((row[name] - at[2]) / spread)
    return scaled


def test_distances_and_their_order_are_those_of_plain_arithmetic(run: FinishedRun) -> None:
    found = similar(run, _account(run, "person-004"), 150)
    bent = _bent(run)
    own = bent["person-004"]
    linked = {row["other_account_id"] for row in found.linked}
    expected = {}
    for name, values in bent.items():
        both = own.keys() & values.keys()
        if name not in ("person-004", *linked) and len(both) >= SHARED * len(own):
            expected[name] = math.sqrt(sum((own[key] - values[key]) ** 2 for key in both) / len(both))
    assert found.features == len(own)
    assert len(found.alike) == min(150, len(expected))
    for one in found.alike:
        assert one.distance == pytest.approx(expected[one.account_id], abs=2e-6)
    assert [one.distance for one in found.alike] == sorted(one.distance for one in found.alike)
    assert found.alike[0].distance == pytest.approx(min(expected.values()), abs=2e-6)


def test_likeness_is_mutual(run: FinishedRun) -> None:
    nearest = similar(run, _account(run, "person-004"), 1).alike[0]
    back = {one.account_id: one.distance for one in similar(run, _account(run, nearest.account_id), 158).alike}
    assert back["person-004"] == pytest.approx(nearest.distance, abs=1e-5)


def test_members_of_a_pool_are_linked_first_and_never_listed_twice(run: FinishedRun) -> None:
    found = similar(run, _account(run, "pool-000"), 20)
    linked = [row["other_account_id"] for row in found.linked]
    assert set(linked) == {f"pool-{number:03d}" for number in range(1, 8)}
    assert not set(linked) & {one.account_id for one in found.alike}
    assert [row["bits"] for row in found.linked] == sorted((row["bits"] for row in found.linked), reverse=True)


def test_reasons_name_values_that_both_have(run: FinishedRun) -> None:
    found = similar(run, _account(run, "pool-000"), 10)
    for one in found.alike:
        for reason in filter(None, [*one.alike_in.split(", "), one.unlike_in]):
            assert reason.split(" ")[0] in FEATURE_NAMES


def test_bits_of_linked_accounts_are_those_of_their_links(run: FinishedRun) -> None:
    links = run.table("links")
    for row in linked_accounts(run, "pool-003"):
        pair = sorted(("pool-003", row["other_account_id"]))
        own = links.filter((pl.col("account_a") == pair[0]) & (pl.col("account_b") == pair[1]))
        assert row["bits"] == pytest.approx(own.filter(pl.col("bits_kind") == "rarity")["bits"].sum(), abs=1e-6)
        assert set(row["kind"].split(",")) == set(own["kind"])


def test_a_percentile_is_the_share_of_accounts_below(run: FinishedRun) -> None:
    account, table = _account(run, "pool-000"), run.table("accounts")
    found = percentiles(run, account)
    for name in ("output_tokens", "request_count", "prompt_distinct_share", "ip_count"):
        known = [value for value in table[name].to_list() if value is not None]
        below = sum(value < account[name] for value in known) + sum(value == account[name] for value in known) / 2
        assert found[name] == pytest.approx(below / len(known), abs=1e-6)
    assert all(found[name] is None for name in FEATURE_NAMES if account[name] is None)


def test_a_waterfall_ends_where_evidence_less_threshold_is(run: FinishedRun) -> None:
    pool = [f"pool-{number:03d}" for number in range(8)]
    margin = float(run.manifest()["config"]["networks"]["edge_margin_bits"])
    for own, others in ((pool[0], pool[1:]), ("person-001", ["person-002"])):
        found = explain(run, _account(run, own), run.among("accounts", {"account_id": others}).select("account_id", "account_key"))
        steps = waterfall(found, margin)
        assert steps[-1].bits == pytest.approx(found.mean_bits - found.edge_bits, abs=1e-5)
        assert steps[0].bits == pytest.approx(-math.log2(run.manifest()["counts"]["accounts"]), abs=1e-5)
        total = 0.0
        for step in steps[:-1]:
            total += step.bits
            assert step.sum_bits == pytest.approx(total, abs=1e-5)
        assert (steps[-1].step == "above the threshold") == (found.mean_bits >= found.edge_bits)
        assert {step.step for step in steps if step.kind == "family"} == {bar.family for bar in found.bars if bar.mean_bits}
