"""`run` and `demo`: from logs to pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.notifying import told_at_the_end
from pipeline.cli.options import DEFAULT_OUT, Memory, Out, Threads, limit_threads, parse_day, usable_threads

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.run import RunOptions, RunOutcome

Tier = Literal["refer", "watch", "explained"]
TIERS: tuple[Tier, ...] = ("refer", "watch", "explained")
FOUND, DEGRADED = 3, 5
DEMO_ACCOUNTS, DEMO_DAYS, DEMO_SEED, DEMO_SHARE = 600, 7, 7, 0.08


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt run /logs/requests --accounts /logs/accounts.parquet --night 2026-05-01 --out /var/stillhunt")(run)
    app.command(epilog="Example: stillhunt demo --out stillhunt-out")(demo)


def run(
    logs: Annotated[list[str], typer.Argument(metavar="LOGS...", help="Parquet files, folders (flat or date=/hour=), globs or s3:// URLs.")],
    accounts: Annotated[Path | None, typer.Option(metavar="FILE", help="Accounts table (Parquet or CSV). Without it identity links are off.")] = None,
    context: Annotated[
        Path | None, typer.Option(metavar="DIR", help="What only the provider knows: releases.csv, bans.csv, preambles.toml, prices.toml, regions.csv, vouched.csv ...")
    ] = None,
    out: Out = DEFAULT_OUT,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML over the defaults; `stillhunt config` prints them with their meaning.")] = None,
    night: Annotated[date | None, typer.Option(metavar="DAY", parser=parse_day, help="Judge the window that ends with this UTC day. Without it all rows are one window.")] = None,
    since: Annotated[date | None, typer.Option(metavar="DAY", parser=parse_day, help="With --until: replay these nights in date order.")] = None,
    until: Annotated[date | None, typer.Option(metavar="DAY", parser=parse_day, help="Last night of the replay.")] = None,
    window: Annotated[int | None, typer.Option(metavar="DAYS", min=1, max=366, help="Days of a night's window; default 28.")] = None,
    memory: Memory = 4_000_000_000,
    threads: Threads = None,
    on_bad_file: Annotated[Literal["fail", "skip"], typer.Option(help="What a truncated, foreign or uncastable file does; skip ends with exit code 5.")] = "fail",
    fail_on: Annotated[Tier | None, typer.Option(help="End with exit code 3 when a network of this tier or a graver one was found.")] = None,
    notify_cmd: Annotated[
        str | None, typer.Option(metavar="CMD", help="Command (no shell) that gets a JSON summary on stdin when the run has ended, however it ended; if it fails, exit code 5.")
    ] = None,
) -> None:
    """Read request logs, judge a window, write tables and pages."""

    def body() -> int:
        limit_threads(threads or usable_threads())
        from pipeline.config import load_config
        from pipeline.run import RunOptions

        settings = _with_window(load_config(config), window)
        options = RunOptions(tuple(logs), out, settings, accounts, context, night, memory, threads or usable_threads(), on_bad_file)
        outcomes.extend(_run(options, since, until))
        return _finish(outcomes, out, fail_on)

    outcomes: list[RunOutcome] = []
    _check_nights(night, since, until, window)
    if notify_cmd is None:
        guarded(body)
    told_at_the_end(notify_cmd, body, out, outcomes)


def demo(out: Out = DEFAULT_OUT, memory: Memory = 4_000_000_000, threads: Threads = None) -> None:
    """Make a sample log with three campaigns among innocent accounts, and run everything on it."""

    def body() -> int:
        limit_threads(threads or usable_threads())
        from pipeline.config import load_config
        from pipeline.run import RunOptions
        from pipeline.simulate import write_world

        sample = out / "sample"
        console.say(f"making a sample log of {DEMO_ACCOUNTS} accounts over {DEMO_DAYS} days in {sample}")
        write_world(sample, "demo", DEMO_ACCOUNTS, DEMO_DAYS, DEMO_SEED, DEMO_SHARE)
        options = RunOptions((str(sample / "requests"),), out, load_config(), sample / "accounts.parquet", memory_bytes=memory, threads=threads or usable_threads())
        return _finish(_run(options, None, None), out, None)

    guarded(body)


def _check_nights(night: date | None, since: date | None, until: date | None, window: int | None) -> None:
    """Raise typer.BadParameter (exit code 2) for night options that contradict each other."""
    if (since is None) != (until is None):
        raise typer.BadParameter("--since and --until go together.")
    if night is not None and since is not None:
        raise typer.BadParameter("--night and --since/--until exclude each other.")
    if since is not None and until is not None and since > until:
        raise typer.BadParameter(f"--since {since} is after --until {until}.")
    if window is not None and night is None and since is None:
        console.say("--window has no effect without --night or --since and --until: all rows are one window.")


def _with_window(settings: Config, window: int | None) -> Config:
    return settings if window is None else dataclasses.replace(settings, window=dataclasses.replace(settings.window, window_days=window))


def _run(options: RunOptions, since: date | None, until: date | None) -> list[RunOutcome]:
    from pipeline.evidence.origins import note_origins
    from pipeline.history.prices import given_prices
    from pipeline.run import run_night, run_nights

    with given_prices(options.out, options.context), console.Bars() as bars:
        outcomes = run_nights(options, since, until, bars) if since and until else [run_night(options, bars)]
    for outcome in outcomes:
        note_origins(options.out, outcome.run_id, options.logs, options.accounts, options.context)
    return outcomes


def _finish(outcomes: Sequence[RunOutcome], out: Path, fail_on: Tier | None) -> int:
    """Say what was found, what was missing and what to type next; the exit code."""
    for outcome in outcomes:
        found = ", ".join(f"{outcome.tiers.get(tier, 0)} {tier}" for tier in TIERS)
        console.say(f"night {outcome.night}: {'already done, ' if outcome.already_done else ''}networks: {found} (run {outcome.run_id})")
        if outcome.judged_again:
            console.say(f"  nights judged again on logs that came late or changed: {', '.join(day.isoformat() for day in outcome.judged_again)}")
        for reason in outcome.degraded:
            console.say(f"  not all ran: {reason}")
    last = outcomes[-1]
    _say_erased(out, last)
    console.say(f"pages: {out / 'latest' / 'index.html'}")
    console.say_next("networks", "--out", out)
    graver = TIERS[: TIERS.index(fail_on) + 1] if fail_on else ()
    if any(outcome.degraded for outcome in outcomes):
        return DEGRADED
    return FOUND if any(last.tiers.get(tier) for tier in graver) else 0


def _say_erased(out: Path, outcome: RunOutcome) -> None:
    """Accounts that were erased once and that the logs brought back."""
    from pipeline.history.journal import read_journal
    from pipeline.history.standing import standing

    tombstones = standing(read_journal(out)).tombstones
    if not tombstones:
        return
    import polars as pl

    from pipeline.operations.erasure import back_again

    accounts = pl.read_parquet(outcome.folder / "tables" / "accounts.parquet", columns=["account_id"], glob=False, hive_partitioning=False)["account_id"]
    back = back_again(out, tombstones, accounts)
    if back:
        what = "1 account that had been erased: the logs brought it back." if back == 1 else f"{back} accounts that had been erased: the logs brought them back."
        console.say(f"{what} Take what was erased out of the logs, and erase it again.")
