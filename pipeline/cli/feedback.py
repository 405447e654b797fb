"""`note`, `disposition`, `allow`, `journal`: what people say about networks, kept in DIR/journal.jsonl. Nothing said changes what a run finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out, parse_day

if TYPE_CHECKING:
    from pipeline.history.journal import Entry
    from pipeline.history.standing import Allowed

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
Subject = Annotated[str, typer.Argument(metavar="NET|ACCT", help="A network_id or an account_id.")]
Verdict = Literal["confirmed", "benign", "duplicate", "unsure"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog='Example: stillhunt note N-0123456789 "asked billing about the two cards" --by "A. Analyst"')(note)
    app.command(epilog='Example: stillhunt disposition N-0123456789 benign --reason "course of a university" --by "A. Analyst"')(disposition)
    purpose = "Vouch for a network or account until a day: it moves to the suppressed ones on the index; no table changes."
    allow = typer.Typer(help=purpose, epilog="Example: stillhunt allow list", no_args_is_help=True, rich_markup_mode=None)
    allow.command("add", epilog='Example: stillhunt allow add N-0123456789 --until 2027-01-31 --reason "evaluation team, contract 17" --by "A. Analyst"')(allow_add)
    allow.command("list", epilog="Example: stillhunt allow list --format csv")(allow_list)
    allow.command("expire", epilog='Example: stillhunt allow expire N-0123456789 --reason "contract ended" --by "A. Analyst"')(allow_expire)
    app.add_typer(allow, name="allow")
    journal = typer.Typer(help="Everything that was said, and taking it back.", epilog="Example: stillhunt journal list", no_args_is_help=True, rich_markup_mode=None)
    journal.command("list", epilog="Example: stillhunt journal list --format json")(journal_list)
    journal.command("revoke", epilog='Example: stillhunt journal revoke 3 --reason "wrong network" --by "A. Analyst"')(journal_revoke)
    journal.command("labels", epilog="Example: stillhunt journal labels --format csv > labels.csv")(journal_labels)
    app.add_typer(journal, name="journal")


def note(subject: Subject, text: Annotated[str, typer.Argument(metavar="TEXT", help="The note.")], by: By, out: Out = DEFAULT_OUT) -> None:
    """Write a note on a network or account into the journal."""

    def body() -> None:
        from pipeline.operations import feedback

        _say(feedback.note(out, subject, text, by), out)

    guarded(body)


def disposition(
    network: Annotated[str, typer.Argument(metavar="NET", help="A network_id.")],
    verdict: Annotated[
        Verdict, typer.Argument(help="confirmed: one operator, by what a person found out. benign: cleared. duplicate: the same as another. unsure: takes back an earlier word.")
    ],
    reason: Reason,
    by: By,
    out: Out = DEFAULT_OUT,
) -> None:
    """Record a person's word on a network. It marks the network on later nights; it changes no table, threshold or tier."""

    def body() -> None:
        from pipeline.operations import feedback

        _say(feedback.dispose(out, network, verdict, reason, by), out)

    guarded(body)


def allow_add(
    subject: Subject,
    until: Annotated[date, typer.Option("--until", metavar="DAY", parser=parse_day, help="Last day on which it holds; at most a year ahead.")],
    reason: Reason,
    by: By,
    out: Out = DEFAULT_OUT,
) -> None:
    """Vouch for a network or account up to and on a day."""

    def body() -> None:
        from pipeline.operations import feedback

        _say(feedback.allow(out, subject, until, reason, by, _today()), out)

    guarded(body)


def allow_list(out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """List what is vouched for, and until when."""

    def body() -> None:
        from pipeline.history.journal import read_journal
        from pipeline.history.standing import standing

        _existing(out)
        today = _today()
        allowed = standing(read_journal(out)).allowed
        if form != "table":
            console.rows(_ALLOW_COLUMNS, [_allowed(entry, today) for entry in allowed], form, "stillhunt.allow/1")
            return
        rows = [(entry.number, entry.subject, entry.until, _left(entry, today), entry.reason, entry.by, entry.on) for entry in allowed]
        console.rows(("entry", "id", "until", "left", "reason", "by", "on"), rows, form, "", ("on", "by"))
        _say_allowed(allowed, today, out)

    guarded(body)


def allow_expire(subject: Subject, reason: Reason, by: By, out: Out = DEFAULT_OUT) -> None:
    """End every standing allow entry about a network or account now."""

    def body() -> None:
        from pipeline.operations import feedback

        for entry in feedback.expire(out, subject, reason, by):
            _say(entry, out)

    guarded(body)


def journal_list(out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """List every entry of the journal, oldest first, and whether it stands. The chain of hashes is checked on the way."""

    def body() -> None:
        from pipeline.operations import feedback

        _existing(out)
        listed = feedback.listed(out)
        if form == "table":
            _print_journal(listed, out)
            return
        rows = [(entry.number, entry.at, entry.by, entry.kind, *_told(entry), "stands" if stands else "revoked") for entry, stands in listed]
        console.rows(("entry", "at", "by", "kind", "about", "what", "state"), rows, form, "stillhunt.journal/1")

    guarded(body)


def journal_revoke(
    number: Annotated[int, typer.Argument(metavar="ENTRY", min=1, help="Number of the entry, as `journal list` shows it.")], reason: Reason, by: By, out: Out = DEFAULT_OUT
) -> None:
    """Take an entry back. It stays in the journal; its effect ends. Revoking a revocation brings the effect back."""

    def body() -> None:
        from pipeline.operations import feedback

        _say(feedback.revoke(out, number, reason, by), out)

    guarded(body)


def journal_labels(out: Out = DEFAULT_OUT, form: Form = "csv") -> None:
    """Print the members of confirmed and cleared networks as labels, to measure error rates on: stillhunt validate --worlds LOG --truth FILE."""

    def body() -> None:
        from pipeline.operations import feedback

        found = feedback.labels(out)
        console.rows(tuple(found.columns), found.rows(), form, "stillhunt.labels/1")

    guarded(body)


def _today() -> date:
    return dt.datetime.now(dt.UTC).date()


_ALLOW_COLUMNS = ("entry", "subject", "until", "days_left", "state", "reason", "by", "on")


def _allowed(entry: Allowed, today: date) -> tuple[object, ...]:
    state = "in force" if entry.holds_on(today) else "expired"
    return (entry.number, entry.subject, entry.until, (entry.until - today).days, state, entry.reason, entry.by, entry.on)


def _left(entry: Allowed, today: date) -> str:
    """How long an allow entry holds on, for people."""
    days = (entry.until - today).days
    return "expired" if days < 0 else "ends today" if days == 0 else "1 day" if days == 1 else f"{days} days"


def _say_allowed(allowed: Sequence[Allowed], today: date, out: Path) -> None:
    """How many entries are in force, and how to look at one or end it."""
    in_force = [entry for entry in allowed if entry.holds_on(today)]
    console.say(f"{len(in_force)} of {len(allowed)} in force today, {today} UTC." if allowed else "nothing is vouched for.")
    if in_force:
        console.say_next("allow", "expire", in_force[0].subject, "--reason", "TEXT", "--by", "NAME", "--out", out, why="to end it early")
        say_next_about("show", in_force[0].subject, out)
    else:
        console.say_next("networks", "--out", out)


def _print_journal(listed: Sequence[tuple[Entry, bool]], out: Path) -> None:
    """Two lines an entry: what kind it is of, about what, by whom and when; and all that it says."""
    for entry, stands in listed:
        about, what = (redact.for_cell(text) for text in _told(entry))
        kind = "revocation of" if entry.kind == "revoke" else f"{entry.kind},"
        console.paragraph(f"{kind} {about}, {redact.for_cell(entry.by)}, {entry.at[:16].replace('T', ' ')}{'' if stands else ', REVOKED'}", " " * 6, f"{entry.number:>4}  ")
        console.paragraph(what, " " * 6)
    standing = sum(stands for _, stands in listed)
    console.say(
        f"{len(listed)} {'entry' if len(listed) == 1 else 'entries'}, {standing} not revoked; times are UTC; the chain of hashes is whole."
        if listed
        else "nothing has been said yet."
    )
    last = next((entry.number for entry, stands in reversed(listed) if stands and entry.kind != "erasure"), None)
    if last is not None:
        console.say_next("journal", "revoke", last, "--reason", "TEXT", "--by", "NAME", "--out", out, why="to take one back")
    console.say_next("networks", "--out", out)


def _existing(out: Path) -> None:
    from pipeline.errors import InputError

    if not out.is_dir():
        raise InputError(f"{out}: no such folder. Name the output folder of the runs with --out DIR.")


def _say(entry: Entry, out: Path) -> None:
    about, what = _told(entry)
    console.say(f"entry {entry.number}: {entry.kind} {redact.for_cell(about)}: {what}")
    in_list = entry.kind == "revoke" or (entry.kind in ("disposition", "allow") and entry.content.get("is_network", True))
    console.say(f"{'`networks` and `show` have' if in_list else '`show` has'} it at once; pages have it from the next run on.")
    console.say_next("journal", "revoke", entry.number, "--reason", "TEXT", "--by", "NAME", "--out", out, why="to take it back")
    if _is_shown(entry):
        say_next_about("show", _told(entry)[0], out)
    else:
        console.say_next("journal", "list", "--out", out)


def _is_shown(entry: Entry) -> bool:
    """Whether the latest run has what the entry is about, so that `show` finds it."""
    return entry.kind != "revoke" and (not entry.content.get("is_network", True) or "tier" in entry.content["seen"])


def _told(entry: Entry) -> tuple[str, str]:
    """What an entry is about, and what it says."""
    content = entry.content
    if entry.kind == "disposition":
        return content["network_id"], f"{content['verdict']}: {content['reason']}"
    if entry.kind == "allow":
        return content["subject"], f"until {content['until']}: {content['reason']}"
    if entry.kind == "revoke":
        return f"entry {content['entry']}", content["reason"]
    if entry.kind == "erasure":
        return f"account {content['tombstone'][:12]}", "erased; the hash is keyed"
    return content["subject"], content["text"]
