"""The kinds of evidence a link may have: one table that SQL, verdicts and pages read.

What a kind can prove is its class (design: likeness is not control). `specific` is a rare fact that two strangers would not
share; `operational` is a mechanism that couples accounts; `likeness` is doing similar things, and never carries an
accusation however many bits it has. Caps and shares come from the configuration; everything else is fixed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.config import LinkConfig

FAMILIES = ("identity", "infrastructure", "settings", "client", "handoff", "duplicates", "templates")
"""Families of shared values: they form networks, and a network's bits and the families it is judged by are theirs."""
LIKENESS_FAMILIES = ("topic", "behaviour", "synchrony")
"""Families of pairs that are alike without sharing a value: they explain links and networks, and form, join, admit and judge none. Each has one kind of its name."""
LINK_FAMILIES = (*FAMILIES, *LIKENESS_FAMILIES)
"""Families that a row of links.parquet can have."""
CLASS_OF_FAMILY = {
    "identity": "specific",
    "infrastructure": "specific",
    "settings": "likeness",
    "client": "specific",
    "handoff": "operational",
    "duplicates": "likeness",
    "templates": "likeness",
    "topic": "likeness",
    "behaviour": "likeness",
    "synchrony": "likeness",
}

GATE_FAMILIES = ("identity", "handoff", "client")
"""The verdict (stage 65) refers a network only if one of these covers it; what another family covers adds weight."""


DESCRIBES = "extraction_description"
"""What a test supports (cluster_tests) that only describes how templated prompts are sent: the automation of the innocent looks the same, so no verdict reads it."""
SHAPES = {"asked_once": "share", "round_the_clock": "of 1", "one_form": "share"}
"""These tests, each with its unit (stages/traffic_shape)."""
OPERATIONAL = {"disjoint_work": "worklist", "repeated_work": "worklist", "release_pivot": "pivot", "ban_succession": "succession", "even_load": "balance"}
"""The family of each test of stages/operational: they are shown and counted in nothing."""


LARGEST_GROUP_SHARE = 0.5
"""What a larger share of all entities holds is the rule and marks no group (34_wide_values)."""


@dataclass(frozen=True)
class Kind:
    """One kind of shared value."""

    kind: str
    family: str
    cap_bits: float
    """Most bits that one pair may get from this kind."""
    max_df_share: float
    """Values held by more than this share of all entities say nothing about control and are dropped."""
    min_support: int
    """Shared values below which a pair gets nothing (word 4-grams overlap, so one template shows as several)."""
    is_gate: bool
    """Whether coverage of this kind may admit a network to an accusation."""


def kinds(config: LinkConfig) -> tuple[Kind, ...]:
    """Every kind with its limits, in the order of families."""
    hub, wide = config.identity_max_df_share, config.content_max_df_share
    return (
        Kind("payment", "identity", config.identity_cap_bits, hub, 1, True),
        Kind("device", "identity", config.device_cap_bits, hub, 1, True),
        Kind("email", "identity", config.identity_cap_bits, hub, 1, True),
        Kind("phone", "identity", config.identity_cap_bits, hub, 1, True),
        Kind("organization", "identity", config.device_cap_bits, hub, 1, False),
        Kind("signup_ip", "identity", config.signup_ip_cap_bits, config.signup_ip_max_df_share, 1, False),
        Kind("mail_domain", "identity", config.mail_domain_cap_bits, config.mail_domain_max_df_share, 1, False),
        Kind("cohort", "identity", config.cohort_cap_bits, config.mail_domain_max_df_share, 1, False),
        Kind("ip", "infrastructure", config.infrastructure_cap_bits, config.ip_max_df_share, 1, True),
        Kind("ip_prefix", "infrastructure", config.prefix_cap_bits, config.ip_max_df_share, 2, False),
        Kind("stack", "settings", config.stack_cap_bits, config.stack_max_df_share, 1, False),
        Kind("settings", "settings", config.settings_cap_bits, wide, 1, False),
        Kind("headers", "settings", config.settings_cap_bits, config.stack_max_df_share, 1, False),
        Kind("rewritten_client", "client", config.rewritten_client_cap_bits, config.stack_max_df_share, 1, True),
        Kind("handoff", "handoff", config.handoff_cap_bits, config.duplicates_max_df_share, 1, True),
        Kind("fanout", "handoff", config.handoff_cap_bits, config.duplicates_max_df_share, 1, True),
        Kind("prompt", "duplicates", config.duplicates_cap_bits, config.duplicates_max_df_share, 1, False),
        Kind("skeleton", "templates", config.templates_cap_bits, wide, 1, False),
        Kind("template", "templates", config.templates_cap_bits, wide, config.template_min_shingles, False),
        Kind("system", "templates", config.system_cap_bits, config.duplicates_max_df_share, 1, False),
    )


def family_caps(config: LinkConfig) -> dict[str, float]:
    """Most bits that one pair may get from a family."""
    return {
        "identity": config.identity_cap_bits,
        "infrastructure": config.infrastructure_cap_bits,
        "settings": config.settings_family_cap_bits,
        "client": config.rewritten_client_cap_bits,
        "handoff": config.handoff_cap_bits,
        "duplicates": config.duplicates_cap_bits,
        "templates": config.templates_cap_bits,
    }


def likeness_caps(config: LinkConfig) -> dict[str, float]:
    """Most bits that one pair may get from a family of likeness; 0: the family is off."""
    return {"topic": config.topic_cap_bits, "behaviour": config.behaviour_cap_bits, "synchrony": config.synchrony_cap_bits}


def kind_table(config: LinkConfig) -> pl.DataFrame:
    """The kinds as the table that the link SQL joins: kind, family, cap_micro_bits, family_cap_micro_bits, max_df_share, min_support."""
    caps = family_caps(config)
    rows = [(k.kind, k.family, round(k.cap_bits * 1e6), round(caps[k.family] * 1e6), k.max_df_share, k.min_support) for k in kinds(config)]
    schema = {"kind": pl.String, "family": pl.String, "cap_micro_bits": pl.Int64, "family_cap_micro_bits": pl.Int64, "max_df_share": pl.Float64, "min_support": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
