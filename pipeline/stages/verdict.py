"""Stage 65: clusters become networks with a tier, two axes and the best innocent alternative.

Referred for human action only if all hold: two families established of which one is a specific fact that the gate admits; the
combined test on held-out data survives false-discovery control; the traffic is training-shaped; no innocent alternative
explains the evidence or is unchecked because the log lacks a column. An alternative that explains it makes the tier `explained`; everything else is `watch` with its reason.
Likeness alone, however many bits, cannot reach `refer`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.kinds import FAMILIES, GATE_FAMILIES
from pipeline.measures.graph import bridges
from pipeline.measures.nulls import benjamini_hochberg, combined_p, tail_bits
from pipeline.stages.alternatives import EXPLAINS_ANSWERS, NOTHING
from pipeline.stages.evidence_views import AccountViews, account_views, held_out_wording
from pipeline.stages.frames import Parts, between, conform, within
from pipeline.stages.naming import accusable, traffic_of
from pipeline.stages.population import Population, population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ONE_CUSTOMER = ("vouched_organisation", "self_serve_team")
"""Alternatives under which the accounts are one customer's: never a network to refer, whatever they leave unexplained."""
TESTED = ("timing", "topic")
"""Families that no link belongs to: a test alone establishes them."""


@dataclass(frozen=True)
class Facts:
    """What the verdict on one cluster rests on."""

    origin: str
    established: int
    """families established, those of TESTED among them"""
    gate: bool
    p_value: float | None
    q_value: float | None
    extraction_bits: float
    extraction: bool
    pooled: bool
    """extraction shows only in the wording that members have in common"""
    coordination_bits: float
    alternative: str
    margin_bits: float
    unchecked: str = ""
    """an innocent explanation that the log cannot rule out and that would keep the network from being referred"""


def verdict(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Networks and members under provisional ids.

    Reads clusters, cluster_tests, cluster_families, cluster_alternatives, pair_links, account_records, shared_values, kinds, features,
    boilerplate, sample_totals, cluster_values, habits, pooled_members. Empty: empty tables.
    """
    people = population(inputs)
    views, wording = account_views(inputs, people, config), held_out_wording(inputs["habits"], people)
    q_values, parts = q_values_of(inputs["cluster_tests"]), _parts(inputs)
    networks, members, numbers = [], [], []
    for (cluster,), rows in inputs["clusters"].sort("cluster", "account_key").group_by("cluster", maintain_order=True):
        positions, own = people.positions(rows["account_key"]), parts.of(int(str(cluster)))
        facts = weigh(rows, positions, own, q_values, people, config)
        tier, reason = tier_of(facts, config)
        pooled = own["pooled_members"] if facts.pooled else own["pooled_members"].clear()
        named = np.ones(len(positions), dtype=np.bool_)
        if tier == "refer":
            named = accusable(rows, positions, traffic_of(rows, positions, views, wording, pooled if facts.pooled else None), own, people, config)
        if named.sum() < min(config.networks.min_accounts, len(positions)):
            tier, reason, named = "watch", "too_few_members_left", np.ones(len(positions), dtype=np.bool_)
        name = _provisional(people, positions[named])
        networks.append(_network_row(name, tier, reason, facts, positions[named], people, own))
        members.append(_named(name, rows.filter(pl.Series(named)), pooled))
        numbers.append((int(str(cluster)), name))
    ids = pl.DataFrame(numbers, schema={"cluster": pl.Int64, "network_id": pl.String}, orient="row")
    table = conform(pl.DataFrame(networks, infer_schema_length=None), schema.NETWORKS)
    fellows = conform(_member_rows(pl.concat(members), views, people, inputs["pair_links"], config) if members else pl.DataFrame(), schema.MEMBERS)
    return {"networks": _with_core(table, fellows), "members": fellows, "cluster_ids": ids}


def _parts(inputs: Mapping[str, pl.DataFrame]) -> Parts:
    """The tables, those that speak of clusters or of their accounts cut by cluster."""
    clusters = inputs["clusters"]
    of_accounts = {name: within(inputs[name], clusters) for name in ("boilerplate", "features", "shared_values")}
    of_clusters = {name: inputs[name] for name in ("cluster_tests", "cluster_families", "cluster_alternatives", "cluster_values", "pooled_members")}
    return Parts(inputs, of_accounts | of_clusters)


def q_values_of(tests: pl.DataFrame) -> dict[int, tuple[float, float]]:
    """Combined p and q of each cluster with a coordination test that ran."""
    ran = tests.filter((pl.col("supports") == "coordination") & (pl.col("status") == "ran"))
    groups = [(int(str(cluster)), combined_p(rows["p_value"].to_numpy())) for (cluster,), rows in ran.group_by("cluster", maintain_order=True)]
    q_values = benjamini_hochberg(np.array([p for _, p in groups]))
    return {cluster: (round(p, 6), round(float(q), 6)) for (cluster, p), q in zip(groups, q_values, strict=True)}


def weigh(rows: pl.DataFrame, positions: Ints, inputs: Mapping[str, pl.DataFrame], q_values: dict[int, tuple[float, float]], people: Population, config: Config) -> Facts:
    """What the verdict on one cluster rests on. In: its rows of `clusters`, their positions, the tables of the run and each cluster's p and q."""
    cluster = int(rows["cluster"][0])
    tests = inputs["cluster_tests"].filter((pl.col("cluster") == cluster) & (pl.col("status") == "ran"))
    families = inputs["cluster_families"].filter((pl.col("cluster") == cluster) & pl.col("family").is_in(FAMILIES))  # likeness of pairs establishes nothing
    surprising = tests.filter((pl.col("supports") == "coordination") & (pl.col("p_value") <= config.verdict.max_q_value))["family"]
    held_out = (pl.col("median_bits") > 0) & pl.col("family").is_in(surprising.implode())  # diluted by strangers' traffic, yet there on prompts that formed nothing
    typical = ((pl.col("median_bits") >= config.networks.family_min_bits) | held_out) & (pl.col("control_percentile") >= 95)
    strong = families.filter(pl.col("admitted") | typical)
    tested = sum(family in surprising for family in TESTED)
    own, pooled = _extraction_bits(tests.filter(pl.col("supports") == "extraction"), config)
    rivals = inputs["cluster_alternatives"].filter(pl.col("cluster") == cluster)
    name, margin = _best_alternative(rivals)
    p_value, q_value = q_values.get(cluster, (None, None))
    coordination = round(float(rows["bits"].median() or 0.0), 6)  # type: ignore[arg-type]  # polars types median as any
    shown = own >= config.verdict.min_extraction_bits and _enough_output(inputs["boilerplate"], people.keys[positions], config)
    is_pooled = not shown and pooled >= config.verdict.min_extraction_bits
    gate = bool(families.filter(pl.col("family").is_in(GATE_FAMILIES))["admitted"].any())
    return Facts(
        str(rows["origin"][0]), strong.height + tested, gate, p_value, q_value, max(own, pooled), shown or is_pooled, is_pooled, coordination, name, margin, _unchecked(rivals)
    )


def _extraction_bits(tests: pl.DataFrame, config: Config) -> tuple[float, float]:
    """Bits of extraction in the members' own wording and in the wording they have in common; each p counts times the tests that ran. In: rows of extraction tests that ran."""
    large = tests.filter(pl.col("statistic") >= config.verdict.min_harvest_share)
    bits = {test: round(tail_bits(min(1.0, p_value * tests.height)), 6) for test, p_value in large.select("test", "p_value").iter_rows()}
    return bits.get("harvest_share", 0.0), bits.get("pooled_harvest_share", 0.0)


def _best_alternative(rows: pl.DataFrame) -> tuple[str, float]:
    """The alternative that applies and leaves least unexplained: one customer before all others, then one that accounts for links and answers before one that accounts for links
    alone, so that no further explanation makes a verdict harsher; chance alone (`none`) if none applies.
    """
    customer, settles = pl.col("alternative").is_in(ONE_CUSTOMER), pl.col("alternative").is_in(EXPLAINS_ANSWERS) & (pl.col("margin_bits") <= 0)
    order = ("applies", customer, settles, "margin_bits", "alternative")
    fitting = rows.filter(pl.col("applies") | (pl.col("alternative") == NOTHING)).sort(*order, descending=[True, True, True, False, False])
    return (str(fitting["alternative"][0]), float(fitting["margin_bits"][0])) if fitting.height else (NOTHING, 0.0)


def _unchecked(rows: pl.DataFrame) -> str:
    """Of the alternatives that the log cannot rule out and that would save the members, the one that leaves least unexplained, one customer before all others; or nothing."""
    customer = pl.col("alternative").is_in(ONE_CUSTOMER)
    saves = customer | pl.col("alternative").is_in(EXPLAINS_ANSWERS) | (pl.col("margin_bits") <= 0)
    left = rows.filter(pl.col("is_unchecked").fill_null(value=False) & saves).sort(customer, "margin_bits", "alternative", descending=[True, False, False])
    return str(left["alternative"][0]) if left.height else ""


def _enough_output(boilerplate: pl.DataFrame, keys: Ints, config: Config) -> bool:
    """Whether enough templated prompts were sampled and their median answer is long in absolute terms."""
    output = boilerplate.filter(pl.col("account_key").is_in(keys.tolist()))["output_tokens"]
    return len(output) >= config.verdict.min_boilerplate_documents and float(np.median(output.to_numpy())) >= config.verdict.min_output_tokens


def tier_of(facts: Facts, config: Config) -> tuple[str, str]:
    """The tier and its reason; the rule of this module's head."""
    if facts.origin == "small":
        return "watch", "small_group"
    if facts.alternative == "vouched_organisation" or facts.origin == "vouched":
        return ("watch", "vouched_extraction") if facts.extraction else ("explained", "vouched_organisation")
    if facts.alternative == "self_serve_team" and facts.extraction:
        return "watch", "one_customer_extraction"
    if facts.alternative != NOTHING and facts.margin_bits <= 0:
        unexplained = facts.extraction and facts.alternative not in EXPLAINS_ANSWERS
        return ("watch", "alternative_with_extraction") if unexplained else ("explained", facts.alternative)
    missing = (
        (facts.origin == "one_fact", "one_family"),
        (not facts.gate, "no_specific_fact"),
        (not facts.extraction, "no_extraction"),
        (facts.established < 2, "one_family"),
        (facts.q_value is None or facts.q_value > config.verdict.max_q_value, "not_significant"),
        (facts.unchecked != "", f"unchecked_{facts.unchecked}"),
    )
    reason = next((reason for lacks, reason in missing if lacks), "")
    return ("watch", reason) if reason else ("refer", "specific_fact_and_extraction")


def _provisional(people: Population, positions: Ints) -> str:
    """A name that depends on the members alone; lineage replaces it by the network's lasting id."""
    text = "\n".join(sorted(people.ids[position] for position in positions))
    return "P-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _attribution(tier: str, facts: Facts) -> str:
    """How far the logs carry: no one's control is inferred (L1) where an innocent explanation accounts for the links, or would if the log did not lack its column."""
    explained = facts.alternative != NOTHING and facts.margin_bits <= 0
    return "L3" if tier == "refer" else "L1" if facts.gate and not explained and not facts.unchecked else "L0"


def _network_row(name: str, tier: str, reason: str, facts: Facts, positions: Ints, people: Population, inputs: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    features = inputs["features"].filter(pl.col("account_key").is_in(people.keys[positions].tolist()))
    return {
        "network_id": name,
        "flagged": tier == "refer",
        "tier": tier,
        "account_count": len(positions),
        "entity_count": len(np.unique(people.entity[positions])),
        "request_count": int(features["request_count"].sum()),
        "first_seen_at": features["first_us"].min(),
        "last_seen_at": features["last_us"].max(),
        "coordination_bits": facts.coordination_bits,
        "extraction_bits": facts.extraction_bits,
        "q_value": facts.q_value,
        "p_value": facts.p_value,
        "best_alternative": facts.alternative,
        "alternative_margin_bits": facts.margin_bits,
        "attribution_level": _attribution(tier, facts),
        "core_count": 0,
        "reason": reason,
    }


def _named(name: str, rows: pl.DataFrame, pooled: pl.DataFrame) -> pl.DataFrame:
    """The members who may be named, how strongly one of them typically belongs, and what each sends of what they have in common where extraction shows in that."""
    typical = max(float(rows["bits"].median() or 0.0), 1e-9)  # type: ignore[arg-type]  # polars types median as any
    return rows.select("cluster", "account_key", "bits", pl.lit(name).alias("network_id"), pl.lit(typical).alias("typical")).join(
        pooled.select("account_key", "harvest_share"), on="account_key", how="left", maintain_order="left"
    )


def _member_rows(rows: pl.DataFrame, views: AccountViews, people: Population, links: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Rows of `members` for the named ones of all networks."""
    positions = people.positions(rows["account_key"])
    inside = between(links, rows)
    strong = pl.when(pl.col("bits") >= config.networks.core_share * pl.col("typical")).then(pl.lit("core")).otherwise(pl.lit("fringe"))
    role = pl.when(pl.Series(_bridging(rows["account_key"], inside))).then(pl.lit("bridge")).otherwise(strong)
    table = rows.with_columns(
        pl.Series("account_id", [people.ids[position] for position in positions]),
        pl.Series("request_count", views.requests[positions].astype(np.int64)),
        pl.coalesce("harvest_share", pl.Series(np.round(views.harvest_share[positions], 6))).alias("extraction_score"),
        (pl.col("bits") / pl.col("typical")).clip(0.0, 1.0).round(6).alias("membership"),
        role.alias("role"),
    )
    other = table.select(pl.col("account_key").alias("other"), pl.col("account_id").alias("strongest_account_id"))
    return table.join(_strongest(inside), on="account_key", how="left").join(other, on="other", how="left")


def _bridging(keys: pl.Series, inside: pl.DataFrame) -> NDArray[np.bool_]:
    """Members whose links hold parts of their network together: without one of them two parts of two members or more would have no link in common. In: links inside networks."""
    place = {key: number for number, key in enumerate(keys)}
    pairs = inside.select("account_a", "account_b").unique(maintain_order=True)
    a, b = (pairs[name].replace_strict(place, return_dtype=pl.Int64).to_numpy() for name in ("account_a", "account_b"))
    return bridges(len(keys), a, b)


def _strongest(inside: pl.DataFrame) -> pl.DataFrame:
    """Each member's strongest fellow: other, bits, and the kind with most bits between them. In: links between members of one network each."""
    both = pl.concat([inside.select(pl.col(a).alias("account_key"), pl.col(b).alias("other"), "kind", "bits") for a, b in (("account_a", "account_b"), ("account_b", "account_a"))])
    pairs = both.sort("account_key", "other", "bits", "kind", descending=[False, False, True, False]).group_by("account_key", "other", maintain_order=True)
    best = pairs.agg(pl.col("bits").sum().round(6).alias("strongest_bits"), pl.col("kind").first().alias("strongest_kind"))
    return best.sort("account_key", "strongest_bits", "other", descending=[False, True, False]).unique("account_key", keep="first", maintain_order=True)


def _with_core(networks: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    core = members.filter(pl.col("role") == "core").group_by("network_id").agg(pl.len().cast(pl.Int64).alias("core"))
    return networks.join(core, on="network_id", how="left").with_columns(pl.col("core").fill_null(0).alias("core_count")).drop("core").sort("network_id")
