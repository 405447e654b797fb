"""Who of a referred network may be named: every row under such a network is an accusation, so each member's own traffic must bear it out.

A member's traffic is its own recurring wording, or, where extraction shows only in what the members have in common, its share of that (pooled_wording).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.groups import SparseRows, likeness_to_rest
from pipeline.stages.coupling import COUPLINGS, PARTNERS, REWRITTEN, handed_on
from pipeline.stages.evidence_views import AccountViews
from pipeline.stages.findings import GATE_MEASURES
from pipeline.stages.population import Population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FEW_DOCUMENTS = 8
"""Held-out prompts below which an account's own traffic cannot be judged."""


@dataclass(frozen=True)
class Traffic:
    """What each member of one cluster sent, one entry a member."""

    document_count: Floats
    """sampled prompts kept out of clustering"""
    harvest_share: Floats
    """0..1, how many of them are harvest-shaped"""
    likeness: Floats
    """0..1, cosine of its mix of wording to the other members'"""


def traffic_of(rows: pl.DataFrame, positions: Ints, views: AccountViews, wording: SparseRows, pooled: pl.DataFrame | None) -> Traffic:
    """Traffic of the members (rows of one cluster, and their positions). In: the mixes of their own wording, or rows of pooled_members where what they have in common counts."""
    documents = views.document_count[positions]
    if pooled is None:
        return Traffic(documents, views.harvest_share[positions], likeness_to_rest(wording, positions))
    table = rows.select("cluster", "account_key").join(pooled, on=["cluster", "account_key"], how="left", maintain_order="left").fill_null(0.0)
    return Traffic(documents, table["harvest_share"].to_numpy(), table["likeness"].to_numpy())


def accusable(rows: pl.DataFrame, positions: Ints, traffic: Traffic, inputs: Mapping[str, pl.DataFrame], people: Population, config: Config) -> NDArray[np.bool_]:
    """Members who may be named: their held-out traffic is harvest-shaped, and its mix of wording is the network's, not only one phrase of a corpus that all use.

    An account that sent too little to tell is kept if it holds a specific fact that the network shares, other than a client, which a box between strangers and the service shows
    as well. One that is coupled to at least two other members is kept whatever else it carries: strangers' traffic is resold over it.
    """
    score, likeness = traffic.harvest_share, traffic.likeness
    one_pool = (likeness >= config.verdict.min_mix_share * float(np.median(likeness))) & (score > 0) & (score >= float(np.median(score)) / 4)
    facts = inputs["cluster_values"].filter((pl.col("cluster") == rows["cluster"][0]) & pl.col("qualifies") & pl.col("kind").is_in(GATE_MEASURES))
    holders = inputs["shared_values"].join(facts.filter(pl.col("kind") != REWRITTEN), on=["kind", "value_key"], how="semi")["account_key"].unique()
    silent = (traffic.document_count < FEW_DOCUMENTS) & rows["account_key"].is_in(holders.implode()).to_numpy()
    coupled = inputs["shared_values"].join(facts.filter(pl.col("kind").is_in(COUPLINGS)), on=["kind", "value_key"], how="semi").join(rows, on="account_key", how="semi")
    a, b = handed_on(coupled, people)
    partners = np.bincount(np.concatenate([a, b]), minlength=len(people.keys))[positions]
    named: NDArray[np.bool_] = one_pool | silent | (partners >= PARTNERS)
    return named
