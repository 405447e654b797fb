"""Handed-on conversations as `explain` and the findings show them, held against the log that they were made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from pipeline.evidence.explanation import Explanation, explain
from pipeline.evidence.finished import FinishedRun
from tests.conftest import run_program

TURNS = 3
"""Requests in a row, of whichever accounts of the pool, that are one conversation."""


def _dealt(log: pl.DataFrame) -> pl.DataFrame:
    """A day's log in which the pool's requests are dealt out in the order of time: so many in a row are one conversation under a random id."""
    dealt = log.filter(pl.col("account_id").str.starts_with("pool")).sort("timestamp")["request_id"].to_list()
    names = [hashlib.sha256(dealt[place - place % TURNS].encode()).hexdigest()[:24] for place in range(len(dealt))]
    return log.join(pl.DataFrame({"request_id": dealt, "session_id": names}), on="request_id", how="left", maintain_order="left")


@pytest.fixture(scope="module")
def log(tiny_log: Path) -> pl.DataFrame:
    """The tiny log with conversations, each row with its file and its place in it."""
    parts = []
    for path in sorted(tiny_log.rglob("*.parquet")):
        day = _dealt(pl.read_parquet(path, hive_partitioning=False))
        parts.append(day.with_columns(pl.lit(path.relative_to(tiny_log).as_posix()).alias("source_file")).with_row_index("source_row"))
    return pl.concat(parts)


@pytest.fixture(scope="module")
def run(log: pl.DataFrame, tiny_accounts: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A finished run over it."""
    folder = tmp_path_factory.mktemp("dealt")
    for (name,), rows in log.group_by("source_file", maintain_order=True):
        path = folder / "requests" / str(name)
        path.parent.mkdir(parents=True)
        rows.drop("source_file", "source_row").write_parquet(path)
    result = run_program("run", folder / "requests", "--accounts", tiny_accounts, "--out", folder / "out")
    assert result.returncode == 0, result.stderr
    return FinishedRun(folder / "out")


def _against(run: FinishedRun, name: str, others: list[str]) -> Explanation:
    return explain(run, run.where("accounts", account_id=name).row(0, named=True), run.among("accounts", {"account_id": others}).select("account_id", "account_key"))


def _first_turns(log: pl.DataFrame) -> pl.DataFrame:
    """The first request of each account in each conversation of several accounts."""
    several = log.filter(pl.col("session_id").is_not_null() & (pl.col("account_id").n_unique().over("session_id") >= 2))
    return several.sort("timestamp").unique(["session_id", "account_id"], keep="first", maintain_order=True)


def test_the_rows_behind_a_hand_off_are_the_first_turns_of_both_accounts_in_one_conversation(run: FinishedRun, log: pl.DataFrame) -> None:
    firsts = {(row["request_id"], row["source_file"], row["source_row"]): row for row in _first_turns(log).iter_rows(named=True)}
    pool = sorted(run.table("members")["account_id"])
    shown = 0
    for place, one in enumerate(pool):
        for other in pool[place + 1 :]:
            found = _against(run, one, [other])
            for fact in [fact for fact in found.facts if fact.kind == "handoff"]:
                rows = [row for row in found.rows if row.rank == fact.rank]
                assert [row.account_id for row in rows] == [one, other]
                assert {row.stands_for for row in rows} == {"holds_value"}
                turns = [firsts[row.request_id, row.source_file, row.source_row] for row in rows]
                assert [turn["account_id"] for turn in turns] == [one, other]
                assert len({turn["session_id"] for turn in turns}) == 1
                shown += 1
    assert shown >= len(pool)


def test_a_hand_off_stands_before_facts_that_open_nothing(run: FinishedRun) -> None:
    pool = sorted(run.table("members")["account_id"])
    families = [fact.family for fact in _against(run, pool[0], pool[1:]).facts]
    assert set(families[:2]) == {"identity", "handoff"}
    assert families.index("handoff") < families.index("infrastructure")


def test_the_finding_shows_conversations_of_several_members_by_their_first_turns(run: FinishedRun, log: pl.DataFrame) -> None:
    (finding,) = run.where("findings", measure="handed_on_conversation").iter_rows(named=True)
    evidence = run.where("evidence", finding_id=finding["finding_id"])
    turns = evidence.join(_first_turns(log), on=["request_id", "source_file", "source_row"], how="inner")
    assert turns.height == evidence.height > 0
    assert set(evidence["role"]) == {"shares_value"}
    whole = _first_turns(log).join(turns, on="session_id", how="semi")
    assert whole.height == turns.height, "a conversation is shown on all the accounts that took part"
    members = run.where("members", network_id=finding["network_id"])
    assert finding["value"] == pytest.approx(turns["account_id"].n_unique() / members.height)
    assert finding["evidence_total"] == log.join(turns, on=["session_id", "account_id"], how="semi").height
