"""What `explain` says, held against the run's own tables and against the log that it was made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError, IntegrityError
from pipeline.evidence.explanation import FACTS, ROWS_A_FACT, Explanation, explain
from pipeline.evidence.finished import FinishedRun
from pipeline.kinds import LIKENESS_FAMILIES


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    """The finished run over the tiny log."""
    return FinishedRun(finished)


def _account(run: FinishedRun, name: str) -> dict[str, object]:
    return run.where("accounts", account_id=name).row(0, named=True)


def _against(run: FinishedRun, name: str, others: list[str]) -> Explanation:
    return explain(run, _account(run, name), run.among("accounts", {"account_id": others}).select("account_id", "account_key"))


def _pool(run: FinishedRun) -> list[str]:
    return sorted(run.table("members")["account_id"].to_list())


def test_the_bits_of_a_pair_are_those_of_its_links(run: FinishedRun) -> None:
    """The link SQL and the explanation add up the same pair in two ways."""
    links = run.table("links").filter(pl.col("bits_kind") == "rarity")
    pairs = links.select("account_a", "account_b").unique().sort("account_a", "account_b")
    assert pairs.height > 10
    for a, b in pairs.iter_rows():
        stated = links.filter((pl.col("account_a") == a) & (pl.col("account_b") == b))
        found = _against(run, a, [b])
        bars = {bar.family: bar.mean_bits for bar in found.bars}
        for family in stated["family"].unique():
            assert bars[family] == pytest.approx(stated.filter(pl.col("family") == family)["bits"].sum(), abs=2e-6)
        assert found.mean_bits == pytest.approx(stated["bits"].sum(), abs=1e-5)


def test_likeness_stands_beside_the_sum_and_is_that_of_the_pairs_compared(run: FinishedRun) -> None:
    """Known another way: every row of the account in pair_likeness, its bits over the number of accounts asked about."""
    pool, keys = _pool(run), dict(run.table("accounts").select("account_id", "account_key").iter_rows())
    rows = run.table("pair_likeness")
    assert rows.height
    for name in pool:
        others = [other for other in pool if other != name]
        found = _against(run, name, others)
        near = {keys[other] for other in others}
        expected = dict.fromkeys(LIKENESS_FAMILIES, 0.0)
        for a, b, family, bits in rows.select("account_a", "account_b", "family", "bits").iter_rows():
            if (a == keys[name] and b in near) or (b == keys[name] and a in near):
                expected[family] += bits / len(others)
        assert {bar.family: bar.mean_bits for bar in found.likeness} == pytest.approx(expected, abs=2e-6)
        assert not {bar.family for bar in found.bars} & set(LIKENESS_FAMILIES)


def test_families_add_up_to_the_total_and_the_median_is_the_runs(run: FinishedRun) -> None:
    pool = _pool(run)
    for name in pool:
        found = _against(run, name, [other for other in pool if other != name])
        assert sum(bar.mean_bits for bar in found.bars) == pytest.approx(found.mean_bits, abs=1e-5)
        assert found.median_bits == pytest.approx(run.where("members", account_id=name)["bits"][0], abs=2e-6)
        assert found.compared_with == len(pool) - 1


def test_the_edge_is_the_one_that_the_run_used(run: FinishedRun) -> None:
    """Nobody in the tiny log is vouched for, so every account is an entity."""
    entities = run.manifest()["counts"]["accounts"]
    margin = run.manifest()["config"]["networks"]["edge_margin_bits"]
    pool = _pool(run)
    edge = pytest.approx(np.log2(entities) + margin, abs=1e-5)
    assert _against(run, pool[0], pool[1:]).edge_bits == edge
    silent = explain(run, {"account_id": "silent", "account_key": 1}, pl.DataFrame({"account_id": ["other"], "account_key": [2]}))
    assert (silent.edge_bits, silent.mean_bits, silent.facts) == (edge, 0.0, ()), "who shares nothing with anybody is told the same edge"


def test_facts_are_few_of_different_families_and_counted_without_the_group(run: FinishedRun) -> None:
    pool = _pool(run)
    facts = _against(run, pool[0], pool[1:]).facts
    assert [fact.rank for fact in facts] == list(range(1, len(facts) + 1))
    assert 2 <= len(facts) <= FACTS
    assert len({fact.family for fact in facts}) >= 2
    values = run.table("shared_values")
    keys = set(run.among("accounts", {"account_id": pool})["account_key"].to_list())
    for fact in facts:
        holders = values.filter((pl.col("kind") == fact.kind) & (pl.col("value_key") == fact.value_key))
        outside = sum(1 for key in holders["account_key"].to_list() if key not in keys)
        assert fact.holder_count == holders.height
        assert fact.shared_with == holders.height - outside - 1
        assert fact.rarity_bits == pytest.approx(np.log2(run.manifest()["counts"]["accounts"] / (outside + 1)), abs=1e-4)


def test_the_rows_behind_a_fact_show_it_in_the_log(run: FinishedRun, tiny_log: Path) -> None:
    """Each row is where it is said to be, and rows that show an address show the same one."""
    pool = _pool(run)
    found = _against(run, pool[0], pool[1:])
    assert {row.rank for row in found.rows} == {fact.rank for fact in found.facts}
    kind_of = {fact.rank: fact.kind for fact in found.facts}
    seen: dict[int, set[str]] = {}
    for row in found.rows:
        logged = pq.read_table(tiny_log / row.source_file).slice(row.source_row, 1).to_pylist()[0]
        assert (logged["account_id"], logged["request_id"]) == (row.account_id, row.request_id)
        assert row.stands_for == ("holds_value" if kind_of[row.rank] in ("ip", "ip_prefix", "stack", "prompt", "skeleton", "template") else "of_account")
        if kind_of[row.rank] == "ip":
            seen.setdefault(row.rank, set()).add(logged["client_ip"])
    assert all(len(addresses) == 1 for addresses in seen.values())
    assert seen, "the pool shares addresses"
    for rank in kind_of:
        assert 2 <= sum(row.rank == rank for row in found.rows) <= ROWS_A_FACT


def test_strangers_have_few_bits_and_no_invented_fact(run: FinishedRun) -> None:
    found = _against(run, "person-001", ["person-002"])
    assert found.mean_bits < found.edge_bits
    assert all(bar.mean_bits >= 0 for bar in found.bars)
    assert not [fact for fact in found.facts if fact.kind in ("payment", "device")]


def test_nobody_to_compare_with_is_said(run: FinishedRun) -> None:
    with pytest.raises(InputError, match="--vs"):
        _against(run, "person-001", [])


def test_an_explanation_does_not_depend_on_the_order_of_fellows(run: FinishedRun) -> None:
    pool = _pool(run)
    fellows = run.among("accounts", {"account_id": pool[1:]}).select("account_id", "account_key")
    one = explain(run, _account(run, pool[0]), fellows)
    assert explain(run, _account(run, pool[0]), fellows.reverse()) == one
    assert dataclasses.asdict(one)["account_id"] == pool[0]


def test_a_day_that_was_dropped_gives_no_rows_and_a_broken_one_an_error(finished: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "out"
    shutil.copytree(finished, copy, symlinks=True)
    run = FinishedRun(copy)
    days = sorted((copy / "days").glob("date=*"))
    pool = _pool(run)
    whole = run.days_among("requests", ("request_id",), {})
    shutil.rmtree(days[0])
    assert 0 < run.days_among("requests", ("request_id",), {}).height < whole.height
    (days[1] / "requests.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError, match=r"requests\.parquet"):
        _against(run, pool[0], pool[1:])
