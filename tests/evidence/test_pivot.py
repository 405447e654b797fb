"""From a value to accounts, held against the log and the accounts table that hold the values in clear."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import UsageError
from pipeline.evidence import keys
from pipeline.evidence.explanation import explain
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.pivot import PIVOTS, Related, interval, pivot
from pipeline.pages.working.pivots import OPTION_OF_KIND


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


@pytest.fixture(scope="module")
def log(tiny_log: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted(tiny_log.rglob("*.parquet")), hive_partitioning=False).with_columns(pl.col("timestamp").dt.date().alias("day"))


def _expected(rows: pl.DataFrame) -> dict[str, tuple[int, int, dt.date, dt.date]]:
    """By account: days, requests, first and last day, counted in the log."""
    counted = rows.group_by("account_id").agg(pl.col("day").n_unique(), pl.len().alias("n"), pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
    return {row["account_id"]: (row["day"], row["n"], row["first"], row["last"]) for row in counted.rows(named=True)}


def _found(related: Related, reason: str) -> dict[str, tuple[int, int, dt.date, dt.date]]:
    return {row["account_id"]: (row["day_count"], row["request_count"], row["first_day"], row["last_day"]) for row in related.accounts if row["reason"] == reason}


@pytest.mark.parametrize(
    ("kind", "value", "reason", "rows"),
    [
        ("ip", "203.0.113.2", "address", pl.col("client_ip") == "203.0.113.2"),
        ("ip", "203.0.113.0/24", "address prefix", pl.col("client_ip").str.starts_with("203.0.113.")),
        ("ip", "::ffff:203.0.113.2", "address", pl.col("client_ip") == "203.0.113.2"),
        ("ip", "10.7.0.1", "address", pl.col("client_ip") == "10.7.0.1"),
        ("ua", "client/7", "user agent", pl.col("user_agent") == "client/7"),
        ("ua", "client", "client product", pl.col("user_agent").str.starts_with("client")),
        ("ja4", "t13d0007", "TLS fingerprint", pl.col("ja4") == "t13d0007"),
        ("time", "2026-05-02..2026-05-02", "active then", (pl.col("day") == dt.date(2026, 5, 2))),
    ],
)
def test_a_raw_value_finds_who_used_it_with_days_and_requests(run: FinishedRun, log: pl.DataFrame, kind: str, value: str, reason: str, rows: pl.Expr) -> None:
    expected = _expected(log.filter(rows))
    assert expected, "the log holds the value"
    found = pivot(run, kind, value)
    assert _found(found, reason) == expected
    assert {row["account_id"] for row in found.accounts} == set(expected)
    totals = dict(log.group_by("account_id").len().iter_rows())
    assert all(row["own_share"] == pytest.approx(row["request_count"] / totals[row["account_id"]], abs=1e-6) for row in found.accounts)
    assert [row["request_count"] for row in found.accounts] == sorted((row["request_count"] for row in found.accounts), reverse=True)


def test_their_networks_are_counted(run: FinishedRun) -> None:
    found = pivot(run, "ip", "203.0.113.2")
    (network,) = found.networks
    assert (network["holder_count"], network["account_count"]) == (8, 8)
    assert {row["tier"] for row in found.accounts} == {network["tier"]}
    assert found.rarity_bits == pytest.approx(4.304, abs=1e-3), "log2(158 / 8)"


def test_a_card_finds_its_holders_and_one_that_a_single_account_holds_finds_nobody_and_says_why(run: FinishedRun, tiny_accounts: Path) -> None:
    table = pl.read_parquet(tiny_accounts)
    card = table.filter(pl.col("account_id") == "pool-002")["payment_fingerprint"][0]
    holders = set(table.filter(pl.col("payment_fingerprint") == card)["account_id"])
    assert len(holders) == 4
    found = pivot(run, "card", f" {card} ")
    assert {row["account_id"] for row in found.accounts} == holders
    assert {(row["reason"], row["request_count"]) for row in found.accounts} == {("payment instrument", None)}
    assert found.notes == ()
    alone = pivot(run, "card", table.filter(pl.col("account_id") == "person-003")["payment_fingerprint"][0])
    assert alone.accounts == ()
    assert "at most one account" in alone.notes[0]
    assert "placeholder" in pivot(run, "card", "unknown").notes[0]


def test_a_prompt_finds_those_who_sent_it_with_other_numbers(run: FinishedRun, log: pl.DataFrame) -> None:
    """The pool's prompts differ in one number and one word at the end; the masked text is the same where the word is."""
    prompt = log.filter(pl.col("account_id") == "pool-000")["prompt"][0]
    word = prompt.rsplit(" ", 1)[1]
    alike = log.filter(pl.col("prompt").str.starts_with("Solve exercise") & pl.col("prompt").str.ends_with(f" {word}"))
    other = prompt.replace(prompt.split()[2], "99 99"[:2])
    assert _found(pivot(run, "template", other), "prompt template (masked text)") == _expected(alike)
    exact = pivot(run, "template", prompt.upper())
    assert _found(exact, "prompt, word for word") == _expected(log.filter(pl.col("prompt") == prompt))


def test_keys_as_explain_prints_them_find_the_same_accounts(run: FinishedRun) -> None:
    pool = [f"pool-{number:03d}" for number in range(8)]
    account = run.where("accounts", account_id=pool[0]).row(0, named=True)
    found = explain(run, account, run.among("accounts", {"account_id": pool[1:]}).select("account_id", "account_key"))
    assert len(found.facts) >= 2
    for fact in found.facts:
        related = pivot(run, OPTION_OF_KIND[fact.kind].removeprefix("--"), f"key:{fact.value_key}")
        assert len({row["account_id"] for row in related.accounts} & set(pool)) == fact.shared_with + 1, fact.kind


def test_a_key_and_the_value_that_it_stands_for_are_one(run: FinishedRun) -> None:
    for kind, value in (("ip", "203.0.113.1"), ("ja4", "t13d0003"), ("ua", "client/3")):
        (one, *_) = PIVOTS[kind].read(value)
        assert {row["account_id"] for row in pivot(run, kind, f"key:{one.key}").accounts} == {row["account_id"] for row in pivot(run, kind, value).accounts}


@pytest.mark.parametrize(
    ("kind", "value", "columns"),
    [
        ("asn", "64500", ("client_asn",)),
        ("session", "s", ("session_id",)),
        ("device", "d", ("device_fingerprint",)),
        ("phone", "p", ("phone_hash",)),
        ("mailbox", "m", ("email_hash",)),
    ],
)
def test_a_column_that_the_log_lacked_is_named(run: FinishedRun, kind: str, value: str, columns: tuple[str, ...]) -> None:
    found = pivot(run, kind, value)
    assert (found.not_carried, found.accounts) == (columns, ())


def test_a_value_that_nobody_used_finds_nobody(run: FinishedRun) -> None:
    assert pivot(run, "ip", "198.51.100.1").accounts == ()
    assert pivot(run, "ip", "not an address").accounts == ()
    assert pivot(run, "ip", "key:1").accounts == ()


@pytest.mark.parametrize("value", ["AS0x1", "", "-1", "4294967296", "1 2"])
def test_what_is_no_as_number_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="AS number"):
        keys.asn_readings(value)


def test_as_numbers_are_read_with_or_without_their_letters() -> None:
    assert {keys.asn_readings(text)[0].key for text in ("64500", "AS64500", "as64500", " 64500 ")} == {64500}


def test_times_are_half_open_and_days_whole(run: FinishedRun, log: pl.DataFrame) -> None:
    moments = log["timestamp"].sort()
    first, later = moments[10], moments[40]
    inside = log.filter((pl.col("timestamp") >= first) & (pl.col("timestamp") < later))
    found = pivot(run, "time", f"{first.isoformat()}..{later.isoformat()}")
    assert sum(row["request_count"] for row in found.accounts) == inside.height
    begun = {name for name, moment in log.group_by("account_id").agg(pl.col("timestamp").min()).iter_rows() if first <= moment < later}
    assert {row["account_id"] for row in found.accounts if row["reason"] == "first seen then"} == begun
    assert interval("2026-05-01..2026-05-01") == (1777593600_000000, 1777680000_000000)
    assert pivot(run, "time", "2020-01-01..2020-01-02").notes == ("The run has no day in that time.",)


@pytest.mark.parametrize("value", ["", "2026-05-01", "2026-05-02..2026-05-01", "a..b", "..", "2026-05-01.."])
def test_a_wrong_time_is_refused(run: FinishedRun, value: str) -> None:
    with pytest.raises(UsageError, match="--time"):
        pivot(run, "time", value)


def test_a_key_beyond_63_bits_is_refused() -> None:
    assert keys.printed_key("key:9223372036854775807") == 2**63 - 1
    assert keys.printed_key("9223372036854775807") is None
    with pytest.raises(UsageError, match="key:N"):
        keys.printed_key("key:9223372036854775808")


def test_days_that_are_gone_are_said(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    shutil.rmtree(out / "days" / "date=2026-05-02")
    found = pivot(FinishedRun(out), "ip", "203.0.113.2")
    assert {row["day_count"] for row in found.accounts} == {2}
    assert "1 days are gone" in found.notes[0]
