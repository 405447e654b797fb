"""One world through the pipeline, once as it is and once under every other try: the same run_night as the command line calls.

Day tables are made once and serve each try that leaves the requests alone. The truth is read here to score, and nothing of it is within the pipeline's reach.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.config import Config
from pipeline.run import RunOptions, RunOutcome, run_night, run_nights
from pipeline.simulate import write_world
from pipeline.validate.plans import AS_IT_IS, NIGHTS, Plan, Try, settings_of
from pipeline.validate.results import DELAYS, MEMBERS, NETWORKS, TRUTH, Judged
from pipeline.validate.truth import eras, read_truth
from pipeline.validate.worlds import World, without, world_at

ACTIVE = 10
"""Active accounts from which a campaign ought to be found soon."""


@dataclass(frozen=True)
class Job:
    """A world to judge: a plan to simulate, or a log that was given."""

    world: Plan | World
    tries: tuple[Try, ...]
    config: Config
    key: str
    """Names the world's result; equal for equal inputs, settings and code."""
    scratch: Path
    memory_bytes: int
    threads: int


def judge(job: Job) -> Judged:
    """Make the world if it is a plan, judge it under every try, clear away what was made. Raises StillhuntError."""
    folder = job.scratch / job.key
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        return _judge(job, _world(job.world, folder / "world"), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _world(world: Plan | World, folder: Path) -> World:
    if isinstance(world, World):
        return world
    write_world(folder, world.scenario, world.accounts, world.days, world.seed, world.share)
    return dataclasses.replace(world_at(folder), name=world.name)


def _judge(job: Job, world: World, folder: Path) -> Judged:
    truth = read_truth(world.truth)
    members, networks, delays = [], [], pl.DataFrame(schema=DELAYS)
    whole = [entry for entry in job.tries if entry.group != NIGHTS]
    degraded: tuple[str, ...] = ()
    for number, entry in enumerate(whole):
        changed = folder / f"without-{number}"
        outcome = _run(job, entry, world, changed, folder)
        found, listed = _found(outcome, entry, truth)
        members.append(found)
        networks.append(listed)
        if entry.name == AS_IT_IS:
            seen, unlabelled, degraded, requests = _seen(outcome, truth), _unlabelled(outcome, truth), outcome.degraded, int(outcome.manifest["counts"]["rows_kept"])
        shutil.rmtree(outcome.folder)
        shutil.rmtree(changed, ignore_errors=True)
    if len(whole) < len(job.tries):
        delays = _night_by_night(job, world, truth, folder)
    entries = tuple((entry.name, entry.group) for entry in job.tries)
    return Judged(world.name, entries, seen, pl.concat(members), pl.concat(networks), delays, unlabelled, requests, degraded)


def _options(job: Job, world: World, config: Config, out: Path) -> RunOptions:
    return RunOptions((str(world.requests),), out, config, world.accounts, world.context, None, job.memory_bytes, job.threads, pages=False)


def _run(job: Job, entry: Try, world: World, changed: Path, folder: Path) -> RunOutcome:
    """One try; a log that had to be rewritten gets an output folder of its own, so that the days of the whole log stay kept."""
    judged = without(world, entry.drops, changed)
    out = folder / "out" if judged.requests == world.requests else changed / "out"
    return run_night(_options(job, judged, settings_of(job.config, entry), out), _silent)


def _silent(_what: str, _done: int, _total: int) -> None:
    """The suite shows its own progress."""


def _table(outcome: RunOutcome, name: str) -> pl.DataFrame:
    return pl.read_parquet(outcome.folder / "tables" / f"{name}.parquet", glob=False, hive_partitioning=False)


def _seen(outcome: RunOutcome, truth: pl.DataFrame) -> pl.DataFrame:
    """The labelled accounts that sent a request."""
    found = truth.join(_table(outcome, "accounts").select("account_id"), on="account_id", how="semi", maintain_order="left")
    split = eras(truth)
    held_out = pl.DataFrame(schema={"group": pl.String, "held_out": pl.Boolean}) if split is None else split[1]
    return found.join(held_out, on="group", how="left", maintain_order="left").select(*TRUTH)


def _flags(outcome: RunOutcome) -> pl.DataFrame:
    """network_id, flagged and listed of every network, and the other columns of NETWORKS."""
    families = _table(outcome, "network_families").filter("admitted")
    admitted = families.group_by("network_id").agg(pl.len().cast(pl.Int64).alias("admitted_count"))
    listed = pl.col("flagged") | ((pl.col("tier") == "watch") & (pl.col("account_count") >= outcome.manifest["config"]["networks"]["min_accounts"]))
    networks = _table(outcome, "networks").with_columns(listed.alias("listed")).join(admitted, on="network_id", how="left", maintain_order="left")
    return networks.with_columns(pl.col("admitted_count").fill_null(0)).select(*(name for name in NETWORKS if name != "entry"))


def _found(outcome: RunOutcome, entry: Try, truth: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Members (by place) and networks of one try."""
    flags = _flags(outcome)
    members = (
        _table(outcome, "members").join(flags.select("network_id", "flagged", "listed"), on="network_id").join(truth.select("account_id", "place"), on="account_id").sort("place")
    )
    named = pl.lit(entry.name).alias("entry")
    return members.select(named, *(name for name in MEMBERS if name != "entry")), flags.select(named, *(name for name in NETWORKS if name != "entry"))


def _unlabelled(outcome: RunOutcome, truth: pl.DataFrame) -> int:
    """Accounts of referred networks that the truth does not know, or does not decide."""
    flagged = _table(outcome, "members").join(_flags(outcome).filter("flagged"), on="network_id", how="semi")
    return flagged.join(truth.filter(pl.col("malicious").is_not_null()), on="account_id", how="anti").height


def _night_by_night(job: Job, world: World, truth: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """DELAYS of every campaign: all nights of the log in date order, in a folder of their own that starts from the days already made."""
    days = sorted((folder / "out" / "days").glob("date=*"))
    first, last = (date.fromisoformat(path.name.removeprefix("date=")) for path in (days[0], days[-1]))
    daily = _daily_requests(days, truth)
    tenth = _day_of_ten(daily)
    outcomes = run_nights(_options(job, world, job.config, folder / "out"), first, last, _silent)
    nights = [(outcome.night, _campaigns_referred(outcome, truth)) for outcome in outcomes]
    rows = []
    campaigns = daily.group_by("group", "day").agg(pl.col("truth").first(), pl.col("requests").sum()).sort("group", "day")
    for (group, kind), sent in campaigns.group_by("group", "truth", maintain_order=True):
        begun = sent["day"].to_list()[0]
        flagged = next((night for night, groups in nights if group in groups), None)
        lost = int(sent.filter(pl.col("day") <= (flagged or last))["requests"].sum())
        after = [None if night is None else (night - begun).days + 1 for night in (flagged, tenth.get(str(group)))]
        rows.append((group, kind, (last - begun).days + 1, after[0], int(sent["requests"].sum()), lost, after[1]))
    return pl.DataFrame(rows, schema=DELAYS, orient="row")


def _daily_requests(days: Sequence[Path], truth: pl.DataFrame) -> pl.DataFrame:
    """group, truth, day, account_id, requests of the campaigns, out of the kept day tables."""
    campaigns = truth.filter("malicious").select("account_id", "group", "truth")
    parts = []
    for folder in days:
        if (folder / "account_days.parquet").is_file():
            ids = pl.read_parquet(folder / "account_ids.parquet", columns=["account_key", "account_id"], hive_partitioning=False)
            counts = pl.read_parquet(folder / "account_days.parquet", columns=["day", "account_key", "request_count"], hive_partitioning=False)
            parts.append(counts.join(ids, on="account_key").join(campaigns, on="account_id"))
    sent = pl.concat(parts).group_by("group", "day", "account_id").agg(pl.col("truth").min(), pl.col("request_count").sum().alias("requests"))
    return sent.with_columns(pl.col("truth").sort_by("day", "truth").first().over("group")).sort("group", "day", "account_id")


def _day_of_ten(daily: pl.DataFrame) -> dict[str, date]:
    """Of each campaign that ever had so many, the day on which the tenth of its accounts sent its first request. In: group, day, account_id."""
    begun = daily.group_by("group", "account_id").agg(pl.col("day").min()).sort("group", "day", "account_id")
    tenth = begun.filter(pl.int_range(pl.len()).over("group") == ACTIVE - 1)
    return dict(tenth.select("group", "day").iter_rows())


def _campaigns_referred(outcome: RunOutcome, truth: pl.DataFrame) -> frozenset[str]:
    """Campaigns that hold more than half of the labelled members of a referred network."""
    flagged = _table(outcome, "members").join(_flags(outcome).filter("flagged"), on="network_id").join(truth, on="account_id")
    shares = flagged.group_by("network_id").agg(pl.len().alias("members"))
    held = flagged.filter("malicious").group_by("network_id", "group").agg(pl.len().alias("held")).join(shares, on="network_id")
    return frozenset(held.filter(2 * pl.col("held") > pl.col("members"))["group"])
