"""From a value to the accounts that used it: address, AS, card, device, client, conversation, text, or a stretch of time.

What requests carry is counted over all requests of the run's days. What stands in the accounts table (cards, devices, mailboxes, telephones) is published only where two
or more accounts hold it and it is no placeholder or common property: of anything else the run keeps nothing, and the answer says so.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.errors import UsageError
from pipeline.evidence import keys
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.keys import Reading

DAY_US = 86_400_000_000
Row = dict[str, Any]
_RECORD_NOTE = (
    "The run keeps cards, devices, mailboxes and telephones only where two or more accounts hold them: nobody found means at most one account, or one that too many share."
)


RECORD_WORDS = {"signup_ip": "sign-up address", "payment": "payment instrument", "device": "device at sign-up", "email": "mailbox", "phone": "telephone"}
"""Kinds of shared_values that stand in the accounts table."""


@dataclass(frozen=True)
class Pivot:
    """One kind of value: what it is called, how it is read, which columns of the log or of the accounts table it needs, and which keys `key:N` may be."""

    name: str
    read: Callable[[str], list[Reading]]
    columns: tuple[str, ...]
    key_columns: tuple[tuple[str, str], ...]
    """(column of requests, what it is)"""
    shared_kinds: tuple[str, ...] = ()
    is_record: bool = False


def _record(name: str, kind: str, column: str) -> Pivot:
    """A value of the accounts table."""
    return Pivot(name, lambda text: keys.record_readings(text, kind, RECORD_WORDS[kind]), (column,), (), (kind,), is_record=True)


PIVOTS = {
    pivot.name: pivot
    for pivot in (
        Pivot("ip", keys.address_readings, ("client_ip", "client_ip_hash", "client_ip_prefix"), (("ip_key", "address"), ("ip_prefix_key", "address prefix")), ("signup_ip",)),
        Pivot("asn", keys.asn_readings, ("client_asn",), ()),
        _record("card", "payment", "payment_fingerprint"),
        _record("device", "device", "device_fingerprint"),
        _record("mailbox", "email", "email_hash"),
        _record("phone", "phone", "phone_hash"),
        Pivot("ua", keys.agent_readings, ("user_agent",), (("agent_key", "user agent"), ("agent_product_key", "client product"), ("stack_key", "user agent and JA4"))),
        Pivot("ja4", lambda text: [Reading("TLS fingerprint", "ja4_key", keys.value_key(text, "ja4"))], ("ja4",), (("ja4_key", "TLS fingerprint"),)),
        Pivot("session", lambda text: [Reading("conversation", "session_key", keys.value_key(text, "session"))], ("session_id",), (("session_key", "conversation"),)),
        Pivot(
            "template",
            keys.text_readings,
            ("prompt", "prompt_simhash", "prompt_minhash", "prompt_block_hashes", "prompt_hash", "system_prompt", "system_prompt_hash"),
            (("skeleton_key", "prompt template (masked text)"), ("prefix_key", "first eight words"), ("prompt_key", "prompt, word for word"), ("system_key", "system prompt")),
        ),
    )
}
"""`time` is no value and has a function of its own."""


@dataclass(frozen=True)
class Related:
    """Accounts that a value relates. Rows: account_id, reason, day_count, request_count, own_share (of its requests), first_day, last_day, network_id, tier."""

    kind: str
    value: str
    accounts: tuple[Row, ...]
    networks: tuple[Row, ...]
    """network_id, tier, account_count, holder_count: networks of these accounts, most holders first"""
    account_total: int
    rarity_bits: float | None
    """log2(accounts of the run / accounts found); None if none was found, and for a time"""
    not_carried: tuple[str, ...]
    """columns that would show it and that this run's log or accounts table never filled"""
    notes: tuple[str, ...]


def pivot(run: FinishedRun, kind: str, value: str) -> Related:
    """Accounts that used a value (raw, or `key:N`), those with most requests first. Raises UsageError for a value of another form."""
    if kind == "time":
        return _in_time(run, value)
    asked = PIVOTS[kind]
    missing = missing_columns(run, asked)
    key = keys.printed_key(value)
    readings = asked.read(value) if key is None else _key_readings(asked, key)
    notes = _notes(asked, value, key)
    if missing:
        return _related(run, kind, value, [], missing, notes)
    parts = [*_by_requests(run, [one for one in readings if not one.is_shared]), *(_by_records(run, one) for one in readings if one.is_shared)]
    if asked.name == "template" and key is not None and key < 2**31:
        parts.append(_by_habit(run, key))
    return _related(run, kind, value, parts, (), notes)


def missing_columns(run: FinishedRun, asked: Pivot) -> tuple[str, ...]:
    """The columns that a kind needs, if none of them holds a value in this run; else ()."""
    manifest = run.manifest()
    if asked.is_record:
        filled = manifest["accounts_table"]["values"]
        return () if any(filled.get(name) for name in asked.columns) else asked.columns
    return () if any(manifest["coverage"].get(name, {}).get("non_null") for name in asked.columns) else asked.columns


def _key_readings(asked: Pivot, key: int) -> list[Reading]:
    """What `key:N` may be; where keys are the numbers themselves (AS), the number."""
    kept = [Reading(RECORD_WORDS[kind], kind, key, is_shared=True) for kind in asked.shared_kinds]
    return [*(Reading(words, column, key) for column, words in asked.key_columns), *kept] or asked.read(str(key))


def _notes(asked: Pivot, value: str, key: int | None) -> tuple[str, ...]:
    if not asked.is_record:
        return ()
    from pipeline.ingest.placeholders import is_placeholder

    if key is None and is_placeholder(value):
        return ("This value stands for no value (a placeholder): the ingest reads it as nothing, so it never links accounts.",)
    return (_RECORD_NOTE,)


def _by_requests(run: FinishedRun, readings: Sequence[Reading]) -> list[pl.DataFrame]:
    """Requests a day of each account with each reading's key: account_key, reason, day_count, request_count, first_day, last_day."""
    scans = run.lazy_days("requests")
    if not scans or not readings:
        return []
    plans = [_counted(scans[0].filter(pl.col(one.column) == one.key)) for one in readings]
    with run.reading("requests"):
        found = pl.collect_all(plans)
    return [_named(frame, one.read_as) for frame, one in zip(found, readings, strict=True)]


def _counted(rows: pl.LazyFrame) -> pl.LazyFrame:
    day = (pl.col("ts_us") // DAY_US).cast(pl.Int32).cast(pl.Date).alias("day")
    return _summed(rows.select("account_key", day).group_by("account_key", "day").agg(pl.len().cast(pl.Int64).alias("request_count")))


def _summed(days: pl.LazyFrame) -> pl.LazyFrame:
    """Days, requests, first and last day of each account, out of one row an account and day."""
    ends = pl.col("day").min().alias("first_day"), pl.col("day").max().alias("last_day")
    return days.group_by("account_key").agg(pl.len().cast(pl.Int64).alias("day_count"), pl.col("request_count").sum(), *ends)


def _named(frame: pl.DataFrame, reason: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(reason).alias("reason")).select(_FOUND)


_FOUND = ("account_key", "reason", "day_count", "request_count", "first_day", "last_day")
_UNKNOWN = [pl.lit(None, dtype=kind).alias(name) for name, kind in (("day_count", pl.Int64), ("request_count", pl.Int64), ("first_day", pl.Date), ("last_day", pl.Date))]


def _by_records(run: FinishedRun, one: Reading) -> pl.DataFrame:
    holders = run.where("shared_values", kind=one.column, value_key=one.key).select("account_key", *_UNKNOWN)
    return _named(holders, one.read_as)


def _by_habit(run: FinishedRun, key: int) -> pl.DataFrame:
    """Accounts that repeat a word 4-gram in their prompts."""
    holders = run.where("habits", shingle=key).select("account_key").unique(maintain_order=True).with_columns(*_UNKNOWN)
    return _named(holders, "repeats the four words")


def _related(run: FinishedRun, kind: str, value: str, parts: Sequence[pl.DataFrame], missing: tuple[str, ...], notes: tuple[str, ...]) -> Related:
    accounts = run.columns("accounts", "account_id", "account_key", "network_id", "request_count").rename({"request_count": "request_total"})
    found = pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(_FOUND, pl.Int64))
    tiers = run.columns("networks", "network_id", "tier", "account_count")
    joined = found.join(accounts, on="account_key").join(tiers, on="network_id", how="left")
    share = (pl.col("request_count") / pl.col("request_total")).round(6).alias("own_share")
    rows = joined.with_columns(share).sort(["request_count", "account_id", "reason"], descending=[True, False, False], nulls_last=True)
    holders = joined.select("account_id", "network_id").unique().drop_nulls().group_by("network_id").agg(pl.len().cast(pl.Int64).alias("holder_count"))
    networks = tiers.join(holders, on="network_id").sort(["holder_count", "network_id"], descending=[True, False])
    count = joined["account_id"].n_unique()
    gone = (f"The tables of {len(run.dropped_days())} days are gone, so what was done on them is not counted.",) if run.dropped_days() else ()
    shown = rows.select("account_id", "network_id", "tier", "reason", "day_count", "request_count", "own_share", "first_day", "last_day")
    rarity = round(math.log2(accounts.height / count), 6) if count and kind != "time" else None
    told = tuple(note for note in notes if note != _RECORD_NOTE or not (count or missing))
    return Related(kind, value, tuple(shown.rows(named=True)), tuple(networks.rows(named=True)), accounts.height, rarity, missing, (*told, *gone))


def _in_time(run: FinishedRun, value: str) -> Related:
    """Accounts with a request from A on, before B; a day as B is included whole."""
    begin, end = interval(value)
    days = [day for day in run.manifest()["days"] if begin < (_midnight_us(dt.date.fromisoformat(day)) + DAY_US) and end > _midnight_us(dt.date.fromisoformat(day))]
    table = "requests" if begin % DAY_US or end % DAY_US else "account_days"
    scans = run.lazy_days(table, days)
    if not scans:
        return _related(run, "time", value, [], (), ("The run has no day in that time.",))
    with run.reading(table):
        found = (_summed(scans[0]) if table == "account_days" else _counted(scans[0].filter((pl.col("ts_us") >= begin) & (pl.col("ts_us") < end)))).collect()
    first = run.columns("accounts", "account_key", "first_us")
    since = pl.when((pl.col("first_us") >= begin) & (pl.col("first_us") < end)).then(pl.lit("first seen then")).otherwise(pl.lit("active then")).alias("reason")
    return _related(run, "time", value, [found.join(first, on="account_key").with_columns(since).select(_FOUND)], (), ())


def interval(value: str) -> tuple[int, int]:
    """`A..B` as microseconds since 1970 UTC, the end excluded. Raises UsageError."""
    first, dots, last = value.partition("..")
    try:
        begin = _instant_us(first)
        end = _midnight_us(dt.date.fromisoformat(last)) + DAY_US if len(last) == len("2026-05-01") else _instant_us(last)
    except ValueError:
        dots = ""
    if not dots or begin >= end:
        raise UsageError("--time takes A..B with A before B: days (2026-05-01..2026-05-03, both whole) or UTC times (2026-05-01T10:00..2026-05-01T10:15).")
    return begin, end


def _instant_us(text: str) -> int:
    moment = dt.datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _midnight_us(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days * DAY_US
