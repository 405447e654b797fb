"""`networks` and `show`: what the latest run found, straight from its tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.marking import marks_on, say_marks
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from pipeline.evidence.finished import FinishedRun

_QUEUE = ("network_id", "tier", "account_count", "request_count", "first_seen_at", "last_seen_at", "coordination_bits", "extraction_bits", "q_value", "best_alternative", "reason")
_TIERS = ("refer", "watch", "explained")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt networks --tier refer --format csv")(networks)
    app.command(epilog="Example: stillhunt show N-0123456789")(show)


def networks(
    out: Out = DEFAULT_OUT,
    tier: Annotated[Literal["refer", "watch", "explained"] | None, typer.Option(help="Only this tier.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most N networks.")] = None,
    form: Form = "table",
) -> None:
    """List the networks of the latest run, gravest first."""
    guarded(lambda: _networks(out, tier, limit, form))


def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A network_id or an account_id.")],
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Show one network (its reasons, evidence by family, members) or one account (its network, strongest links, features)."""
    guarded(lambda: _show(name, out, form))


def _networks(out: Path, tier: str | None, limit: int | None, form: console.Format) -> None:
    run = _finished(out)
    found = _queue(run.table("networks"))
    if tier:
        found = [row for row in found if row["tier"] == tier]
    chosen = found[:limit]
    columns = _QUEUE if form == "table" else tuple(chosen[0]) if chosen else _QUEUE
    console.rows(columns, [[row[column] for column in columns] for row in chosen], form, "stillhunt.networks/1")
    say_marks(out, [row["network_id"] for row in chosen], date.fromisoformat(run.manifest()["night"]))
    if chosen:
        _say_show(chosen[0]["network_id"], out)
    else:
        console.say(f"no network{f' of tier {tier}' if tier else ''}. What was not looked at: {out / 'latest' / 'index.html'}")


def _queue(frame: pl.DataFrame) -> list[dict[str, Any]]:
    rows = frame.rows(named=True)
    return sorted(rows, key=lambda row: (_TIERS.index(row["tier"]), -((row["coordination_bits"] or 0.0) + (row["extraction_bits"] or 0.0)), row["network_id"]))


def _finished(out: Path) -> FinishedRun:
    from pipeline.evidence.finished import FinishedRun

    return FinishedRun(out)


def _show(name: str, out: Path, form: console.Format) -> None:
    run = _finished(out)
    network = run.where("networks", network_id=name).rows(named=True)
    account = [] if network else run.where("accounts", account_id=name).rows(named=True)
    if not network and not account:
        raise InputError(f"'{redact.for_cell(name)}' is neither a network nor an account of the latest run in {out}. See: stillhunt networks --out {out}")
    parts = {**(_network_parts(run, network[0]) if network else _account_parts(run, account[0])), "journal": marks_on(out, name)}
    _print(name, "network" if network else "account", parts, form)
    if network:
        console.say(f"page: {out / 'latest' / 'networks' / (name + '.html')}")
        members = parts["members"]
        _say_show(members[0]["account_id"] if members else name, out)
    elif account[0]["network_id"]:
        _say_show(account[0]["network_id"], out)
    else:
        console.say_next("networks", "--out", out)


def _say_show(name: str, out: Path) -> None:
    """An id that begins with a dash must not be read as an option."""
    console.say_next("show", *(("--out", out, "--", name) if name.startswith("-") else (name, "--out", out)))


Parts = dict[str, list[dict[str, Any]]]
"""Tables to print, each as rows by column name."""


def _network_parts(run: FinishedRun, network: dict[str, Any]) -> Parts:
    name = network["network_id"]
    members = run.where("members", network_id=name).sort(["bits", "account_id"], descending=[True, False], nulls_last=True)
    return {
        "network": _facts(network),
        "findings": run.where("findings", network_id=name).sort("rank").drop("network_id", "evidence_sha256").rows(named=True),
        "families": run.where("network_families", network_id=name).drop("network_id").rows(named=True),
        "without": run.where("network_ablations", network_id=name).drop("network_id").rows(named=True) if run.holds("network_ablations") else [],
        "tests": run.where("network_tests", network_id=name).drop("network_id").rows(named=True),
        "members": members.drop("network_id").rows(named=True),
        "lineage": run.where("lineage", network_id=name).rows(named=True),
    }


def _account_parts(run: FinishedRun, account: dict[str, Any]) -> Parts:
    import polars as pl

    name = account["account_id"]
    links = pl.concat([run.where("links", account_a=name), run.where("links", account_b=name)])
    other = pl.when(pl.col("account_a") == name).then("account_b").otherwise("account_a").alias("other_account_id")
    strongest = links.select(other, "kind", "family", "bits", "support").sort(["bits", "other_account_id", "kind"], descending=[True, False, False])
    return {
        "account": _facts({key: account[key] for key in ("account_id", "network_id", "request_count", "active_days", "extraction_score")}),
        "membership": run.where("members", account_id=name).rows(named=True),
        "links": strongest.rows(named=True),
        "features": _facts({key: value for key, value in account.items() if key not in ("account_id", "account_key", "network_id")}),
    }


def _facts(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"what": key, "value": value} for key, value in row.items()]


def _print(name: str, kind: str, parts: Parts, form: console.Format) -> None:
    if form == "json":
        console.document({"id": name, "kind": kind, **{part: _unfolded(part, rows) for part, rows in parts.items()}}, f"stillhunt.{kind}/1")
    elif form == "csv":
        main = "members" if kind == "network" else "features"
        _rows(parts[main], "csv", f"stillhunt.{kind}/1")
    else:
        for part, rows in parts.items():
            if rows:
                console.data(f"{part.upper()}")
                _rows(rows[:SHOWN], "table", "")
                console.data(f"({len(rows) - SHOWN} more: --format json or csv)\n" if len(rows) > SHOWN else "\n")


SHOWN = 80
"""Rows of one part that `show` prints for people."""


def _unfolded(part: str, rows: list[dict[str, Any]]) -> Any:
    """In JSON a list of facts is one object."""
    return {row["what"]: row["value"] for row in rows} if part in ("network", "account", "features") else rows


def _rows(rows: Sequence[dict[str, Any]], form: console.Format, schema: str) -> None:
    columns = tuple(rows[0]) if rows else ("account_id",)
    console.rows(columns, [tuple(row.values()) for row in rows], form, schema)
