"""What the report stands on: the run, its inputs and steps, what ran over all networks, and the provider's own context files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.config import Config
from pipeline.evidence.dossier.days import day_frames
from pipeline.evidence.finished import FinishedRun
from pipeline.ingest.context import Context
from pipeline.pages.incident.records import ContextSheet, InputFile, RunSheet
from pipeline.pages.pieces import beyond_chance_level
from pipeline.pages.traffic import HOURS

READ_TABLES = (
    "networks members network_families network_tests network_ablations findings evidence blind_spots lineage controls accounts links cluster_ids cluster_alternatives "
    "cluster_values shared_values daily_requests candidate_pairs network_capabilities network_traffic"
).split()
VERDICT_SETTINGS = (
    ("links", "identity_max_df_share"),
    ("links", "content_max_df_share"),
    ("links", "group_max_entities"),
    ("links", "group_max_share"),
    ("links", "group_overlap_share"),
    ("networks", "edge_margin_bits"),
    ("networks", "member_min_bits"),
    ("networks", "family_min_bits"),
    ("networks", "min_accounts"),
    ("verdict", "gate_coverage_share"),
    ("verdict", "gate_min_values"),
    ("verdict", "gate_max_outside_share"),
    ("verdict", "max_q_value"),
    ("verdict", "min_extraction_bits"),
    ("verdict", "min_harvest_share"),
    ("verdict", "min_output_tokens"),
    ("verdict", "alternative_share"),
    ("verdict", "repeated_share"),
    ("verdict", "few_texts_share"),
    ("verdict", "batch_request_share"),
    ("verdict", "end_user_count"),
    ("verdict", "migration_max_accounts"),
    ("verdict", "migration_pause_days"),
    ("verdict", "null_groups"),
    ("verdict", "control_accounts"),
)
ONE_LOG = "whole log"
_EPOCH_HOUR_US = 3_600_000_000


def run_sheet(run: FinishedRun, config: Config, calendar: Sequence[dt.date], shown: Callable[[str], str]) -> RunSheet:
    """The run as the report cites it. `shown` releases a piece of log text."""
    manifest = run.manifest()
    window = manifest["window"]
    return RunSheet(
        run_id=str(manifest["run_id"]),
        night=str(manifest["night"]),
        first_day=str(window["first_day"]),
        last_day=str(window["last_day"]),
        version=str(manifest["version"]),
        config_sha256=str(manifest["config_sha256"]),
        code_sha256=str(manifest["recipe"].get("code", "")) if "recipe" in manifest else "",
        counts={name: int(count) for name, count in manifest["counts"].items()},
        rejected=tuple(sorted((str(reason), int(rows)) for reason, rows in manifest.get("rejected", {}).items())),
        degraded=tuple(shown(str(sentence)) for sentence in manifest.get("degraded", ())),
        inputs=tuple(InputFile(shown(str(entry["name"])), entry.get("rows"), entry.get("size_bytes"), str(entry.get("sha256", ""))) for entry in manifest.get("inputs", ())),
        skipped=tuple((shown(str(entry["name"])), shown(str(entry.get("reason", "")))) for entry in manifest.get("skipped_files", ())),
        versions=tuple(sorted((str(name), str(version)) for name, version in manifest.get("versions", {}).items())),
        tables=tuple((name, int(entry["rows"]), str(entry["sha256"])) for name in READ_TABLES if (entry := manifest["tables"].get(name))),
        stages=tuple((str(name), str(entry.get("source", "")), str(entry.get("sha256", ""))) for name, entry in sorted(manifest.get("stages", {}).items())),
        coverage={name: (int(entry["non_null"]), int(entry["rows"])) for name, entry in manifest.get("coverage", {}).items() if isinstance(entry, Mapping)},
        hours=_hours(run, manifest, calendar, shown),
        blind_spots=tuple(run.table("blind_spots").sort("family").rows(named=True)),
        tiers={str(tier): int(count) for tier, count in manifest.get("tiers", {}).items()},
        tests_run=_tests_run(run, config),
        family_hits=_family_hits(run),
        candidate_pairs=_rows(manifest, "candidate_pairs"),
        linked_pairs=_linked_pairs(run),
        edge_accounts=run.table("members")["account_id"].n_unique(),
        thresholds=tuple((f"{section}.{key}", str(value)) for section, key in VERDICT_SETTINGS if (value := manifest["config"].get(section, {}).get(key)) is not None),
        seeds=tuple(sorted((str(name), str(seed)) for name, seed in manifest.get("seeds", {}).items())),
    )


def _rows(manifest: Mapping[str, Any], table: str) -> int:
    return int(manifest["tables"].get(table, {}).get("rows", 0))


def _linked_pairs(run: FinishedRun) -> int:
    return run.table("links").select("account_a", "account_b").n_unique()


def _hours(run: FinishedRun, manifest: Mapping[str, Any], calendar: Sequence[dt.date], shown: Callable[[str], str]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Requests of every hour of the window, by source system where the log names one, else of the whole log."""
    if not calendar:
        return ()
    start = int((calendar[0] - dt.date(1970, 1, 1)).days) * 24
    named = manifest.get("coverage", {}).get("source_system", {})
    counts: dict[str, dict[int, int]] = {}
    if isinstance(named, Mapping) and named.get("non_null"):
        for day in day_frames(run, "requests", ("ts_us", "source_system")):
            hour = (pl.col("ts_us") // _EPOCH_HOUR_US).alias("hour")
            for source, at, rows in day.group_by(pl.col("source_system").fill_null("source not named"), hour).len().iter_rows():
                counts.setdefault(shown(source), {})[at - start] = rows
    else:
        for day in day_frames(run, "account_days", ("day", *HOURS)):
            for date, *hours in day.group_by("day").agg(pl.col(*HOURS).sum()).iter_rows():
                first = int((date - calendar[0]).days) * 24
                counts.setdefault(ONE_LOG, {}).update({first + hour: int(rows) for hour, rows in enumerate(hours)})
    return tuple((source, tuple(found.get(hour, 0) for hour in range(24 * len(calendar)))) for source, found in sorted(counts.items()))


def _tests_run(run: FinishedRun, config: Config) -> tuple[dict[str, Any], ...]:
    """Each test over all networks: how often it ran, was undecided, did not run, and was beyond what chance gives."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in run.table("network_tests").sort("supports", "test", "network_id").iter_rows(named=True):
        entry = found.setdefault(
            (row["supports"], row["test"]), {"test": row["test"], "supports": row["supports"], "ran": 0, "undecided": 0, "not_run": 0, "beyond": 0, "null_model": row["null_model"]}
        )
        entry[row["status"]] = entry.get(row["status"], 0) + 1
        level = beyond_chance_level(row["test"], row["supports"], config)
        entry["beyond"] += int(row["p_value"] is not None and row["p_value"] <= level)
    return tuple(found.values())


def _family_hits(run: FinishedRun) -> tuple[tuple[str, int, int], ...]:
    rows = run.table("network_families").group_by("family").agg(pl.len(), pl.col("admitted").fill_null(value=False).sum().alias("admitted")).sort("family")
    return tuple((str(family), int(count), int(admitted)) for family, count, admitted in rows.iter_rows())


def context_sheet(context: Context, run: FinishedRun, members: pl.DataFrame, shown: Callable[[str], str]) -> ContextSheet:
    """Context as facts. In: account_id and network_id of the members."""
    files = context.files or {}
    home = dict(members.select("account_id", "network_id").iter_rows())
    known = set(files)
    recorded = run.manifest().get("recipe", {}).get("context", {})
    return ContextSheet(
        releases=tuple((shown(model), _day(us)) for model, us in context.releases) if "releases.csv" in known else None,
        bans=tuple((home[account], _day(us)) for account, us in context.bans if account in home) if "bans.csv" in known else None,
        regions=tuple(sorted(context.regions)) if context.regions is not None else None,
        files=tuple((shown(name), sha) for name, sha in sorted(files.items())),
        same_as_run=dict(files) == dict(recorded),
    )


def bans_of(context: Context) -> dict[str, dt.date]:
    """Day of the first ban of each account."""
    found: dict[str, dt.date] = {}
    for account, us in context.bans:
        found.setdefault(account, _day(us))
    return found


def _day(us: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=us // 86_400_000_000)
