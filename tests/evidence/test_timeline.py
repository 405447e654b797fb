"""Days and events, held against the log, the accounts table and a context folder; and files that are not the run's."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError, IntegrityError
from pipeline.evidence.activity import network_days
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.given import account_table, context_folder
from pipeline.evidence.timeline import NO_CONTEXT, NO_RECORDS, Timeline, timeline
from pipeline.provenance import sha256_file


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


@pytest.fixture(scope="module")
def log(tiny_log: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted(tiny_log.rglob("*.parquet")), hive_partitioning=False).with_columns(pl.col("timestamp").dt.date().alias("day"))


def _told(run: FinishedRun, prefix: str, network: str | None = None, accounts: Path | None = None, context: Path | None = None) -> Timeline:
    rows = run.table("accounts").filter(pl.col("account_id").str.starts_with(prefix))
    return timeline(run, network, rows.select("account_id", "account_key", "first_us", "last_us"), accounts, context)


@pytest.mark.parametrize("prefix", ["pool-", "pool-003", "person-010"])
def test_days_are_those_of_the_log(run: FinishedRun, log: pl.DataFrame, prefix: str) -> None:
    own = log.filter(pl.col("account_id").str.starts_with(prefix))
    found = _told(run, prefix)
    assert [row["day"] for row in found.days] == [dt.date(2026, 5, day) for day in (1, 2, 3)]
    for row in found.days:
        day = own.filter(pl.col("day") == row["day"])
        assert (row["accounts"], row["requests"]) == (day["account_id"].n_unique(), day.height)
        assert (row["input_tokens"], row["output_tokens"]) == (day["input_tokens"].sum(), day["output_tokens"].sum())
        assert (row["rate_limited"], row["errors"]) == (0, 0)
    firsts = {one.day: one.accounts for one in found.events if one.event == "first_request"}
    assert firsts == dict(own.group_by("account_id").agg(pl.col("day").min()).group_by("day").len().iter_rows())
    assert {NO_RECORDS, NO_CONTEXT} == set(found.notes)


def test_a_networks_sparkline_has_its_requests(run: FinishedRun, log: pl.DataFrame) -> None:
    (network,) = run.table("networks")["network_id"].to_list()
    pool = log.filter(pl.col("account_id").str.starts_with("pool"))
    assert network_days(run, [network]) == {network: [pool.filter(pl.col("day") == dt.date(2026, 5, day)).height for day in (1, 2, 3)]}
    assert [one.event for one in _told(run, "pool-", network).events if one.day == dt.date(2026, 5, 3) and one.event == "new"] == ["new"]


def test_signups_come_of_the_accounts_table_that_the_run_read(run: FinishedRun, tiny_accounts: Path) -> None:
    found = _told(run, "pool-", accounts=tiny_accounts)
    assert [(one.day, one.accounts) for one in found.events if one.event == "signed_up"] == [(dt.date(2026, 4, 28), 8)]
    assert found.notes == (NO_CONTEXT,)


def test_a_file_that_the_run_did_not_read_is_refused(run: FinishedRun, tiny_accounts: Path, tmp_path: Path) -> None:
    other = tmp_path / "accounts.parquet"
    pl.read_parquet(tiny_accounts).head(10).write_parquet(other)
    with pytest.raises(IntegrityError, match="SHA-256"):
        account_table(run, other)
    with pytest.raises(InputError, match="no such file"):
        account_table(run, tmp_path / "none")
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "bans.csv").write_text("account_id,banned_at\npool-001,2026-05-02\n")
    with pytest.raises(IntegrityError, match="no part of the run"):
        context_folder(run, tmp_path / "context")


@pytest.fixture
def told_everything(finished: Path, tmp_path: Path) -> tuple[FinishedRun, Path, Path]:
    """A run whose run.json knows an accounts table in CSV and a context folder, and both."""
    accounts = tmp_path / "accounts.csv"
    rows = [
        ("pool-001", "", "2026-04-30T10:00:00Z", "banned", "2026-05-02T08:00:00Z", "2026-05-01"),
        ("pool-001", "org", "2026-04-29T10:00:00Z", "active", "", "2026-04-01"),
        ("pool-002", " org ", "not a time", "active", "", "2026-05-01"),
        ("person-001", "org", "2026-05-03", "active", "", ""),
    ]
    with accounts.open("w", newline="") as file:
        csv.writer(file).writerows([("account_id", "organization_id", "created_at", "status", "status_changed_at", "as_of"), *rows])
    context = tmp_path / "context"
    context.mkdir()
    (context / "bans.csv").write_text("account_id,banned_at\npool-001,2026-05-02\npool-005,2026-05-02T12:00:00Z\nperson-001,2026-05-02\n")
    (context / "releases.csv").write_text("model,released_at\nlarge-2,2026-05-03\nlarge-0,2020-01-01\n")
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    path = out / "latest" / "run.json"
    manifest = json.loads(path.read_text())
    manifest["recipe"]["tables"]["accounts"] = sha256_file(accounts)
    manifest["recipe"]["context"] = {name: sha256_file(context / name) for name in ("bans.csv", "releases.csv")}
    path.write_text(json.dumps(manifest))
    return FinishedRun(out), accounts, context


def test_bans_releases_and_the_latest_snapshot(told_everything: tuple[FinishedRun, Path, Path]) -> None:
    run, accounts, context = told_everything
    found = _told(run, "pool-", accounts=accounts, context=context)
    events = {(one.day, one.event, one.detail, one.accounts) for one in found.events if one.event not in ("first_request", "last_request")}
    assert events == {
        (dt.date(2026, 4, 30), "signed_up", "", 1),
        (dt.date(2026, 5, 2), "status", "banned", 1),
        (dt.date(2026, 5, 2), "banned", "", 2),
        (dt.date(2026, 5, 3), "released", "large-2", None),
    }
    assert found.notes == ()
    assert account_table(run, accounts)["pool-002"].organization_id == "org"
    assert account_table(run, accounts, ["pool-001"])["pool-001"].organization_id is None, "the later snapshot counts, without the earlier one's values"


def test_a_day_whose_tables_are_gone_is_unknown_and_not_empty(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    shutil.rmtree(out / "days" / "date=2026-05-02")
    found = _told(FinishedRun(out), "pool-")
    assert [row["requests"] for row in found.days] == [240, None, 240]
    assert "2026-05-02" in found.notes[0]
