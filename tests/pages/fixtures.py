"""Tables and a manifest of a made-up run, for tests of the pages: every number is fixed by a formula, none is drawn.

`frames()` holds one network of each tier, a group of two on watch, and one network without traffic; `empty_frames()` a night in
which nothing was found. Golden pages are made from `frames()`; refresh them with: python -m tests.pages.refresh (see there).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline import schema

NIGHT = dt.date(2026, 5, 6)
FIRST_DAY = NIGHT - dt.timedelta(days=27)
REFER, WATCH, EXPLAINED, PAIR, SILENT = "N-0a1b2c3d4e", "N-1b2c3d4e5f", "N-2c3d4e5f60", "N-3d4e5f6071", "N-4e5f607182"
_KINDS = {"BIGINT": pl.Int64, "INTEGER": pl.Int32, "DOUBLE": pl.Float64, "VARCHAR": pl.String, "BOOLEAN": pl.Boolean, "DATE": pl.Date, "TIMESTAMP": pl.Datetime("us")}
HOURS = [f"h{hour:02d}" for hour in range(24)]


def table(which: schema.Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame with the table's columns and types; what a row does not name is null."""
    kinds = {column.name: _KINDS[column.type] for column in which.columns}
    return pl.DataFrame([{name: row.get(name) for name in kinds} for row in rows], schema=kinds, orient="row")


def manifest(**changes: Any) -> dict[str, Any]:
    """run.json of the made-up run."""
    base: dict[str, Any] = {
        "schema": "stillhunt.run/1",
        "run_id": "5f0c1d2e3a4b",
        "version": "0.1.0",
        "night": NIGHT.isoformat(),
        "window": {"first_day": FIRST_DAY.isoformat(), "last_day": NIGHT.isoformat(), "days": 28, "days_with_requests": 28},
        "config_sha256": "9d377b6a1f0e4c52" * 4,
        "inputs": [
            {"name": f"date=2026-05-{day:02d}/part-0.parquet", "rows": 10_000 + day, "size_bytes": 1_000_000 + day, "sha256": f"{day:064x}", "conforms": True}
            for day in range(1, 7)
        ],
        "skipped_files": [],
        "counts": {"rows_read": 412_345, "rows_kept": 412_003, "accounts": 2_310, "networks": 5},
        "rejected": {"duplicate": 300, "null_required": 42},
        "coverage": {
            "request_id": {"non_null": 412_003, "rows": 412_003},
            "prompt": {"non_null": 411_000, "rows": 412_003},
            "client_ip": {"non_null": 0, "rows": 412_003},
            "ja4": {"non_null": 150_000, "rows": 412_003},
        },
        "degraded": [],
    }
    return {**base, **changes}


def frames(members: int = 40) -> dict[str, pl.DataFrame]:
    """The tables of the made-up run; the referred network has `members` members."""
    groups = {REFER: _ids("acct-r", members), WATCH: _ids("acct-w", 6), EXPLAINED: _ids("acct-e", 31), PAIR: _ids("acct-p", 2), SILENT: _ids("acct-s", 5)}
    controls = {REFER: _ids("acct-c", 60), WATCH: _ids("acct-c", 12)}
    return {
        "networks": _networks(groups),
        "members": _members(groups),
        "controls": table(schema.CONTROLS, [{"network_id": network, "account_id": account} for network, ids in controls.items() for account in ids]),
        "network_families": _families(),
        "network_tests": _tests(),
        "findings": _findings(members),
        "evidence": _evidence(),
        "blind_spots": _blind_spots(),
        "lineage": _lineage(members),
        "links": _links(),
        "accounts": pl.DataFrame({"account_id": [account for ids in groups.values() for account in ids]}),
        "account_days": _account_days({**{network: ids for network, ids in groups.items() if network != SILENT}, "controls": controls[REFER]}),
    }


def empty_frames() -> dict[str, pl.DataFrame]:
    """A night in which the families ran and nothing was found."""
    full = frames(5)
    return {name: frame if name == "blind_spots" else frame.clear() for name, frame in full.items()}


def _ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number:05d}" for number in range(count)]


def _networks(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    common = {"entity_count": 5, "first_seen_at": dt.datetime(2026, 4, 11, 2, 14), "last_seen_at": dt.datetime(2026, 5, 6, 23, 51, 7)}
    rows = [
        {"network_id": REFER, "flagged": True, "tier": "refer", "request_count": 104_210, "coordination_bits": 31.25, "extraction_bits": 9.5, "q_value": 0.002, "p_value": 0.001}
        | {"best_alternative": "public_client", "alternative_margin_bits": 7.4, "attribution_level": "L3", "reason": "specific_fact_and_extraction"},
        {"network_id": WATCH, "flagged": False, "tier": "watch", "request_count": 9_100, "coordination_bits": 18.0, "extraction_bits": 3.25, "q_value": 0.04, "p_value": 0.02}
        | {"best_alternative": "none", "alternative_margin_bits": 4.0, "attribution_level": "L0", "reason": "no_specific_fact"},
        {"network_id": EXPLAINED, "flagged": False, "tier": "explained", "request_count": 3_300, "coordination_bits": 21.0, "extraction_bits": 0.5, "q_value": 0.3, "p_value": 0.2}
        | {"best_alternative": "classroom", "alternative_margin_bits": -3.5, "attribution_level": "L0", "reason": "classroom"},
        {
            "network_id": PAIR,
            "flagged": False,
            "tier": "watch",
            "request_count": 71,
            "coordination_bits": 14.0,
            "extraction_bits": 0.0,
            "attribution_level": "L0",
            "reason": "small_group",
        },
        {
            "network_id": SILENT,
            "flagged": False,
            "tier": "watch",
            "request_count": 12,
            "coordination_bits": -2.0,
            "extraction_bits": 0.0,
            "attribution_level": "L0",
            "reason": "a_reason_of_tomorrow",
        },
    ]
    return table(schema.NETWORKS, [{**common, **row, "account_count": len(groups[row["network_id"]]), "core_count": 3} for row in rows])


def _members(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    rows = []
    for network, ids in groups.items():
        for place, account in enumerate(ids):
            rows.append(
                {"account_id": account, "network_id": network, "membership": max(0.2, 1 - place / 50), "role": ("core", "core", "bridge", "fringe")[place % 4]}
                | {"bits": 32.0 - place % 17, "strongest_account_id": ids[(place + 1) % len(ids)], "strongest_bits": 41.5 - place % 9}
                | {"strongest_kind": ("payment", "template", "ip")[place % 3], "request_count": 2_600 - place % 100, "extraction_score": (place % 10) / 10}
            )
    return table(schema.MEMBERS, rows)


def _families() -> pl.DataFrame:
    rows = [
        {
            "network_id": REFER,
            "family": "identity",
            "evidence_class": "specific",
            "median_bits": 14.0,
            "coverage_share": 0.925,
            "linked_pair_share": 0.31,
            "control_percentile": 100.0,
            "control_count": 99,
            "kinds": "payment,device",
            "admitted": True,
        },
        {
            "network_id": REFER,
            "family": "infrastructure",
            "evidence_class": "specific",
            "median_bits": 6.5,
            "coverage_share": 0.6,
            "linked_pair_share": 0.2,
            "control_percentile": 99.0,
            "control_count": 99,
            "kinds": "ip",
            "admitted": True,
        },
        {
            "network_id": REFER,
            "family": "settings",
            "evidence_class": "likeness",
            "median_bits": 0.0,
            "coverage_share": 0.0,
            "linked_pair_share": 0.0,
            "control_percentile": 50.0,
            "control_count": 99,
            "kinds": "",
            "admitted": False,
        },
        {
            "network_id": REFER,
            "family": "templates",
            "evidence_class": "likeness",
            "median_bits": 10.75,
            "coverage_share": 1.0,
            "linked_pair_share": 1.0,
            "control_percentile": 98.5,
            "control_count": 99,
            "kinds": "template,skeleton,system",
            "admitted": False,
        },
        {
            "network_id": WATCH,
            "family": "templates",
            "evidence_class": "likeness",
            "median_bits": 12.0,
            "coverage_share": 1.0,
            "linked_pair_share": 1.0,
            "kinds": "template",
            "admitted": False,
        },
        {
            "network_id": EXPLAINED,
            "family": "infrastructure",
            "evidence_class": "specific",
            "median_bits": 5.0,
            "coverage_share": 0.9,
            "linked_pair_share": 0.8,
            "control_percentile": 97.0,
            "control_count": 40,
            "kinds": "ip,ip_prefix",
            "admitted": True,
        },
    ]
    return table(schema.NETWORK_FAMILIES, rows)


def _tests() -> pl.DataFrame:
    alike = "random groups of accounts that work in the same manner"
    rows = [
        {
            "network_id": REFER,
            "test": "held_out_wording",
            "family": "templates",
            "supports": "coordination",
            "statistic": 7.25,
            "unit": "bits",
            "expected": 0.5,
            "p_value": 0.001,
            "sample_size": 40,
            "null_model": alike,
            "status": "ran",
            "reason": "",
        },
        {
            "network_id": REFER,
            "test": "harvest_share",
            "family": "extraction",
            "supports": "extraction",
            "statistic": 0.81,
            "unit": "share",
            "expected": 0.07,
            "p_value": 0.001,
            "sample_size": 2_560,
            "null_model": "random groups of accounts of the same volume",
            "status": "ran",
            "reason": "",
        },
        {
            "network_id": REFER,
            "test": "shared_days",
            "family": "timing",
            "supports": "coordination",
            "unit": "",
            "sample_size": 0,
            "null_model": "",
            "status": "not_run",
            "reason": "needs 5 days and enough accounts of the same manner",
        },
        {
            "network_id": REFER,
            "test": "public_client",
            "family": "templates",
            "supports": "benign",
            "statistic": 0.1,
            "unit": "share",
            "expected": 0.8,
            "sample_size": 40,
            "null_model": "",
            "status": "undecided",
            "reason": "too few users of the client",
        },
    ]
    return table(schema.NETWORK_TESTS, rows)


def _findings(members: int) -> pl.DataFrame:
    common = {"network_id": REFER, "evidence_sha256": "ab" * 32}
    rows = [
        {
            "finding_id": "F-00000000000a",
            "rank": 1,
            "measure": "identity_coverage",
            "family": "identity",
            "value": 0.925,
            "unit": "share",
            "threshold": 0.5,
            "baseline": 0.0125,
            "baseline_n": 60,
            "p_value": 0.001,
            "kind": "observation",
            "supports": "coordination",
            "evidence_total": 1_204,
        },
        {
            "finding_id": "F-00000000000b",
            "rank": 2,
            "measure": "held_out_wording",
            "family": "templates",
            "value": 7.25,
            "unit": "bits",
            "threshold": 3.0,
            "baseline": 0.5,
            "baseline_n": 999,
            "p_value": 0.001,
            "kind": "observation",
            "supports": "coordination",
            "evidence_total": 2,
        },
        {
            "finding_id": "F-00000000000c",
            "rank": 3,
            "measure": "extraction_bits",
            "family": "extraction",
            "value": 9.5,
            "unit": "bits",
            "threshold": 6.0,
            "baseline": 0.0,
            "baseline_n": 999,
            "kind": "inference",
            "supports": "extraction",
            "evidence_total": 0,
        },
        {
            "finding_id": "F-00000000000d",
            "rank": 4,
            "measure": "measure_of_tomorrow",
            "family": "novelty",
            "value": float(members),
            "unit": "accounts",
            "kind": "observation",
            "supports": "benign",
            "evidence_total": 1,
        },
    ]
    return table(schema.FINDINGS, [{**common, **row} for row in rows])


def _evidence() -> pl.DataFrame:
    rows = [
        {"finding_id": "F-00000000000a", "request_id": f"req-{number:06d}", "source_file": "date=2026-05-01/part-0.parquet", "source_row": 17 * number, "role": "shares_value"}
        for number in range(20)
    ] + [
        {"finding_id": "F-00000000000b", "request_id": f"req-{number:06d}", "source_file": "date=2026-05-02/part-0.parquet", "source_row": number, "role": "shows_template"}
        for number in range(2)
    ]
    return table(schema.EVIDENCE, rows)


def _blind_spots() -> pl.DataFrame:
    rows = [
        {"family": "templates", "status": "ran", "reason": ""},
        {"family": "identity", "status": "ran", "reason": ""},
        {"family": "infrastructure", "status": "partial", "reason": "client_ip 36 %"},
        {"family": "release_pivot", "status": "not_run", "reason": "no releases.csv"},
        {"family": "family_of_tomorrow", "status": "not_run", "reason": "no column"},
    ]
    return table(schema.BLIND_SPOTS, rows)


def _lineage(members: int) -> pl.DataFrame:
    before = NIGHT - dt.timedelta(days=1)
    rows = [
        {"network_id": REFER, "night": before, "event": "new", "account_count": members - 3},
        {"network_id": REFER, "night": NIGHT, "event": "grown", "account_count": members},
        {"network_id": WATCH, "night": NIGHT, "event": "new", "account_count": 6},
        {"network_id": "N-5f60718293", "night": before, "event": "new", "account_count": 9},
        {"network_id": "N-5f60718293", "night": NIGHT, "event": "merged", "other_id": REFER, "account_count": 0},
    ]
    return table(schema.LINEAGE, rows)


def _links() -> pl.DataFrame:
    pairs = [("acct-r-00000", "acct-r-00001", "rarity"), ("acct-e-00000", "acct-e-00001", "calibrated"), ("acct-r-00000", "acct-w-00001", "tail")]
    return table(
        schema.LINKS, [{"account_a": a, "account_b": b, "kind": "payment", "family": "identity", "bits": 14.0, "bits_kind": kind, "support": 1, "df": 2} for a, b, kind in pairs]
    )


def _account_days(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    """Members work round the clock, everybody else from 8 to 18 on weekdays. Each account appears once a day at most."""
    rows: dict[str, dict[str, Any]] = {}
    for group, ids in groups.items():
        for place, account in enumerate(ids):
            for offset in range(28):
                day = FIRST_DAY + dt.timedelta(days=offset)
                rows[f"{account} {day}"] = _account_day(account, day, _hours(group, place, day))
    kinds = {"day": pl.Date, "account_id": pl.String, **dict.fromkeys(("request_count", "input_tokens", "output_tokens", *HOURS), pl.Int64)}
    return pl.DataFrame(list(rows.values()), schema=kinds, orient="row")


def _hours(group: str, place: int, day: dt.date) -> list[int]:
    if group == REFER:
        return [3 + (hour * 7 + day.toordinal() + place) % 3 if day.day != 20 else 0 for hour in range(24)]
    return [(hour + place) % 4 if 8 <= hour < 18 and day.weekday() < 5 else 0 for hour in range(24)]


def _account_day(account: str, day: dt.date, hours: list[int]) -> dict[str, Any]:
    total = sum(hours)
    return {"day": day, "account_id": account, "request_count": total, "input_tokens": 700 * total, "output_tokens": 1_900 * total, **dict(zip(HOURS, hours, strict=True))}
