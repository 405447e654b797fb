"""What becomes of a network without some families of evidence, or with another edge: the answer's record, and the answers that a run has given already.

Stage 67 judges each referred network again without each family. Asked for one of these, the run's own table answers at once; whatever else is asked
(two families, another edge, a network that is not referred, the whole log grouped again) is computed by `rejudging`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import recorded_config
from pipeline.evidence.finished import FinishedRun
from pipeline.history.recall import entity_total


@dataclass(frozen=True)
class Standing:
    """What a group of accounts amounts to."""

    account_count: int
    coordination_bits: float | None
    """median over members of their median bits to others; null if no group of five is left"""
    q_value: float | None
    best_alternative: str
    alternative_margin_bits: float
    tier: str
    reason: str


@dataclass(frozen=True)
class Piece:
    """A group that the whole log gives and that holds members of the network."""

    account_count: int
    """accounts in it"""
    held_count: int
    """members of the network among them"""
    coordination_bits: float
    origin: str
    """network (by links), small, one_fact or vouched, as in the table of clusters"""


@dataclass(frozen=True)
class WholeLog:
    """Where the members are when the whole log is grouped again."""

    pieces: tuple[Piece, ...]
    """groups that hold two members or more, most members first"""
    lost: tuple[str, ...]
    """members that are not in the first of these groups"""
    gained: tuple[str, ...]
    """accounts of that group that were not in the network's cluster"""
    unnamed_count: int
    """accounts of the network's cluster that the run does not name as members, because too little speaks against each; they are neither lost nor gained"""


@dataclass(frozen=True)
class WhatIf:
    """A network as the run has it and as it would be."""

    network_id: str
    without: tuple[str, ...]
    run_threshold_bits: float
    threshold_bits: float
    before: Standing
    again: Standing | None
    """what the members amount to with nothing struck out or moved: put together again, the run's own group may come out smaller, with other bits; null if the run answered"""
    after: Standing
    """what the members amount to: the largest group of them that holds together"""
    member_pieces: int
    """networks that the members alone fall into"""
    whole_log: WholeLog | None
    """null if it was not asked for, and if the run answered, which asked only what the members amount to"""


def answered(run: FinishedRun, network: Mapping[str, Any], family: str) -> WhatIf | None:
    """What the run says of a network (a row of `networks`) without one family; None if it was not asked, because the network is not referred or the family none of its."""
    name = str(network["network_id"])
    if not run.holds("network_ablations"):
        return None
    rows = run.where("network_ablations", network_id=name, family=family)
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    edge = _edge_bits(run, name)
    return WhatIf(name, (family,), edge, edge, standing(network), None, standing(row | {"account_count": row["held_count"]}), int(row["piece_count"]), None)


def standing(row: Mapping[str, Any]) -> Standing:
    """Of a row with the columns of that name."""
    return Standing(**{field.name: row[field.name] for field in dataclasses.fields(Standing)})


def _edge_bits(run: FinishedRun, name: str) -> float:
    """Bits from which a pair is linked, of the run: log2 of the number of entities, read back from a shared value's rarity, and the margin of its settings."""
    members = run.where("members", network_id=name)["account_id"].to_list()
    keys = run.among("accounts", {"account_id": members})["account_key"].to_list()
    margin = recorded_config(run.manifest()["config"], str(run.folder / "run.json")).networks.edge_margin_bits
    return round(math.log2(max(2, entity_total(run.among("shared_values", {"account_key": keys})))) + margin, 6)
