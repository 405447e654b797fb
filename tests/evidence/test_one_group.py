"""One list of accounts, judged: the run's own network gets the run's own tests; strangers get nothing; what is too small is said to be.

A group is judged on the rows that it asks for. So the answer must be that of the whole tables, for groups of every kind; and that of an older run or of one whose scratch is gone.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import UsageError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.group_stages import DISJOINT, FEW, NEEDS_ALL
from pipeline.evidence.one_group import GroupTest, judge_group
from pipeline.evidence.origins import Origins
from pipeline.evidence.workings import Workings
from pipeline.kinds import LIKENESS_FAMILIES, OPERATIONAL


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


POOL = [f"pool-{number:03d}" for number in range(8)]
STRANGERS = [f"person-{number:03d}" for number in range(0, 60, 5)]
GROUPS = {
    "the network": POOL,
    "a part of it": POOL[:5],
    "half strangers": [*POOL, *(f"person-{number:03d}" for number in range(8))],
    "strangers": STRANGERS,
    "one stranger in it": [*POOL, "person-003"],
}


def _judged(run: FinishedRun, names: list[str], *, is_full: bool = False, accounts: Path | None = None) -> GroupTest:
    keys = run.among("accounts", {"account_id": names})["account_key"].to_list()
    assert len(keys) == len(set(names))
    with Workings(run, Origins(run.out, accounts), 2) as workings:
        return judge_group(workings, keys, is_full=is_full)


@pytest.fixture(scope="module")
def pool(run: FinishedRun) -> GroupTest:
    return _judged(run, POOL, is_full=True)


@pytest.mark.parametrize("name", GROUPS)
def test_the_rows_that_a_group_asks_for_tell_what_all_rows_tell(run, name, monkeypatch):
    asked = _judged(run, GROUPS[name])
    monkeypatch.setattr(Workings, "rows_of", lambda self, table, _keys, _column="account_key": self.frame(table))
    monkeypatch.setattr(Workings, "among", lambda self, table, _column, _keys, *_columns: self.frame(table))
    whole = _judged(run, GROUPS[name])
    assert asked == whole


@pytest.mark.parametrize("name", ["the network", "half strangers", "strangers"])
def test_what_decides_nothing_is_all_that_is_left_out(run, name):
    short, full = (_judged(run, GROUPS[name], is_full=is_full) for is_full in (False, True))
    assert (short.verdict, short.members, short.alternatives, short.edge_bits) == (full.verdict, full.members, full.alternatives, full.edge_bits)
    assert list(short.families) == [row for row in full.families if row["family"] not in LIKENESS_FAMILIES]
    assert [row["test"] for row in short.tests] == [row["test"] for row in full.tests]
    assert set(OPERATIONAL) <= {row["test"] for row in short.tests}
    assert [row for row in short.tests if row["test"] != DISJOINT] == [row for row in full.tests if row["test"] != DISJOINT]
    [left_out] = [row for row in short.tests if row["test"] == DISJOINT]
    assert (left_out["status"], left_out["p_value"], left_out["null_count"]) == ("not_run", None, 0)
    assert left_out["reason"] in (FEW, NEEDS_ALL)
    assert (short.without, short.is_full) == ((), False)


def test_half_strangers_are_told_from_members(run):
    """The verdict is on all of them; who would be named is asked of each."""
    found = _judged(run, GROUPS["half strangers"])
    bits = {member.account_id: member.bits for member in found.members}
    assert max(bits[name] for name in bits if name.startswith("person")) < min(bits[name] for name in POOL)
    if found.verdict["tier"] == "refer":
        assert {member.account_id for member in found.members if member.is_named} <= set(POOL)


@pytest.mark.parametrize("seed", range(4))
def test_accounts_drawn_at_random_are_not_referred(run, seed):
    people = run.table("accounts").filter(pl.col("network_id").is_null())["account_id"].sort()
    found = _judged(run, people.sample(9, seed=seed).to_list())
    assert found.verdict["tier"] != "refer"
    assert not any(row["admitted"] for row in found.families)


def test_a_run_of_before_and_one_without_scratch_answer_alike(run, pool, tiny_accounts, tmp_path):
    """What is counted over everybody is counted again."""
    older, cleared = tmp_path / "older", tmp_path / "cleared"
    for out in (older, cleared):
        shutil.copytree(run.out, out, symlinks=True, ignore=None if out == older else shutil.ignore_patterns("scratch"))
    path = older / "latest" / "run.json"
    manifest = json.loads(path.read_text())
    for label in ("37 word_users", "37 day_levels", "61 sent_prompts"):
        del manifest["stages"][label]
        next((older / "scratch").glob(f"*/{label.split()[1]}.parquet")).unlink()
    path.write_text(json.dumps(manifest))
    short = _judged(run, POOL)
    for out in (older, cleared):
        found = FinishedRun(out)
        assert _judged(found, POOL, accounts=tiny_accounts) == short


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
    found = _judged(run, STRANGERS, is_full=True)
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
    assert _judged(run, POOL[::-1], is_full=True) == pool
