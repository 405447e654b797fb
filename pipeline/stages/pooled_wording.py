"""Extraction seen in what the members of a network have in common: for operators who word each request afresh.

An account that never repeats itself has no recurring wording of its own, but the accounts of one operator repeat each other. Wording that a quarter of the members use (three
at least), in a hundredth of all their even prompts, is looked for in their odd ones. A prompt counts if it drew a long answer and no conversation went before it: people whose
conversations are dealt over several accounts have wording in common, too, but they converse. A text that three accounts send word for word neither teaches nor counts: it is an
exercise or a benchmark, not worded afresh. Random groups of accounts of the same volume outside every network are measured
alike: idioms that anybody uses are theirs as well. Only networks that a gate family admits are measured, and only where the members' own wording does not show extraction already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.measures.null_groups import NullGroups, null_of
from pipeline.measures.pooled import HOLDERS, Common, PooledWording, Texts
from pipeline.stages.frames import conform
from pipeline.stages.population import Population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ASKED_ONCE = 2
"""Messages of a request that goes on from nothing, at most: a system prompt and the question. Where messages are not counted, nothing is known to be asked once."""


@dataclass(frozen=True)
class PoolTexts:
    """The prompts that may be asked for common wording, and an index over them."""

    documents: pl.DataFrame
    """pool_documents, one row a document, in order"""
    place: Ints
    """by position in the population: the account's number in the index, or -1"""
    index: PooledWording


def pool_texts(inputs: Mapping[str, pl.DataFrame], people: Population, config: Config) -> PoolTexts:
    """Reads pool_documents and pool_wording. Empty: an index of nothing."""
    documents = inputs["pool_documents"].sort("account_key", "prompt_key").with_row_index("document")
    accounts = documents["account_key"].unique().sort()
    place = np.full(len(people.keys), -1, dtype=np.int64)
    place[people.positions(accounts)] = np.arange(len(accounts))
    copied = documents["prompt_key"].is_in(documents.group_by("prompt_key").len().filter(pl.col("len") >= HOLDERS)["prompt_key"].implode())
    document, wording = _entries(inputs["pool_wording"], documents.filter(~copied))
    owner = place[people.positions(documents["account_key"])]
    harvest = ~copied & (documents["output_tokens"] >= config.verdict.min_output_tokens) & (documents["max_message_count"] <= ASKED_ONCE).fill_null(value=False)
    texts = Texts(len(accounts), owner, (documents["prompt_key"] % 2 == 0).to_numpy(), harvest.to_numpy(), document, wording)
    return PoolTexts(documents, place, PooledWording(texts, config.links.template_min_shingles, config.verdict.pool_habit_min_share))


def _entries(held: pl.DataFrame, documents: pl.DataFrame) -> tuple[Ints, Ints]:
    """Number of the document and wording of each row of pool_wording whose prompt is among the documents, by document. Rows of a prompt follow each other: one look-up for all."""
    account, prompt, wording = (held[name].to_numpy() for name in ("account_key", "prompt_key", "shingle"))
    changes = (account[1:] != account[:-1]) | (prompt[1:] != prompt[:-1])
    heads = np.flatnonzero(np.concatenate([np.ones(min(1, len(account)), np.bool_), changes]))
    asked = pl.DataFrame({"account_key": account[heads], "prompt_key": prompt[heads]})
    named = asked.join(documents.select("account_key", "prompt_key", "document"), on=["account_key", "prompt_key"], how="left", maintain_order="left")
    document = np.repeat(named["document"].cast(pl.Int64).fill_null(-1).to_numpy(), np.diff(heads, append=len(account)))
    kept = np.flatnonzero(document >= 0)
    if (document[kept][1:] < document[kept][:-1]).any():  # the file is sorted; a frame need not be
        kept = kept[np.argsort(document[kept], kind="stable")]
    return document[kept], wording[kept]


@dataclass(frozen=True)
class Pooled:
    """What one network's members have in common, and random groups of others have."""

    members: Ints
    """positions of those whose prompts are at hand, ascending"""
    common: Common
    null: Floats
    """the median member's share in each random group; empty if too few accounts to draw from"""

    @property
    def share(self) -> float:
        """Of the median member: prompts that carry common wording, go on from nothing and drew a long answer, 0..1."""
        return round(float(np.median(self.common.shares)), 6) if len(self.members) else 0.0


def pooled(pool: PoolTexts, members: Ints, groups: NullGroups | None, least: int) -> Pooled:
    """Measure a network's members (positions); and random groups, if there are any and `least` prompts at least carry what the members have in common."""
    present = members[pool.place[members] >= 0]
    found = Pooled(present, pool.index.common(pool.place[present]), np.zeros(0))
    if groups is None or len(found.common.documents) < least:
        return found
    return replace(found, null=null_of(found.share, groups, lambda asked: pool.index.median_shares(pool.place[asked])))


def member_rows(pool: PoolTexts, cluster: int, found: Pooled, people: Population) -> pl.DataFrame:
    """Rows of pooled_members: what each member sends of the common wording, and how like the others' its mix is."""
    keys, likeness = people.keys[found.members], pool.index.likeness(pool.place[found.members], found.common)
    rows = {"cluster": [cluster] * len(keys), "account_key": keys, "harvest_share": np.round(found.common.shares, 6), "likeness": likeness}
    return conform(pl.DataFrame(rows), schema.POOLED_MEMBERS)


def template_rows(pool: PoolTexts, cluster: int, found: Pooled) -> pl.DataFrame:
    """Rows of pooled_templates: the prompts that carry the common wording."""
    carriers = pool.documents[found.common.documents.tolist()]
    return conform(carriers.with_columns(pl.lit(cluster).alias("cluster"), pl.Series("habit_count", found.common.carried)), schema.POOLED_TEMPLATES)
