"""A finished run made by formulas: one network of any size with controls around it, as the tables and files of DIR. No number is drawn.

Members i share a card by threes, an address by forties, a client stack by fifths, and all of them a template; neighbours hand conversations on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline import __version__, schema
from pipeline.config import load_config
from pipeline.evidence.common_words import _tokens
from tests.packing import as_bytes

NETWORK, RUN_ID = "N-0a1b2c3d4e", "0123456789ab"
FIRST_DAY = dt.date(2026, 4, 27)
MODELS = ("atlas-4", "atlas-4-pro", "atlas-5-pro")
COUNTRIES = ("US", "DE", "IN", "BR")
_POLARS = {
    "BIGINT": pl.Int64,
    "INTEGER": pl.Int32,
    "DOUBLE": pl.Float64,
    "VARCHAR": pl.String,
    "BINARY": pl.Binary,
    "BOOLEAN": pl.Boolean,
    "DATE": pl.Date,
    "TIMESTAMP": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Plan:
    """How large, how long, how busy, and what the network's row says."""

    members: int = 14
    controls: int = 24
    days: int = 7
    requests_a_day: int = 4
    tier: str = "refer"
    has_cost: bool = False
    names: Mapping[int, str] | None = None
    """account ids that are not made by the formula, by account key"""

    @property
    def dates(self) -> list[dt.date]:
        return [FIRST_DAY + dt.timedelta(days=day) for day in range(self.days)]

    def account(self, key: int) -> str:
        return (self.names or {}).get(key) or f"acct-{key:06d}"


def make_run(out: Path, plan: Plan) -> Path:
    """Write DIR with one finished run; gives DIR."""
    folder = out / "runs" / RUN_ID
    (folder / "tables").mkdir(parents=True)
    tables = {name: _write(folder / "tables" / f"{name}.parquet", name, frame) for name, frame in _tables(plan).items()}
    for date in plan.dates:
        for name, frame in _day_tables(plan, date).items():
            place = out / "days" / f"date={date}" / f"{name}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            frame.write_parquet(place)
    (folder / "run.json").write_text(json.dumps(_manifest(plan, tables)))
    (out / "latest").symlink_to(f"runs/{RUN_ID}")
    return out


def write_log(folder: Path, out: Path) -> Path:
    """The log of the first day of a made run, one prompt for every row, with its hash in run.json, and samples of its words but one; gives the folder that was LOGS."""
    day = min((out / "days").iterdir())
    rows = pl.scan_parquet(day / "requests.parquet", hive_partitioning=False).select(pl.len()).collect().item()
    path = folder / day.name / "part-0.parquet"
    path.parent.mkdir(parents=True)
    numbers = pl.int_range(rows, eager=True).cast(pl.String)
    pl.DataFrame({"prompt": "Solve exercise " + numbers + " and show each step."}).write_parquet(path, row_group_size=50_000)
    manifest = json.loads((out / "runs" / RUN_ID / "run.json").read_text())
    tokens = pl.Series("tokens", [as_bytes("tokens", [token for token in _tokens(["solve", "and", "show", "each", "step"]) if token is not None])])
    for place in sorted((out / "days").iterdir()):
        accounts = pl.scan_parquet(place / "requests.parquet", hive_partitioning=False).select(pl.col("account_key").unique().sort()).collect()
        accounts.join(tokens.to_frame(), how="cross").write_parquet(place / "prompt_samples.parquet")
    manifest["accounts_table"] = {"values": {}}
    named = next(file for file in manifest["inputs"] if file["name"] == f"{day.name}/part-0.parquet")
    named["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (out / "runs" / RUN_ID / "run.json").write_text(json.dumps(manifest))
    return folder


def _write(path: Path, name: str, frame: pl.DataFrame) -> dict[str, Any]:
    frame.write_parquet(path)
    return {"rows": frame.height, "sha256": f"{sum(name.encode()):064x}"}


def _frame(table: schema.Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows in the columns of a table; what they lack is null."""
    columns = {column.name: _POLARS[column.type] for column in table.columns}
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=columns)


def _keys(plan: Plan) -> range:
    return range(1, plan.members + 1)


def _role(place: int, members: int) -> str:
    return "fringe" if place * 5 >= members * 4 else "bridge" if place == 0 else "core"


def _tables(plan: Plan) -> dict[str, pl.DataFrame]:
    everyone = plan.members + plan.controls
    size, start = plan.members, dt.datetime.combine(FIRST_DAY, dt.time(3), dt.UTC)
    requests = size * plan.requests_a_day * plan.days
    network = {
        "network_id": NETWORK,
        "flagged": plan.tier == "refer",
        "tier": plan.tier,
        "account_count": size,
        "entity_count": size,
        "request_count": requests,
        "first_seen_at": start,
        "last_seen_at": start + dt.timedelta(days=plan.days - 1, hours=18),
        "coordination_bits": 31.25,
        "extraction_bits": 11.5,
        "q_value": 0.0021,
        "p_value": 0.001,
        "best_alternative": "event",
        "alternative_margin_bits": 5.4,
        "attribution_level": "L3" if plan.tier == "refer" else "L1",
        "core_count": sum(_role(place, size) == "core" for place in range(size)),
        "reason": "specific_fact_and_extraction" if plan.tier == "refer" else "no_extraction",
    }
    members = [_member(plan, place, key) for place, key in enumerate(_keys(plan))]
    made = {
        "networks": _frame(schema.NETWORKS, [network]),
        "members": _frame(schema.MEMBERS, members),
        "network_families": _frame(schema.NETWORK_FAMILIES, _families()),
        "network_tests": _frame(schema.NETWORK_TESTS, _tests(size)),
        "network_ablations": _frame(schema.NETWORK_ABLATIONS, _ablations(size) if plan.tier == "refer" else []),
        "findings": _frame(schema.FINDINGS, _findings(size)),
        "evidence": _frame(schema.EVIDENCE, _evidence()),
        "blind_spots": _frame(schema.BLIND_SPOTS, _blind_spots()),
        "lineage": _frame(schema.LINEAGE, [{"network_id": NETWORK, "night": plan.dates[-1], "event": "new", "other_id": "", "account_count": size}]),
        "controls": _frame(schema.CONTROLS, [{"network_id": NETWORK, "account_id": plan.account(size + 1 + place)} for place in range(plan.controls)]),
        "links": _links(plan),
        "cluster_ids": pl.DataFrame({"cluster": [0], "network_id": [NETWORK]}),
        "cluster_alternatives": _alternatives(),
        "accounts": _accounts(plan, everyone),
        "candidate_pairs": pl.DataFrame({"account_a": [1, 1, 2], "account_b": [2, 3, 3]}),
    }
    shared = _shared_values(plan)
    inside = shared.filter(pl.col("account_key") <= size).group_by("kind", "value_key").agg(pl.len().cast(pl.Int64).alias("inside_count"), pl.col("df").first())
    values = inside.with_columns(pl.lit(0, dtype=pl.Int64).alias("cluster"), pl.lit(value=True).alias("qualifies")).sort("kind", "value_key")
    return made | {"shared_values": shared, "cluster_values": values}


def _member(plan: Plan, place: int, key: int) -> dict[str, Any]:
    size = plan.members
    return {
        "account_id": plan.account(key),
        "network_id": NETWORK,
        "membership": round(1 - place / (2 * size), 6),
        "role": _role(place, size),
        "bits": round(34 - 20 * place / size, 6),
        "strongest_account_id": plan.account(1 + (place + 1) % size),
        "strongest_bits": 30.5,
        "strongest_kind": "payment",
        "request_count": plan.requests_a_day * plan.days,
        "extraction_score": 0.75,
    }


def _families() -> list[dict[str, Any]]:
    rows = (
        ("identity", "specific", 0.0, 0.98, 0.1, "payment", True),
        ("infrastructure", "specific", 4.0, 0.7, 0.3, "ip", False),
        ("settings", "likeness", 1.0, 0.5, 0.2, "stack", False),
    )
    more = (
        ("handoff", "operational", 2.0, 0.6, 0.4, "handoff", True),
        ("templates", "likeness", 12.0, 1.0, 1.0, "template", False),
        ("duplicates", "likeness", 0.0, 0.0, 0.0, "", False),
    )
    names = ("family", "evidence_class", "median_bits", "coverage_share", "linked_pair_share", "kinds", "admitted")
    return [dict(zip(names, row, strict=True)) | {"network_id": NETWORK, "control_percentile": 99.0, "control_count": 99} for row in (*rows, *more)]


def _tests(size: int) -> list[dict[str, Any]]:
    rows = (
        ("held_out_wording", "templates", "coordination", 0.91, "cosine", 0.18, round(1 / 3_000, 6), 2999, "ran", ""),
        ("shared_days", "timing", "coordination", 0.19, "cosine", 0.2, 0.53, 299, "ran", ""),
        ("harvest_share", "extraction", "extraction", 0.93, "share", 0.05, round(1 / 3_000, 6), 2999, "ran", ""),
        ("held_out_handoff", "handoff", "coordination", None, "share of pairs", None, None, 0, "not_run", "too few accounts of the same manner"),
        ("fits_event", "alternative", "benign", 5.4, "bits", 0.0, None, 0, "undecided", ""),
    )
    names = ("test", "family", "supports", "statistic", "unit", "expected", "p_value", "null_count", "status", "reason")
    return [dict(zip(names, row, strict=True)) | {"network_id": NETWORK, "sample_size": size, "null_model": "random groups of the same manner"} for row in rows]


def _ablations(size: int) -> list[dict[str, Any]]:
    rows = (("handoff", size, 1, 29.0, 0.004, "refer", "specific_fact_and_extraction"), ("identity", size // 2, 2, 12.0, None, "watch", "no_specific_fact"))
    names = ("family", "held_count", "piece_count", "coordination_bits", "q_value", "tier", "reason")
    return [dict(zip(names, row, strict=True)) | {"network_id": NETWORK, "best_alternative": "event", "alternative_margin_bits": 5.0} for row in rows]


def _findings(size: int) -> list[dict[str, Any]]:
    rows = (
        ("shared_payment", "identity", 1.0, "share", None, 0.03, None, "observation", "coordination"),
        ("handed_on_conversation", "handoff", 0.6, "share", None, 0.0, None, "observation", "coordination"),
        ("held_out_wording", "templates", 0.91, "cosine", None, 0.18, round(1 / 3_000, 6), "inference", "coordination"),
        ("harvest_share", "extraction", 0.93, "share", None, 0.05, round(1 / 3_000, 6), "inference", "extraction"),
        ("fits_event", "alternative", 0.9, "share", 0.8, None, None, "observation", "benign"),
    )
    names = ("measure", "family", "value", "unit", "threshold", "baseline", "p_value", "kind", "supports")
    fixed = {"network_id": NETWORK, "baseline_n": 60, "evidence_total": size, "evidence_sha256": "ab" * 32}
    return [dict(zip(names, row, strict=True)) | fixed | {"finding_id": f"F-{place:012x}", "rank": place + 1} for place, row in enumerate(rows)]


def _evidence() -> list[dict[str, Any]]:
    return [
        {
            "finding_id": f"F-{finding:012x}",
            "request_id": f"req-{finding}-{row}",
            "source_file": "date=2026-04-27/part-0.parquet",
            "source_row": 10 * finding + row,
            "role": "supports",
        }
        for finding in range(5)
        for row in range(7)
    ]


def _blind_spots() -> list[dict[str, Any]]:
    rows = (
        ("identity and payment graph", "ran", ""),
        ("evasion", "partial", "coverage below 80 %: api_key_id absent"),
        ("intent", "not_run", "this version has no test of this family"),
    )
    return [dict(zip(("family", "status", "reason"), row, strict=True)) for row in rows]


def _alternatives() -> pl.DataFrame:
    rows = [("event", 0.9, True, 5.4), ("classroom", 0.1, False, 5.4), ("self_serve_team", 0.0, False, -6.0), ("none", 0.0, False, 5.4)]
    frame = pl.DataFrame(rows, schema=["alternative", "fit_share", "applies", "margin_bits"], orient="row")
    return frame.with_columns(pl.lit(0, dtype=pl.Int64).alias("cluster"))


def _links(plan: Plan) -> pl.DataFrame:
    rows = [
        {"account_a": min(pair), "account_b": max(pair), "kind": "payment", "family": "identity", "bits": 14.5, "bits_kind": "rarity", "support": 1, "df": 3}
        for key in _keys(plan)
        if key < plan.members
        for pair in [(plan.account(key), plan.account(key + 1))]
    ]
    return _frame(schema.LINKS, rows)


def _accounts(plan: Plan, everyone: int) -> pl.DataFrame:
    key = np.arange(1, everyone + 1)
    start = int((FIRST_DAY - dt.date(1970, 1, 1)).days) * 86_400_000_000
    member = key <= plan.members
    columns: dict[str, Any] = {
        "account_id": [plan.account(int(one)) for one in key],
        "account_key": key,
        "network_id": [NETWORK if one <= plan.members else None for one in key],
        "first_us": start + (key % plan.days) * 86_400_000_000,
        "last_us": start + (plan.days - 1) * 86_400_000_000 + key,
        "request_count": np.full(everyone, plan.requests_a_day * plan.days),
        "template_top_share": np.where(member, 0.6, 0.02) + (key % 7) / 100,
        "output_to_input_ratio": np.where(member, 13.0, 2.5) + (key % 5) / 10,
        "night_share": np.where(member, 0.3, 0.05) + (key % 3) / 100,
    }
    frame = pl.DataFrame(columns)
    return frame.with_columns(pl.lit(None, dtype=_POLARS[column.type]).alias(column.name) for column in schema.ACCOUNTS.columns if column.name not in columns)


def _shared_values(plan: Plan) -> pl.DataFrame:
    """Cards by threes, addresses by forties, stacks by fifths, six 4-grams by all, a conversation by each pair of neighbours."""
    key = np.arange(1, plan.members + 1)
    everyone = plan.members + plan.controls
    parts = [
        ("payment", "identity", key // 3),
        ("ip", "infrastructure", 10**6 + key // 40),
        ("stack", "settings", 2 * 10**6 + key % 5),
        ("handoff", "handoff", 3 * 10**6 + key // 2),
    ]
    parts += [("template", "templates", np.full(len(key), 4 * 10**6 + gram)) for gram in range(6)]
    frames = []
    for kind, family, values in parts:
        held = pl.DataFrame({"kind": kind, "value_key": values, "account_key": key, "entity_key": key, "family": family, "share": np.ones(len(key))})
        frames.append(held.with_columns(pl.len().over("value_key").cast(pl.Int64).alias("df")).with_columns(counted_df="df"))
    rarity = (pl.lit(float(everyone)).log(2) - pl.col("df").cast(pl.Float64).log(2)).clip(lower_bound=0) * 1e6
    return pl.concat(frames).with_columns(rarity.round().cast(pl.Int64).alias("rarity_micro_bits")).sort("kind", "value_key", "account_key")


def _day_tables(plan: Plan, date: dt.date) -> dict[str, pl.DataFrame]:
    day, everyone = (date - FIRST_DAY).days, plan.members + plan.controls
    key = np.repeat(np.arange(1, everyone + 1), plan.requests_a_day)
    turn = np.tile(np.arange(plan.requests_a_day), everyone)
    start = int((date - dt.date(1970, 1, 1)).days) * 86_400_000_000
    hour = (turn * 24 // plan.requests_a_day + key) % 24
    member = key <= plan.members
    serial = (day * everyone + key) * plan.requests_a_day + turn
    requests = pl.DataFrame(
        {
            "account_key": key,
            "ts_us": start + hour * 3_600_000_000 + serial % 3_600_000_000,
            "session_key": np.where(member, 3 * 10**6 + key // 2 + 10**7 * day, 9 * 10**9 + serial),
            "model": np.array(MODELS)[np.where(day >= 4, (key + turn) % 3, (key + turn) % 2)],
            "operation": "chat",
            "prompt_key": serial,
            "skeleton_key": np.where(member, serial % 500, serial),
            "prompt_source": np.ones(len(key), dtype=np.int8),
            "source_file": f"date={date}/part-0.parquet",
            "source_row": np.arange(len(key)),
            "prompt_words": (40 + serial % 9).astype(np.int32),
            "input_tokens": 100 + serial % 7,
            "output_tokens": np.where(member, 900, 200) + serial % 11,
            "cost_micro_usd": serial % 5 + 10 if plan.has_cost else pl.Series([None] * len(key), dtype=pl.Int64),
            "country": np.array(COUNTRIES)[key % 4],
            "status_code": np.where(serial % 50 == 0, 429, 200).astype(np.int32),
            "is_rate_limited": serial % 50 == 0,
            "is_cached_response": np.zeros(len(key), dtype=bool),
            "source_system": pl.Series(["gateway-a", "gateway-b"])[(key % 2).tolist()],
        }
    )
    return {"requests": requests, "account_days": _account_days(requests, date), "account_entities": _entities(everyone, date), "labels": _labels()}


def _account_days(requests: pl.DataFrame, date: dt.date) -> pl.DataFrame:
    hour = (pl.col("ts_us") // 3_600_000_000 % 24).alias("hour")
    hours = requests.select("account_key", hour).pivot("hour", index="account_key", aggregate_function="len", values="hour", sort_columns=True) if requests.height else requests
    filled = [(pl.col(str(at)) if str(at) in hours.columns else pl.lit(0)).fill_null(0).cast(pl.Int64).alias(f"h{at:02d}") for at in range(24)]
    counts = requests.group_by("account_key").agg(
        pl.len().cast(pl.Int64).alias("request_count"),
        pl.col("input_tokens").sum(),
        pl.col("output_tokens").sum(),
        pl.col("is_rate_limited").sum().cast(pl.Int64).alias("rate_limited_count"),
        hour.n_unique().cast(pl.Int64).alias("active_hours"),
    )
    joined = counts.join(hours.select("account_key", *filled), on="account_key").with_columns(pl.lit(date).alias("day"))
    return joined.sort("account_key")


def _entities(everyone: int, date: dt.date) -> pl.DataFrame:
    key = np.arange(1, everyone + 1)
    parts = [pl.DataFrame({"kind": "ja4", "account_key": key, "value_key": 70 + key % 3}), pl.DataFrame({"kind": "agent_product", "account_key": key, "value_key": 80 + key % 2})]
    return pl.concat(parts).with_columns(pl.lit(date).alias("day"), pl.lit(4, dtype=pl.Int64).alias("request_count"))


def _labels() -> pl.DataFrame:
    rows = [
        ("ja4", 70, "t13d1516h2_8daaf6152771_b186095e22b6"),
        ("ja4", 71, "t13d1517h2_aaaa_bbbb"),
        ("agent_product", 80, "python-requests"),
        ("agent_product", 81, "relay-client"),
    ]
    return pl.DataFrame(rows, schema=["kind", "value_key", "label"], orient="row")


def _manifest(plan: Plan, tables: Mapping[str, Any]) -> dict[str, Any]:
    rows = (plan.members + plan.controls) * plan.requests_a_day * plan.days
    per_day = rows // plan.days
    files = [{"name": f"date={date}/part-0.parquet", "rows": per_day, "sha256": f"{place:064x}", "size_bytes": 1000 + place} for place, date in enumerate(plan.dates)]
    config = load_config()
    return {
        "schema": "stillhunt.run/1",
        "run_id": RUN_ID,
        "night": plan.dates[-1].isoformat(),
        "window": {"first_day": FIRST_DAY.isoformat(), "last_day": plan.dates[-1].isoformat(), "days": plan.days},
        "version": __version__,
        "config": config.as_dict(),
        "config_sha256": "cd" * 32,
        "recipe": {"code": "ef" * 32, "context": {}},
        "counts": {"rows_read": rows + 3, "rows_kept": rows, "accounts": plan.members + plan.controls, "networks": 1, "duplicates_resolved": 0},
        "rejected": {"null_required": 3},
        "inputs": files,
        "skipped_files": [],
        "degraded": [],
        "tiers": {plan.tier: 1},
        "coverage": {"source_system": {"non_null": rows, "rows": rows}, "api_key_id": {"non_null": 0, "rows": rows}, "session_id": {"non_null": rows // 2, "rows": rows}},
        "seeds": {"networks.seed": 20261121},
        "versions": {"polars": "2.1.0", "stillhunt": __version__},
        "stages": {"30 features": {"source": "pipeline.stages.features:features", "sha256": "12" * 32}},
        "tables": dict(tables),
        "days": {date.isoformat(): {} for date in plan.dates},
    }
