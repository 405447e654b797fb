"""`runs`, `gc` and `erase`: the ledger and the dead man's check, retention, and one account's way out."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out, parse_day
from pipeline.errors import InputError, UsageError

if TYPE_CHECKING:
    from pipeline.operations.erasure import Erasure
    from pipeline.operations.ledger import Ledger, RunLine
    from pipeline.operations.retention import Plan
    from pipeline.store import Store

LATE, LEFT_SOME = 3, 5
KEEP_DAYS = 90
_COLUMNS = ("ended_at", "outcome", "night", "run_id", "version", "config_sha256", "wall_s", "peak_mb", "kept")
_LEAST = ("config_sha256", "peak_mb", "version", "wall_s")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt runs --max-age 26h --out /var/stillhunt")(runs)
    app.command(epilog="Example: stillhunt gc --keep-days 90 --out /var/stillhunt")(gc)
    app.command(epilog="Example: stillhunt erase acct-0001 --out /var/stillhunt")(erase)


def parse_age(text: str | dt.timedelta) -> dt.timedelta:
    """`26h`, `90m` or `2d` as a duration. Raises typer.BadParameter."""
    from pipeline.operations.ledger import parse_age as parsed

    try:
        return text if isinstance(text, dt.timedelta) else parsed(text)
    except ValueError:
        raise typer.BadParameter(f"'{redact.for_terminal(str(text))}' is not an age. Write it like 26h, 90m or 2d.") from None


def runs(
    out: Out = DEFAULT_OUT,
    max_age: Annotated[
        dt.timedelta | None, typer.Option("--max-age", metavar="AGE", parser=parse_age, help="Exit 3 when the last good run ended longer ago, such as 26h, 90m or 2d.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The newest N runs.")] = 30,
    form: Form = "table",
) -> None:
    """List what became of each run, newest first; with --max-age, only say whether the last good one is recent enough."""

    def body() -> int:
        from pipeline.operations.ledger import read_ledger

        ledger = read_ledger(out)
        if ledger.broken:
            console.say(f"{ledger.broken} line{'s' if ledger.broken > 1 else ''} of {out / 'ledger.jsonl'} could not be read (cut off by a crash, or not ours) and were left out.")
        if max_age is not None:
            return _check_age(ledger, max_age, out, form)
        newest = list(reversed(ledger.lines))[:limit]
        console.rows(_COLUMNS, [_cells(line, form) for line in newest], form, "stillhunt.runs/1", _LEAST)
        console.say_next("runs", "--max-age", "26h", "--out", out)
        return 0

    guarded(body)


def _cells(line: RunLine, form: console.Format) -> tuple[object, ...]:
    config = line.config_sha256 and (line.config_sha256[:12] if form == "table" else line.config_sha256)
    peak = None if line.peak_rss_bytes is None else round(line.peak_rss_bytes / 1e6)
    wall = None if line.wall_s is None else round(line.wall_s, 1)
    ended = line.ended_at if form == "table" else line.ended_at.replace(microsecond=0).isoformat()
    return (ended, line.outcome, line.night, line.run_id, line.version, config, wall, peak, line.is_kept)


def _check_age(ledger: Ledger, max_age: dt.timedelta, out: Path, form: console.Format) -> int:
    from pipeline.operations.ledger import is_late, told_age

    now, good = dt.datetime.now(dt.UTC), ledger.last_good()
    late = is_late(good, max_age, now)
    newest = ledger.lines[-1] if ledger.lines else None
    since = "; the newest run ended " + f"{told_age(now - newest.ended_at)} ago as {redact.for_cell(newest.outcome)}" if newest and newest != good else ""
    if good is None:
        line = f"LATE: no good run is on record in {out}{since}"
    else:
        line = f"{'LATE' if late else 'ok'}: the last good run (night {good.night}, {good.run_id}) ended {told_age(now - good.ended_at)} ago, {told_age(max_age)} allowed{since}"
    if form == "table":
        console.data(redact.for_terminal(line))
    else:
        told = (late, good and good.night, good and good.run_id, good and good.ended_at.replace(microsecond=0).isoformat(), max_age.total_seconds())
        console.rows(("is_late", "night", "run_id", "ended_at", "max_age_s"), [told], form, "stillhunt.runs.age/1")
    return LATE if late else 0


def gc(
    out: Out = DEFAULT_OUT,
    keep_days: Annotated[int, typer.Option(min=1, max=3660, metavar="N", help="Days of tables to keep, counted back from today (UTC).")] = KEEP_DAYS,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this nothing is changed.")] = False,
    today: Annotated[date | None, typer.Option("--as-of", metavar="DAY", parser=parse_day, help="Count back from this day instead of today.")] = None,
    form: Form = "table",
) -> None:
    """Say which old days and superseded runs would be dropped, and what is lost; with --apply, drop them. Held cases keep theirs."""

    def body() -> None:
        from pipeline.operations import retention

        with _locked(out) as store:
            found = retention.plan(store, keep_days, today or dt.datetime.now(dt.UTC).date())
            _print_plan(found, form)
            if not found.losses:
                console.say("nothing to drop.")
            elif apply:
                console.say(f"dropped {len(found.losses)} folders, {retention.apply(store, found) / 1e6:,.1f} MB.")
            else:
                size = sum(loss.size_bytes for loss in found.losses) / 1e6
                console.say(f"nothing was changed; {size:,.1f} MB would be dropped. Days hold fingerprints of prompts, addresses and devices.")
                console.say_next("gc", "--keep-days", keep_days, *(("--as-of", today) if today else ()), "--apply", "--out", out)

    guarded(body)


def _print_plan(found: Plan, form: console.Format) -> None:
    rows: list[tuple[object, ...]] = [("drop", loss.what, loss.name, round(loss.size_bytes / 1e6, 2), loss.lost) for loss in found.losses]
    rows += [("keep", kept.what, kept.name, None, kept.because) for kept in found.kept]
    console.rows(("action", "what", "name", "mb", "what is lost, or why it stays"), rows, form, "stillhunt.gc/1")
    if any(loss.what == "day" for loss in found.losses):
        console.say("without these days a window that holds them can be judged again, and their rows explained, only from the logs.")
    for warning in found.warnings:
        console.say(f"note: {warning}")


def erase(
    account: Annotated[str, typer.Argument(metavar="ACCT", help="An account_id.")],
    out: Out = DEFAULT_OUT,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this nothing is changed.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who erases; needed with --apply and kept in the journal.")] = "",
    form: Form = "table",
) -> None:
    """Say where one account is; with --apply, take it out of every kept day, run, page and journal line, and leave a keyed hash."""

    def body() -> int:
        from pipeline.operations import erasure

        if apply and not by.strip():
            raise UsageError("--by must name the person who erases.")
        with _locked(out) as store:
            found = erasure.plan(store, account)
            _print_erasure(found, form)
            if found.refusals:
                raise InputError(found.refusals[0])
            if found.is_empty:
                if apply:
                    erasure.clear_scratch(store)
                return _tell_leftovers(out, account, erasure.leftovers(out, account))
            if not apply:
                console.say("nothing was changed. Networks that held it keep their figures until their nights are run again.")
                console.say_next("erase", "--out", out, "--apply", "--by", "NAME", "--", account)
                return 0
            with console.Bars() as bars:
                left = erasure.apply(store, found, by, bars)
            return _tell_rebuild(store, found, _tell_leftovers(out, account, left))

    guarded(body)


def _print_erasure(found: Erasure, form: console.Format) -> None:
    action = {"day": "rewrite", "run": "rewrite, pages again", "superseded run": "drop whole"}
    rows = [(action[place.what], place.what, place.name, place.total) for place in found.places]
    rows += [("rewrite", "journal line", str(number), 1) for number in found.entries]
    console.rows(("action", "what", "name", "rows"), rows, form, "stillhunt.erase/1")


def _tell_leftovers(out: Path, account: str, left: tuple[str, ...]) -> int:
    if not left:
        console.say(f"no file below {out} names {redact.for_cell(account)}.")
        return 0
    bags, others = in_bags(left)
    for name in others[:20]:
        console.say(f"still names it, and is not this command's to change: {out / name}")
    for bag, count in bags.items():
        files = "1 file" if count == 1 else f"{count} files"
        console.say(f"sealed bag, still names it in {files}: {out / bag}. A sealed bag is never changed: delete the whole of it if that may be done.")
    if bags:
        console.say("a copy of a sealed bag that was handed on still holds the account, too: the journal of the case says what was sealed and when.")
    return LEFT_SOME


def in_bags(names: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """How many of these files, by path below DIR, lie in each sealed bag, and the files that lie in none."""
    bags: dict[str, int] = {}
    others = []
    for name in names:
        parts = name.split("/")
        if len(parts) > 4 and (parts[0], parts[2]) == ("cases", "bundles"):
            bag = "/".join(parts[:4])
            bags[bag] = bags.get(bag, 0) + 1
        else:
            others.append(name)
    return bags, others


def _tell_rebuild(store: Store, found: Erasure, code: int) -> int:
    from pipeline.store import read_json

    runs = [place.name for place in found.places if place.what == "run"]
    nights = sorted(read_json(store.run_folder(run) / "run.json")["night"] for run in runs)
    if nights:
        console.say(f"networks of {len(nights)} nights ({nights[0]} to {nights[-1]}) keep the figures they had with it. To judge them again:")
        console.say(f"stillhunt run LOGS --since {nights[0]} --until {nights[-1]}")
    console.say("the logs are not touched: take the account out of them too, or the next run that reads those files brings it back.")
    return code


def _locked(out: Path) -> contextlib.AbstractContextManager[Store]:
    from pipeline.store import open_store

    if not out.is_dir():
        raise InputError(f"{out}: no such folder. Name the output folder of the runs with --out DIR.")
    return open_store(out)
