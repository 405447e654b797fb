"""Stage 70 and 71: each claim about a network as a finding with value, threshold and baseline, and the request rows behind it.

A finding is an observation (a count or a share) or an inference (a test against a null). Evidence is references only: request,
file and row. At most 1,000 rows are kept a finding, the strongest 20 first and the rest by hash order; the total is stated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.kinds import DESCRIBES, OPERATIONAL, SHAPES
from pipeline.stages.frames import Parts, conform, within
from pipeline.stages.operations import SHOWN_P

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
ROWS_AT_ONCE = 500_000
TEMPLATED = ("shared_wording", "held_out_wording", "harvest_share", "templated_output", *SHAPES)
"""Measures that stand on the same rows: the members' templated prompts."""
NO_LOT = pl.lit(None)
BY_ACCOUNT = {
    "boilerplate": ("account_key", "request_id", "source_file", "source_row", "habit_count", "request_count", "output_tokens"),
    "first_requests": ("account_key", "request_id", "source_file", "source_row"),
}
"""Tables of accounts, and the columns of each that findings rest on: an account is a control of many networks, and each of these gets its rows."""
BY_CLUSTER = tuple(
    "cluster_tests cluster_values cluster_alternatives cluster_controls address_requests handoff_requests pooled_templates operational_tests operational_requests".split()
)


def findings(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Findings and evidence of every network.

    Reads networks, members, account_records, cluster_ids, cluster_tests, cluster_values, cluster_alternatives, cluster_controls,
    shared_values, boilerplate, pooled_templates, first_requests, address_requests, handoff_requests,
    operational_tests, operational_requests. Empty: empty tables.
    """
    parts = _parts(inputs)
    digest = hashlib.sha256(json.dumps(config.as_dict(), sort_keys=True).encode()).hexdigest()
    claims, shelf = [], _Shelf()
    for network in inputs["cluster_ids"].sort("cluster").iter_rows(named=True):
        own = parts.of(network["cluster"])
        members, templated = own["fellows"], None
        for rank, claim in enumerate(_claims(network["cluster"], members, own, config), start=1):
            number = "F-" + hashlib.sha256(f"{network['network_id']} {claim['measure']} {digest}".encode()).hexdigest()[:12]
            if claim["measure"] in TEMPLATED:
                part = templated = shelf.put(_templated(members, own)) if templated is None else templated
            else:
                part = shelf.put(_references(claim["measure"], network["cluster"], members, own))
            claims.append({**claim, "finding_id": number, "network_id": network["network_id"], "rank": rank, "part": part})
    kept, totals = shelf.cleared()
    named = pl.DataFrame([(claim["finding_id"], claim["part"]) for claim in claims], schema={"finding_id": pl.String, "part": pl.Int64}, orient="row")
    return {
        "findings": conform(pl.DataFrame([{**claim, **totals[claim["part"]]} for claim in claims], infer_schema_length=None), schema.FINDINGS),
        "evidence": conform(named.join(kept, on="part"), schema.EVIDENCE),
    }


class _Shelf:
    """References of many claims, weighed many at once: a claim of a few rows costs less than a question about it."""

    def __init__(self) -> None:
        self._waiting: list[pl.DataFrame] = []
        self._kept = [pl.DataFrame(schema={"part": pl.Int64, "request_id": pl.String, "source_file": pl.String, "source_row": pl.Int64, "role": pl.String})]
        self._totals: list[dict[str, Any]] = []
        self._rows = 0

    def put(self, references: pl.DataFrame) -> int:
        """Add the references of a claim; the number under which they are kept."""
        number = len(self._totals) + len(self._waiting)
        self._waiting.append(references.select(pl.lit(number, dtype=pl.Int64).alias("part"), pl.all()))
        self._rows += references.height
        if self._rows > ROWS_AT_ONCE:
            self._weigh()
        return number

    def cleared(self) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
        """The rows that are kept, each with its part, and of each part the total and the hash of what is kept."""
        self._weigh()
        return pl.concat(self._kept), self._totals

    def _weigh(self) -> None:
        if not self._waiting:
            return
        first, count, references = len(self._totals), len(self._waiting), pl.concat(self._waiting)
        kept = _kept(references)
        self._totals += _totals(references, kept, range(first, first + count))
        self._kept.append(kept)
        self._waiting, self._rows = [], 0


def _parts(inputs: Mapping[str, pl.DataFrame]) -> Parts:
    """The tables, those of clusters cut to one cluster, those of accounts to its members and controls, and `fellows`, its members."""
    named = inputs["members"].select("network_id", "account_id").join(inputs["cluster_ids"], on="network_id", maintain_order="left")
    fellows = named.join(inputs["account_records"].select("account_id", "account_key"), on="account_id", maintain_order="left")
    concerned = pl.concat([frame.select("cluster", "account_key") for frame in (fellows, inputs["cluster_controls"])]).unique()
    of_accounts = {name: within(inputs[name].select(columns), concerned) for name, columns in BY_ACCOUNT.items()}
    held = _held(inputs, fellows)
    shared = _holders_of(held, inputs)
    return Parts(inputs, {**{name: inputs[name] for name in BY_CLUSTER}, **of_accounts, "fellows": fellows, "held": held, "shared": shared})


def _held(inputs: Mapping[str, pl.DataFrame], fellows: pl.DataFrame) -> pl.DataFrame:
    """Who of each network holds which of the values that it shares and few others have. Columns cluster, account_key, kind, family, value_key."""
    values = inputs["shared_values"].select("account_key", "kind", "family", "value_key").filter(pl.col("kind").is_in(list(SHARED_MEASURES)))
    return within(values, fellows).join(inputs["cluster_values"].filter("qualifies"), on=["cluster", "kind", "value_key"], how="semi")


def _holders_of(held: pl.DataFrame, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """How many members of each network hold such values, by kind, and how many of its controls hold any value of the kind that two of them do.

    Columns cluster, kind, family, members, controls.
    """
    among = within(inputs["shared_values"].select("account_key", "kind", "value_key"), inputs["cluster_controls"])
    twice = among.filter(pl.len().over("cluster", "kind", "value_key") >= 2).group_by("cluster", "kind").agg(pl.col("account_key").n_unique().alias("controls"))
    members = held.group_by("cluster", "kind", "family").agg(pl.col("account_key").n_unique().alias("members"))
    return members.join(twice, on=["cluster", "kind"], how="left").with_columns(pl.col("controls").fill_null(0))


def _claims(cluster: int, members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    """Claims of one network, strongest first: specific facts, tests, answers, the shape of the traffic, likeness, and what speaks for an innocent explanation."""
    shared = _shared(members, inputs, config)
    tested = _tested(cluster, inputs, config)
    specific = [claim for claim in shared if claim["threshold"] is not None]
    likeness = [claim for claim in shared if claim["threshold"] is None]
    operational = _operational(inputs)
    coupled, innocent = ([claim for claim in operational if (claim["supports"] == "benign") is wanted] for wanted in (False, True))
    described = _output(cluster, members, inputs, config) + _described(cluster, inputs)
    return specific + tested + described + coupled + likeness + innocent + _innocent(cluster, inputs, config)


def _claim(measure: str, family: str, value: float, unit: str, supports: str, **more: Any) -> dict[str, Any]:
    blank = {"threshold": None, "baseline": None, "baseline_n": 0, "p_value": None, "kind": "observation"}
    return {"measure": measure, "family": family, "value": round(value, 6), "unit": unit, "supports": supports} | blank | more


def _shared(members: pl.DataFrame, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    """Share of members that hold a value which the network shares and few others have, beside the same among the matched controls."""
    controls, claims = inputs["cluster_controls"].height, []
    for row in inputs["shared"].iter_rows(named=True):
        threshold = config.verdict.gate_coverage_share if row["kind"] in GATE_MEASURES else None
        baseline = {"baseline": round(row["controls"] / controls, 6), "baseline_n": controls} if controls else {}
        share = row["members"] / members.height
        claims.append(_claim(SHARED_MEASURES[row["kind"]], row["family"], share, "share", "coordination", threshold=threshold, **baseline))
    return sorted(claims, key=lambda claim: (-claim["value"], claim["measure"]))


def _tested(cluster: int, inputs: Mapping[str, pl.DataFrame], config: Config) -> list[dict[str, Any]]:
    ran = (pl.col("cluster") == cluster) & (pl.col("status") == "ran") & (pl.col("supports") != DESCRIBES)
    tests = inputs["cluster_tests"].filter(ran).sort("p_value", "test")
    return [_inference(row, TEST_UNITS[row["test"]]) for row in tests.iter_rows(named=True)]


def _operational(inputs: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """Operational tests that chance hardly gives. In: the tables of one network."""
    tests = inputs["operational_tests"].filter((pl.col("status") == "ran") & (pl.col("p_value") <= SHOWN_P)).sort("p_value", "test")
    return [_inference(row, row["unit"]) for row in tests.iter_rows(named=True)]


def _inference(row: Mapping[str, Any], unit: str) -> dict[str, Any]:
    tested = {"baseline": row["expected"], "baseline_n": row["null_count"], "p_value": row["p_value"], "kind": "inference"}
    return _claim(row["test"], row["family"], row["statistic"], unit, row["supports"], **tested)


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


def _described(cluster: int, inputs: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """How the templated prompts are sent beside random groups: observed, for the automation of the innocent looks the same and no p-value speaks."""
    rows = inputs["cluster_tests"].filter((pl.col("cluster") == cluster) & (pl.col("status") == "ran") & (pl.col("supports") == DESCRIBES)).sort("test")
    return [
        _claim(row["test"], row["family"], row["statistic"], row["unit"], "extraction", baseline=row["expected"], baseline_n=row["null_count"])
        for row in rows.iter_rows(named=True)
    ]


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
    if measure in OPERATIONAL:
        rows = inputs["operational_requests"].filter(pl.col("test") == measure).join(members, on="account_key", how="semi")
        return _rows(rows, "context" if measure == "even_load" else "supports", pl.col("strength"), pl.lit(1))
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
    return members.join(inputs["held"].filter(pl.col("kind").is_in(kinds)), on="account_key", how="semi")


def _rows(rows: pl.DataFrame, role: str, strength: pl.Expr, weight: pl.Expr, lot: pl.Expr = NO_LOT) -> pl.DataFrame:
    reference = ("request_id", "source_file", pl.col("source_row").cast(pl.Int64))
    numbers = {"strength": strength, "weight": weight, "lot": lot}
    return rows.select(*reference, pl.lit(role).alias("role"), *(number.cast(pl.Int64).alias(name) for name, number in numbers.items()))


def _kept(references: pl.DataFrame) -> pl.DataFrame:
    """Of each part the strongest rows, then by hash of the reference, or of the lot, so that the choice favours nobody."""
    reference = ["part", "request_id", "source_file", "source_row"]
    ordered = references.sort("part", "strength", *reference[1:], descending=[False, True, False, False, False])
    unique = ordered.unique(reference, keep="first", maintain_order=True).with_columns(pl.int_range(pl.len()).over("part").alias("place"))
    is_rest = (pl.col("place") >= STRONGEST) & (pl.len().over("part") > KEPT)
    top, rest = unique.filter(~is_rest), unique.filter(is_rest)
    if rest.height:
        columns = zip(*(rest[name].to_list() for name in (*reference[1:], "lot")), strict=True)
        names = [hashlib.sha256((f"{r} {f} {n}" if lot is None else str(lot)).encode()).digest() for r, f, n, lot in columns]
        rest = rest.with_columns(pl.Series("order", names, dtype=pl.Binary)).sort("part", "order", *reference[1:]).drop("order")
        rest = rest.filter(pl.int_range(pl.len()).over("part") < KEPT - STRONGEST)
    return pl.concat([top, rest]).select(*reference, "role")


def _totals(references: pl.DataFrame, kept: pl.DataFrame, parts: range) -> list[dict[str, Any]]:
    lines: dict[int, list[str]] = {part: [] for part in parts}
    for part, request, file, row in zip(*(kept[name].to_list() for name in ("part", "request_id", "source_file", "source_row")), strict=True):
        lines[part].append(f"{request}\t{file}\t{row}")
    weight = dict(references.group_by("part").agg(pl.col("weight").sum()).iter_rows())
    return [{"evidence_total": weight.get(part, 0), "evidence_sha256": hashlib.sha256("\n".join(sorted(lines[part])).encode()).hexdigest()} for part in parts]
