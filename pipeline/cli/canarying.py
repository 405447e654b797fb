"""`canary`: says whether networks that are known to be there are still found in the log of tonight."""

from __future__ import annotations

import dataclasses
import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Memory, Out, Threads, parse_day, usable_threads

MISSED = 3
ACCOUNTS, SHARE, WINDOW_DAYS, SEED = 120, 0.3, 7, 7
SCENARIO = "ladder:0,2,4"
_COLUMNS = ("name", "account_count", "found_count", "tier", "overlap", "is_found")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt canary /logs/requests --accounts /logs/accounts.parquet --night 2026-05-01 --out /var/stillhunt")(canary)


def canary(
    logs: Annotated[list[str], typer.Argument(metavar="LOGS...", help="The real log, as for `run`.")],
    night: Annotated[date, typer.Option(metavar="DAY", parser=parse_day, help="The night whose log the planted networks lie beside.")],
    accounts: Annotated[Path | None, typer.Option(metavar="FILE", help="The real accounts table, as for `run`.")] = None,
    context: Annotated[Path | None, typer.Option(metavar="DIR", help="As for `run`.")] = None,
    out: Out = DEFAULT_OUT,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="As for `run`.")] = None,
    window: Annotated[int, typer.Option(metavar="DAYS", min=1, max=366, help="Days that are judged; each is read once more than `run` reads it.")] = WINDOW_DAYS,
    scenario: Annotated[str, typer.Option(metavar="NAME", help="Whose campaigns are planted, as for `simulate`.")] = SCENARIO,
    size: Annotated[int, typer.Option("--size", min=40, max=10_000, metavar="N", help="Accounts of the simulated world; three tenths of them belong to campaigns.")] = ACCOUNTS,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the simulated world.")] = SEED,
    min_found: Annotated[int, typer.Option(min=0, metavar="N", help="Exit 3 when fewer are found.")] = 1,
    memory: Memory = 4_000_000_000,
    threads: Threads = None,
    on_bad_file: Annotated[Literal["fail", "skip"], typer.Option(help="As for `run`.")] = "fail",
    form: Form = "table",
) -> None:
    """Plant simulated networks beside the real log in a scratch folder, judge both together, and say which are found. No real table holds any of it."""

    def body() -> int:
        os.environ.setdefault("POLARS_MAX_THREADS", str(threads or usable_threads()))
        from pipeline.config import load_config
        from pipeline.operations.canary import canary_folder, first_day, judge_canaries, keep, world_days
        from pipeline.run import RunOptions
        from pipeline.simulate import world_of, write_dials

        settings = load_config(config)
        settings = dataclasses.replace(settings, window=dataclasses.replace(settings.window, window_days=window))
        options = RunOptions(tuple(logs), out, settings, accounts, context, night, memory, threads or usable_threads(), on_bad_file)
        start, days = world_days(night, window, first_day(options))
        world = dataclasses.replace(world_of(scenario, size, SHARE), start=start.isoformat())
        with canary_folder(out) as folder, console.Bars() as bars:
            write_dials(folder / "world", world, days, seed, {"scenario": scenario, "accounts": size, "share": SHARE})
            record = judge_canaries(options, folder / "world", folder, seed, bars)
        path = keep(out, record)
        missed = _finish(record, path, min_found, form)
        given = [word for name, value in (("--accounts", accounts), ("--context", context), ("--config", config)) if value for word in (name, value)]
        console.say_next("run", *logs, *given, "--night", night, "--out", out)
        return missed

    guarded(body)


def _finish(record: dict[str, Any], path: Path, min_found: int, form: console.Format) -> int:
    planted = record["canaries"]
    if form == "table":
        console.rows(_HEADS, [_line(one) for one in planted], form, "", ("overlap %",))
    else:
        console.rows(_COLUMNS, [[one[name] for name in _COLUMNS] for one in planted], form, record["schema"])
    missed = [one["name"] for one in planted if not one["is_found"]]
    found = len(planted) - len(missed)
    console.say(f"{found} of {len(planted)} planted networks found: of tier refer, with an overlap of at least 50 % (accounts in both, of those in either).")
    if missed:
        console.say(f"missed: {', '.join(missed)}. A network built like that may be missed in this log, too.")
    console.say(f"kept in {path}; pages show it from the next run of this night or a later one on.")
    return MISSED if found < min_found else 0


_HEADS = ("planted", "accounts", "in one network", "its tier", "overlap %", "outcome")


def _line(one: dict[str, Any]) -> tuple[object, ...]:
    """A planted network for people. Overlap: accounts in both, of those in either."""
    return (one["name"], one["account_count"], one["found_count"], one["tier"] or "none", round(100 * one["overlap"]), "found" if one["is_found"] else "missed")
