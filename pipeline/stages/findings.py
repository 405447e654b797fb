"""Stage 70 and 71: each claim about a network as a finding with value, threshold and baseline, and the request rows behind it.

A finding is an observation (a count or a share) or an inference (a test against a null). Evidence is references only: request,
file and row. At most 1,000 rows are kept a finding, the strongest 20 first and the rest by hash order; the total is stated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.stages.cluster_tests import POOL_GROUPS
from pipeline.stages.frames import conform

GATE_MEASURES = ("payment", "device", "email", "phone", "ip", "rewritten_client", "handoff", "fanout")
SHARED_MEASURES = {
    "payment": "shared_payment",
    "device": "shared_device",
    "email": "shared_mailbox",
    "phone": "shared_phone",
    "organization": "shared_organization",
    "ip": "shared_address",
    "signup_ip": "shared_signup_address",
    "mail_domain": "shared_mail_domain",
    "cohort": "shared_signup_days",
    "rewritten_client": "rewritten_client",
    "handoff": "handed_on_conversation",
    "fanout": "prompt_sent_at_once",
    "prompt": "shared_prompt",
    "template": "shared_wording",
    "system": "shared_system_prompt",
}
TEST_UNITS = {
    "held_out_wording": "cosine",
    "held_out_topic": "cosine",
    "shared_days": "cosine",
    "held_out_handoff": "share of pairs",
    "harvest_share": "share",
    "pooled_harvest_share": "share",
}
STRONGEST, KEPT = 20, 1_000
TEMPLATED = ("shared_wording", "held_out_wording", "harvest_share", "templated_output")
"""Measures that stand on the same rows: the members' templated prompts."""
NO_LOT = pl.lit(None)
BY_ACCOUNT = ("shared_values", "boilerplate", "first_requests")


def findings(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Findings and evidence of every network.

    Reads networks, members, account_records, cluster_ids, cluster_tests, cluster_values, cluster_alternatives, cluster_controls,
    shared_values, boilerplate, pooled_templates, first_requests, address_requests, handoff_requests. Empty: empty tables.
    """
    fellows = inputs["members"].select("network_id", "account_id").join(inputs["account_records"].select("account_id", "account_key"), on="account_id")
    concerned = pl.concat([fellows["account_key"], inputs["cluster_controls"]["account_key"]]).unique().to_frame()
    inputs = {**inputs, **{name: inputs[name].join(concerned, on="account_key", how="semi") for name in BY_ACCOUNT}}
    digest = hashlib.sha256(json.dumps(config.as_dict(), sort_keys=True).encode()).hexdigest()
    claims, rows = [], []
    for network in inputs["cluster_ids"].sort("cluster").iter_rows(named=True):
        members = fellows.filter(pl.col("network_id") == network["network_id"])
        own = _of_network(network["cluster"], members, inputs)
        templated = None
        for rank, claim in enumerate(_claims(network["cluster"], members, own, config), start=1):
            number = "F-" + hashlib.sha256(f"{network['network_id']} {claim['measure']} {digest}".encode()).hexdigest()[:12]
            if claim["measure"] in TEMPLATED:
                found = templated = templated or _evidence(_templated(members, own))
            else:
                found = _evidence(_references(claim["measure"], network["cluster"], members, own))
            claims.append({**claim, "finding_id": number, "network_id": network["network_id"], "rank": rank, **found.totals})
            rows.append(found.kept.with_columns(pl.lit(number).alias("finding_id")))
    return {
        "findings": conform(pl.DataFrame(claims, infer_schema_length=None), schema.FINDINGS),
        "evidence": conform(pl.concat(rows) if rows else pl.DataFrame(), schema.EVIDENCE),
    }


@dataclass(frozen=True)
class _Evidence:
    """The rows that are kept of a finding's, and what is said of all of them."""

    kept: pl.DataFrame
    totals: dict[str, Any]


def _evidence(references: pl.DataFrame) -> _Evidence:
    kept = _kept(references)
    return _Evidence(kept, _totals(references, kept))


def _of_network(cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables, those of clusters cut to one cluster and those of accounts to its members and controls."""
    own = {name: frame.filter(pl.col("cluster") == cluster) if "cluster" in frame.columns else frame for name, frame in inputs.items()}
    concerned = pl.concat([members["account_key"], own["cluster_controls"]["account_key"]]).unique().to_frame()
    return own | {name: own[name].join(concerned, on="account_key", how="semi") for name in BY_ACCOUNT}


def _claims(cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    """Claims of one network, strongest first: specific facts, then tests, then likeness, then what speaks for an innocent explanation."""
    shared = _shared(cluster, members, inputs, config)
    tested = _tested(cluster, inputs, config)
    specific = [claim for claim in shared if claim["threshold"] is not None]
    likeness = [claim for claim in shared if claim["threshold"] is None]
    return specific + tested + _output(cluster, members, inputs, config) + likeness + _innocent(cluster, inputs, config)


def _claim(measure: str, family: str, value: float, unit: str, supports: str, **more: Any) -> dict[str, Any]:
    blank = {"threshold": None, "baseline": None, "baseline_n": 0, "p_value": None, "kind": "observation"}
    return {"measure": measure, "family": family, "value": round(value, 6), "unit": unit, "supports": supports} | blank | more


def _shared(cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    """Share of members that hold a value which the network shares and few others have, beside the same among the matched controls."""
    values = inputs["shared_values"].filter(pl.col("kind").is_in(list(SHARED_MEASURES)))
    facts = inputs["cluster_values"].filter((pl.col("cluster") == cluster) & pl.col("qualifies"))
    held = values.join(facts, on=["kind", "value_key"], how="semi").join(members, on="account_key", how="semi")
    controls = inputs["cluster_controls"].filter(pl.col("cluster") == cluster)
    among = values.join(controls, on="account_key", how="semi")
    twice = among.filter(pl.len().over("kind", "value_key") >= 2)
    claims = []
    for (kind, family), rows in held.group_by("kind", "family", maintain_order=True):
        share = rows["account_key"].n_unique() / members.height
        base = twice.filter(pl.col("kind") == kind)["account_key"].n_unique() / max(1, controls.height)
        threshold = config.verdict.gate_coverage_share if kind in GATE_MEASURES else None
        baseline = {"baseline": round(base, 6), "baseline_n": controls.height} if controls.height else {}
        claims.append(_claim(SHARED_MEASURES[str(kind)], str(family), share, "share", "coordination", threshold=threshold, **baseline))
    return sorted(claims, key=lambda claim: (-claim["value"], claim["measure"]))


def _tested(cluster: int, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    tests = inputs["cluster_tests"].filter((pl.col("cluster") == cluster) & (pl.col("status") == "ran")).sort("p_value", "test")
    return [
        _claim(
            row["test"],
            row["family"],
            row["statistic"],
            TEST_UNITS[row["test"]],
            row["supports"],
            baseline=row["expected"],
            baseline_n=POOL_GROUPS if row["test"] == "pooled_harvest_share" else config.verdict.null_groups,
            p_value=row["p_value"],
            kind="inference",
        )
        for row in tests.iter_rows(named=True)
    ]


def _output(cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    """Median answer to templated prompts."""
    documents = inputs["boilerplate"].join(members, on="account_key", how="semi")["output_tokens"]
    if not len(documents):
        return []
    controls = inputs["cluster_controls"].filter(pl.col("cluster") == cluster)
    other = inputs["boilerplate"].join(controls, on="account_key", how="semi")["output_tokens"]
    baseline = {"baseline": float(np.median(other.to_numpy())), "baseline_n": len(other)} if len(other) else {}
    value = float(np.median(documents.to_numpy()))
    return [_claim("templated_output", "extraction", value, "tokens", "extraction", threshold=float(config.verdict.min_output_tokens), **baseline)]


def _innocent(cluster: int, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    """Share of members that fit each innocent explanation, named whether or not it wins."""
    rows = inputs["cluster_alternatives"].filter(pl.col("cluster") == cluster).sort("fit_share", "alternative", descending=[True, False])
    return [
        _claim(f"fits_{row['alternative']}", "alternative", row["fit_share"], "share", "benign", threshold=config.verdict.alternative_share)
        for row in rows.iter_rows(named=True)
        if row["fit_share"] > 0
    ]


def _references(measure: str, cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Rows behind a claim: request_id, source_file, source_row, role, strength (larger is stronger), weight (requests it stands for), lot (rows to keep together; null: none)."""
    if measure == "pooled_harvest_share":
        return _carriers(inputs["pooled_templates"].filter(pl.col("cluster") == cluster).join(members, on="account_key", how="semi"))
    if measure == "shared_address":
        rows = inputs["address_requests"].filter(pl.col("cluster") == cluster).join(members, on="account_key", how="semi")
        return _rows(rows, "shares_value", pl.col("request_count"), pl.col("request_count"))
    if measure == "handed_on_conversation":
        return _handed_on(inputs["handoff_requests"].filter(pl.col("cluster") == cluster).join(members, on="account_key", how="semi"))
    rows = inputs["first_requests"].join(_holders(measure, cluster, members, inputs), on="account_key", how="semi")
    return _rows(rows, "supports" if measure.startswith("shared") else "context", pl.lit(0), pl.lit(1))


def _handed_on(rows: pl.DataFrame) -> pl.DataFrame:
    """The same for conversations of two members or more: rows of one are kept together, those of most members first."""
    conversations = rows.group_by("session_key").len("fellows").filter(pl.col("fellows") >= 2).sort("fellows", "session_key", descending=[False, True])
    return _rows(rows.join(conversations.with_row_index("place"), on="session_key"), "shares_value", pl.col("place"), pl.col("request_count"), pl.col("session_key"))


def _templated(members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The same for measures of TEMPLATED."""
    return _carriers(inputs["boilerplate"].join(members, on="account_key", how="semi"))


def _carriers(rows: pl.DataFrame) -> pl.DataFrame:
    """The same for prompts that carry recurring wording, those with most of it first."""
    return _rows(rows, "shows_template", pl.col("habit_count"), pl.col("request_count"))


def _holders(measure: str, cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Members that a claim of something shared counts: those who hold it. All members for any other claim."""
    kinds = [kind for kind, name in SHARED_MEASURES.items() if name == measure]
    if not kinds:
        return members
    facts = inputs["cluster_values"].filter((pl.col("cluster") == cluster) & pl.col("qualifies") & pl.col("kind").is_in(kinds))
    return members.join(inputs["shared_values"].join(facts, on=["kind", "value_key"], how="semi"), on="account_key", how="semi")


def _rows(rows: pl.DataFrame, role: str, strength: pl.Expr, weight: pl.Expr, lot: pl.Expr = NO_LOT) -> pl.DataFrame:
    reference = ("request_id", "source_file", pl.col("source_row").cast(pl.Int64))
    numbers = {"strength": strength, "weight": weight, "lot": lot}
    return rows.select(*reference, pl.lit(role).alias("role"), *(number.cast(pl.Int64).alias(name) for name, number in numbers.items()))


def _kept(references: pl.DataFrame) -> pl.DataFrame:
    """The strongest rows, then by hash of the reference, or of the lot, so that the choice favours nobody."""
    reference = ["request_id", "source_file", "source_row"]
    unique = references.sort("strength", *reference, descending=[True, False, False, False]).unique(reference, keep="first", maintain_order=True)
    top, rest = unique.head(STRONGEST), unique.slice(STRONGEST)
    if rest.height > KEPT - STRONGEST:
        names = [hashlib.sha256((f"{r} {f} {n}" if lot is None else str(lot)).encode()).hexdigest() for r, f, n, lot in rest.select(*reference, "lot").iter_rows()]
        rest = rest.with_columns(pl.Series("order", names)).sort("order", *reference).drop("order").head(KEPT - STRONGEST)
    return pl.concat([top, rest]).select("request_id", "source_file", "source_row", "role")


def _totals(references: pl.DataFrame, kept: pl.DataFrame) -> dict[str, Any]:
    lines = sorted(f"{request}\t{file}\t{row}" for request, file, row in kept.select("request_id", "source_file", "source_row").iter_rows())
    return {"evidence_total": int(references["weight"].sum()), "evidence_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}
