"""`pivot`: from a value to the accounts that used it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out, hash_without_compiling
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.evidence.pivot import Related

_SCHEMA = "stillhunt.pivot/1"
PRINTED, NETWORKS, REPEATED = 40, 12, 60
"""Accounts that are printed for people unless --limit says otherwise, networks, and characters of the value that are repeated."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt pivot --ip 203.0.113.2")(pivot)


def pivot(
    ip: Annotated[str | None, typer.Option(metavar="ADDRESS", help="An address, a prefix such as 203.0.113.0/24, or the hash that the log has for it.")] = None,
    asn: Annotated[str | None, typer.Option(metavar="NUMBER", help="An AS number.")] = None,
    card: Annotated[str | None, typer.Option(metavar="FINGERPRINT", help="A payment fingerprint of the accounts table.")] = None,
    device: Annotated[str | None, typer.Option(metavar="FINGERPRINT", help="A device at sign-up.")] = None,
    mailbox: Annotated[str | None, typer.Option(metavar="HASH", help="A mailbox, as hashed in the accounts table.")] = None,
    phone: Annotated[str | None, typer.Option(metavar="HASH", help="A telephone, as hashed in the accounts table.")] = None,
    ua: Annotated[str | None, typer.Option(metavar="AGENT", help="A whole user agent, or a client product: what stands before its first slash.")] = None,
    ja4: Annotated[str | None, typer.Option(metavar="JA4", help="A TLS fingerprint.")] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="A conversation.")] = None,
    template: Annotated[str | None, typer.Option(metavar="TEXT", help="A prompt or system prompt as it was sent; prompts that differ in numbers and names count as one.")] = None,
    time: Annotated[str | None, typer.Option(metavar="A..B", help="A stretch of UTC time: two days, both whole, or two times.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most N accounts; a table shows 40 unless told.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """List the accounts that used a value, with days, requests and networks. A value is hashed here as the log's was; key:N is a hash as other commands print it."""
    given = {name: value for name, value in locals().items() if name not in ("limit", "out", "form") and value is not None}
    guarded(lambda: _pivot(given, limit, out, form))


def _pivot(given: dict[str, str], limit: int | None, out: Path, form: console.Format) -> None:
    if len(given) != 1:
        raise UsageError("pivot takes exactly one of --ip, --asn, --card, --device, --mailbox, --phone, --ua, --ja4, --session, --template and --time.")
    hash_without_compiling()
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.pivot import pivot as related

    ((kind, value),) = given.items()
    found = related(VerifiedRun(out), kind, value)
    accounts = found.accounts[: limit or (PRINTED if form == "table" else None)]
    if form == "json":
        console.document(dataclasses.asdict(found) | {"accounts": accounts}, _SCHEMA)
    elif form == "csv":
        console.rows(_COLUMNS, [[row[name] for name in _COLUMNS] for row in accounts], "csv", _SCHEMA)
    else:
        _print(found, len(accounts))
    _say(found, out)


_COLUMNS = ("account_id", "network_id", "tier", "reason", "day_count", "request_count", "own_share", "first_day", "last_day")


def _print(found: Related, shown: int) -> None:
    ids = len({row["account_id"] for row in found.accounts})
    rare = f", {found.rarity_bits:.1f} bits of rarity" if found.rarity_bits is not None else ""
    value = found.value if len(found.value) <= REPEATED else found.value[:REPEATED] + " ..."
    console.line((f"{found.kind} {redact.for_cell(value)}", "title"), f": {ids:,} of {found.account_total:,} accounts{rare}")
    lines = [_line(row, dated=found.accounts[0]["first_day"] is not None) for row in found.accounts[:shown]]
    console.rows(tuple(lines[0]) if lines else ("account_id",), [tuple(line.values()) for line in lines], "table", "", ("first", "of its own", "last", "tier"))
    if len(found.accounts) > shown:
        console.data(f"({len(found.accounts) - shown:,} more: --limit, --format json or csv)")
    if found.networks:
        console.heading("THEIR NETWORKS")
        named = [(row["network_id"], row["tier"], row["holder_count"], row["account_count"]) for row in found.networks[:NETWORKS]]
        console.rows(("network_id", "tier", "found", "members"), named, "table", "")
        if len(found.networks) > NETWORKS:
            console.data(f"({len(found.networks) - NETWORKS} more: --format json)")


def _line(row: dict[str, Any], *, dated: bool) -> dict[str, Any]:
    """An account as a line; days and requests are unknown for what stands in the accounts table."""
    known = {"account_id": row["account_id"], "network_id": row["network_id"], "tier": row["tier"], "reason": row["reason"]}
    counts = {"days": row["day_count"], "requests": row["request_count"], "of its own": _percent(row["own_share"]), "first": row["first_day"], "last": row["last_day"]}
    return known | (counts if dated else {})


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _say(found: Related, out: Path) -> None:
    if found.not_carried:
        where = "accounts table" if found.not_carried[0] in _RECORD_COLUMNS else "log"
        console.say(f"The {where} of this run carried no {' and no '.join(found.not_carried)}: nothing can be said about this value.")
    for note in found.notes:
        console.say(note)
    if found.networks:
        say_next_about("show", found.networks[0]["network_id"], out)
    elif found.accounts:
        say_next_about("show", found.accounts[0]["account_id"], out)
    else:
        console.say_next("networks", "--out", out)


_RECORD_COLUMNS = ("payment_fingerprint", "device_fingerprint", "email_hash", "phone_hash")
