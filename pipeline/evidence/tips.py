"""A tip: a file of accounts, addresses or cards from outside, and which accounts of a run it means.

One entry a line, or a CSV file with one entry a row: in the column whose name says what it holds (account_id, client_ip, payment_fingerprint ...), else in the first.
Empty lines and lines that begin with `#` are left out, an entry that comes twice counts once. What an entry is follows from the entry, unless the caller says it: an id that the
run knows is an account, what reads as an address or a prefix is one, all else is looked for among the cards. Entries are hashed as the log's own values are.
"""

from __future__ import annotations

import csv
import io
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun

Kind = Literal["account", "address", "card"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_ENTRIES = 100_000
_COLUMNS: dict[str, Kind] = {
    "account_id": "account",
    "account": "account",
    "client_ip": "address",
    "client_ip_hash": "address",
    "ip": "address",
    "ip_prefix": "address",
    "address": "address",
    "signup_ip": "address",
    "payment_fingerprint": "card",
    "card": "card",
}


@dataclass(frozen=True)
class Holder:
    """An account that a tip means."""

    account_id: str
    account_key: int
    network_id: str | None
    entries: tuple[str, ...]
    """entries of the file that mean it"""
    via: tuple[str, ...]
    """`account` if it is named itself, else kinds of the values through which it is meant"""
    request_count: int
    """in the window"""


@dataclass(frozen=True)
class Tip:
    """What a file of entries means in a run."""

    entries: tuple[str, ...]
    kinds: tuple[Kind, ...]
    """what the entries that are known are"""
    holders: tuple[Holder, ...]
    """accounts, by account_id"""
    unknown: tuple[str, ...]
    """entries that mean no account of the window, in the order of the file"""


def read_entries(path: Path) -> tuple[tuple[str, ...], Kind | None]:
    """Entries of a file in its order, and their kind if a heading says it. Raises InputError for a file that cannot be read or holds none, or too many."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row and any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as text in UTF-8, one entry a line or CSV ({type(error).__name__}). Check the file.") from None
    heading = {cell.strip().lower(): place for place, cell in enumerate(rows[0])} if rows else {}
    named = next((name for name in _COLUMNS if name in heading), None)
    place = heading[named] if named else 0
    cells = (row[place].strip() for row in (rows[1:] if named else rows) if len(row) > place)
    entries = tuple(dict.fromkeys(cell for cell in cells if cell))
    if not entries:
        raise InputError(f"{path}: holds no entry. Write one account, address or card a line.")
    if len(entries) > MOST_ENTRIES:
        raise InputError(f"{path}: holds {len(entries):,} entries; at most {MOST_ENTRIES:,} are taken. Split it.")
    return entries, _COLUMNS[named] if named else None


def resolve(run: FinishedRun, entries: Sequence[str], kind: Kind | None) -> Tip:
    """Which accounts of the run the entries mean. Nobody: no holders, all entries unknown."""
    accounts = run.columns("accounts", "account_id", "account_key", "network_id", "request_count")
    named = _as_accounts(entries, accounts) if kind in (None, "account") else _nobody()
    left = _without(entries, named)
    as_addresses = [entry for entry in left if kind == "address" or (kind is None and _is_address(entry))]
    behind = _by_values(run, _address_values(as_addresses), "address")
    left = _without(left, behind) if kind != "account" else left
    paying = _by_values(run, _card_values(left), "card") if kind in (None, "card") else _nobody()
    found = pl.concat([named, behind, paying]).join(accounts, on="account_key", how="inner")
    kinds = tuple(each for each, frame in (("account", named), ("address", behind), ("card", paying)) if frame.height)
    return Tip(tuple(entries), kinds, _holders(found), tuple(_without(entries, found)))  # type: ignore[arg-type]  # the names above are those of Kind


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"entry": pl.String, "account_key": pl.Int64, "via": pl.String})


def _without(entries: Sequence[str], found: pl.DataFrame) -> list[str]:
    known = set(found["entry"].to_list())
    return [entry for entry in entries if entry not in known]


def _as_accounts(entries: Sequence[str], accounts: pl.DataFrame) -> pl.DataFrame:
    given = pl.DataFrame({"entry": list(entries)}, schema={"entry": pl.String})
    return given.join(accounts, left_on="entry", right_on="account_id").select("entry", "account_key", pl.lit("account").alias("via"))


def _is_address(entry: str) -> bool:
    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    return True


def _address_values(entries: Sequence[str]) -> pl.DataFrame:
    """Rows entry, kind, value_key: an address as itself and as the hash that a log may hold in its place, a prefix as itself."""
    if not entries:
        return _values([])
    import pyarrow as pa

    from pipeline.ingest.addresses import address_keys, prefix_keys  # with all that reads logs: a third of a cpu second

    plain = [entry for entry in entries if "/" not in entry]
    prefixes = [entry for entry in entries if "/" in entry]
    rows = [(entry, "ip_prefix", key) for entry, key in zip(prefixes, prefix_keys(pa.array(prefixes, pa.string()), len(prefixes)).to_pylist(), strict=True)]
    texts = pa.array(plain, pa.string())
    for keys in (address_keys(texts, None, len(plain))[0], address_keys(None, texts, len(plain))[0]) if plain else ():
        rows += [(entry, kind, key) for kind in ("ip", "signup_ip") for entry, key in zip(plain, keys.to_pylist(), strict=True)]
    return _values(rows)


def _card_values(entries: Sequence[str]) -> pl.DataFrame:
    if not entries:
        return _values([])
    import pyarrow as pa

    from pipeline.measures import fingerprints as fp

    keys = fp.value_keys(fp.spans_of(pa.array(list(entries), pa.string())), "payment").tolist()
    return _values([(entry, "payment", key) for entry, key in zip(entries, keys, strict=True)])


def _values(rows: Sequence[tuple[str, str, int | None]]) -> pl.DataFrame:
    schema = {"entry": pl.String, "kind": pl.String, "value_key": pl.Int64}
    return pl.DataFrame(list(rows), schema=schema, orient="row").drop_nulls().unique(maintain_order=True)


def _by_values(run: FinishedRun, wanted: pl.DataFrame, what: str) -> pl.DataFrame:
    """Accounts that hold one of the values: by the values that several share and, for addresses, by every request of the days."""
    if not wanted.height:
        return _nobody()
    held = run.columns("shared_values", "kind", "value_key", "account_key").join(wanted, on=["kind", "value_key"])
    if what == "address":
        keys = wanted["value_key"].unique().to_list()
        known = pl.col("kind").is_in(["ip", "ip_prefix"]) & pl.col("value_key").is_in(keys)
        days = run.scan_days("account_entities", ("kind", "value_key", "account_key"), known)
        held = pl.concat([held, days.cast(held.select("kind", "value_key", "account_key").schema).unique().join(wanted, on=["kind", "value_key"])]) if days.height else held
    return held.select("entry", "account_key", pl.col("kind").alias("via")).unique(maintain_order=True)


def _holders(found: pl.DataFrame) -> tuple[Holder, ...]:
    each = found.group_by("account_id", "account_key", "network_id", "request_count").agg(pl.col("entry").unique().sort(), pl.col("via").unique().sort()).sort("account_id")
    rows = each.select("account_id", "account_key", "network_id", "entry", "via", "request_count").rows()
    return tuple(Holder(name, key, network, tuple(entry), tuple(via), requests) for name, key, network, entry, via, requests in rows)
