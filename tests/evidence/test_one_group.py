"""One list of accounts, judged: the run's own network gets the run's own tests; strangers get nothing; what is too small is said to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import UsageError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.one_group import GroupTest, judge_group
from pipeline.evidence.origins import Origins
from pipeline.evidence.workings import Workings


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


def _judged(run: FinishedRun, names: list[str]) -> GroupTest:
    keys = run.among("accounts", {"account_id": names})["account_key"].to_list()
    assert len(keys) == len(set(names))
    with Workings(run, Origins(run.out), 2) as workings:
        return judge_group(workings, keys)


@pytest.fixture(scope="module")
def pool(run: FinishedRun) -> Iterator[GroupTest]:
    return _judged(run, [f"pool-{number:03d}" for number in range(8)])  # type: ignore[return-value]


def test_the_network_of_the_run_gets_the_tests_of_the_run(run, pool):
    """Nothing else is in a network here, so background and random groups are the run's."""
    tests = run.table("network_tests").drop("network_id")
    assert list(pool.tests) == tests.filter(pl.col("family") != "alternative").rows(named=True)
    assert sorted(pool.alternatives, key=lambda row: row["test"]) == tests.filter(pl.col("family") == "alternative").rows(named=True)
    assert list(pool.families) == run.table("network_families").drop("network_id").rows(named=True)


def test_the_network_of_the_run_gets_the_verdict_of_the_run(run, pool):
    row = run.table("networks").row(0, named=True)
    for name in ("tier", "reason", "account_count", "request_count", "p_value", "extraction_bits", "best_alternative", "alternative_margin_bits"):
        assert pool.verdict[name] == row[name]
    assert pool.verdict["q_value"] == pool.verdict["p_value"], "one group, one question"
    assert {member.run_network_id for member in pool.members} == {row["network_id"]}
    assert [member.account_id for member in pool.members if member.is_named] == [member.account_id for member in pool.members]
    bits = dict(run.table("members").select("account_id", "bits").rows())
    assert {member.account_id: member.bits for member in pool.members} == pytest.approx(bits, abs=2e-6)


def test_strangers_are_no_network(run):
    found = _judged(run, [f"person-{number:03d}" for number in range(0, 60, 5)])
    assert found.verdict["tier"] != "refer"
    assert not any(row["admitted"] for row in found.families)
    assert found.verdict["coordination_bits"] < found.edge_bits
    assert found.without == ()
    assert {member.run_network_id for member in found.members} == {None}


def test_strangers_do_not_spoil_a_pool_unseen(run, pool):
    mixed = _judged(run, [*(f"pool-{number:03d}" for number in range(8)), *(f"person-{number:03d}" for number in range(4))])
    assert len(mixed.members) == 12
    assert {member.account_id for member in mixed.members[-4:]} == {f"person-{number:03d}" for number in range(4)}, "those that do not fit come last"
    assert mixed.verdict["coordination_bits"] <= pool.verdict["coordination_bits"]


def test_a_few_accounts_are_a_small_group_and_not_tested(run):
    found = _judged(run, ["pool-000", "pool-002", "pool-004"])
    assert (found.verdict["tier"], found.verdict["reason"]) == ("watch", "small_group")
    assert (found.tests, found.families) == ((), ())
    assert len(found.members) == 3
    assert found.members[0].bits > 0


def test_one_account_is_no_group(run):
    with pytest.raises(UsageError, match="two accounts"):
        _judged(run, ["pool-000"])


def test_the_order_of_the_list_is_nothing(run, pool):
    assert _judged(run, [f"pool-{number:03d}" for number in reversed(range(8))]) == pool
