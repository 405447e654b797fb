"""How the templated prompts of a network are sent: asked once or in conversation, at all hours or by day, in one form or in many.

Bulk collection looks like that, and so does the automation of the innocent: scripts, batch companies and evaluations ask once, around the clock, in one form. So these
tests describe. They support kinds.DESCRIBES and answer no question, no verdict reads them, and no p-value of another test is multiplied for them.
Only templated prompts are looked at, of the half that formed nothing (boilerplate): whatever else an account carries would hide their shape. Accounts are compared
with others that send templated prompts, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.kinds import SHAPES
from pipeline.measures.evenness import evenness
from pipeline.measures.null_groups import FIRST, NullGroups, null_of
from pipeline.stages.pooled_wording import ASKED_ONCE
from pipeline.stages.population import Population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FEW_TEMPLATED = 8
"""Templated prompts of the half that formed nothing below which an account has no shape: as few as an accusation needs."""
DESCRIBED_GROUPS = FIRST
"""Random groups of a description: p-values down to 0.0033 say what chance gives, and nothing hangs on smaller ones."""
SENDERS = "random groups of accounts of the same volume that send templated prompts, outside every cluster"


@dataclass(frozen=True)
class TrafficShape:
    """One entry an account, in the order of the population, of its templated prompts that formed nothing."""

    document_count: Ints
    """how many were sampled"""
    is_counted: bool
    """whether the log counts the messages of any of them"""
    values: Mapping[str, Floats]
    """by name of SHAPES, 0 where nothing is known"""

    @property
    def has_shape(self) -> NDArray[np.bool_]:
        """Accounts of which enough was sampled."""
        return self.document_count >= FEW_TEMPLATED


def traffic_shape(inputs: Mapping[str, pl.DataFrame], people: Population) -> TrafficShape:
    """Reads boilerplate and habits. Empty: no account has a shape."""
    documents = inputs["boilerplate"].sort("account_key", "prompt_key")
    holder, size = people.positions(documents["account_key"]), len(people.keys)
    count = np.bincount(holder, minlength=size)
    once = (documents["max_message_count"] <= ASKED_ONCE).fill_null(value=False).to_numpy()
    values = {
        "asked_once": np.bincount(holder[once], minlength=size) / np.maximum(count, 1),
        "round_the_clock": evenness(holder, documents["first_us"].fill_null(0).to_numpy(), size),
        "one_form": np.minimum(_of_one_form(inputs["habits"], people) / np.maximum(count, 1), 1.0),
    }
    counted = documents["max_message_count"].null_count() < documents.height
    return TrafficShape(count.astype(np.int64), counted, {name: np.round(column, 6) for name, column in values.items()})


def _of_one_form(habits: pl.DataFrame, people: Population) -> Floats:
    """Sampled prompts of half 1 that carry the account's most frequent recurring 4-gram of half 0 (the smallest of equals), so that what is counted did not choose itself."""
    learned = habits.filter(pl.col("half") == 0).sort("account_key", "shingle").group_by("account_key", maintain_order=True)
    form = learned.agg(pl.col("shingle").get(pl.col("document_count").arg_max()))
    held = habits.filter(pl.col("half") == 1).join(form, on=["account_key", "shingle"], how="semi").sort("account_key")
    counts = np.zeros(len(people.keys))
    counts[people.positions(held["account_key"])] = held["document_count"].to_numpy()
    return counts


@dataclass(frozen=True)
class Described:
    """One test of one network."""

    test: str
    observed: float
    unit: str
    null: Floats
    """the same of random groups"""
    sample: int
    """templated prompts behind it"""


def describe(shape: TrafficShape, members: Ints, groups: NullGroups | None) -> list[Described]:
    """The median member against the median of random groups, all members and accounts with a shape. None: nothing is described, as without message counts nothing is asked once."""
    if groups is None:
        return []
    sample, found = int(shape.document_count[members].sum()), []
    for test, unit in SHAPES.items():
        if test == "asked_once" and not shape.is_counted:
            continue
        observed = round(float(np.median(shape.values[test][members])), 6)
        found.append(Described(test, observed, unit, null_of(observed, groups, partial(_medians, shape.values[test])), sample))
    return found


def _medians(column: Floats, groups: Ints) -> Floats:
    medians: Floats = np.median(column[groups], axis=1)
    return medians
