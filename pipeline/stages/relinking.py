"""Pieces of one operator put together again: groups that share a card, device, mailbox or telephone and write in a network's own wording.

An operator who gives each handful of accounts a card and a client of its own leaves handfuls that no second family joins. Wording alone joins nobody: a handful comes to a
network only if a specific fact holds it together, its members write with most of what most of the network writes with, and few others in the whole log do.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.stages.population import Population, median_bits

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PHRASE = 8
"""Word 4-grams that make a wording a network's own: eight adjacent ones are eleven words in a row."""
HALF = 0.5


def with_handfuls(found: list[tuple[Ints, Floats]], handfuls: list[Ints], values: pl.DataFrame, people: Population, config: Config) -> list[tuple[Ints, Floats]]:
    """Networks with the handfuls that belong to them. In: members (sorted positions) and bits of each network, positions of each group that a fact joins, shared_values.

    What joins last is weighed by the wording alone. The order of networks and of handfuls decides between two that fit; nothing given, nothing found.
    """
    wording = values.filter(pl.col("kind") == "template").select("account_key", "value_key")
    taken = np.concatenate([np.empty(0, dtype=np.int64), *(members for members, _ in found)])
    free = [handful[~np.isin(handful, taken)] for handful in handfuls]
    made = []
    for members, bits in found:
        writers = _writers(wording, members, people, config) if _is_made_of(handfuls, members) else np.empty(0, dtype=np.int64)
        joined = [handful[np.isin(handful, writers)] for handful in free]
        recruits = np.concatenate([np.empty(0, dtype=np.int64), *(handful for handful in joined if len(handful) >= 2)])
        free = [handful[~np.isin(handful, recruits)] for handful in free]
        order = np.argsort(everyone := np.concatenate([members, recruits]))
        weight = np.round(median_bits(people, recruits, members, config.networks.seed), 6) if len(recruits) else np.empty(0)
        made.append((everyone[order], np.concatenate([bits, weight])[order]))
    return made


def _is_made_of(handfuls: list[Ints], members: Ints) -> bool:
    """Whether at least half of a network shares facts with other members already: handfuls that came in must not be what opens the gate."""
    inside = [np.isin(handful, members).sum() for handful in handfuls]
    return sum(int(count) for count in inside if count >= 2) >= HALF * len(members)


def _writers(wording: pl.DataFrame, members: Ints, people: Population, config: Config) -> Ints:
    """Accounts outside a network that write with at least half of what at least half of it writes with; none if that is little, or if too many do."""
    keys = pl.DataFrame({"account_key": people.keys[members]})
    common = wording.join(keys, on="account_key", how="semi").group_by("value_key").len("holders").filter(pl.col("holders") >= HALF * len(members))
    if common.height < PHRASE:
        return np.empty(0, dtype=np.int64)
    held = wording.join(keys, on="account_key", how="anti").join(common, on="value_key", how="semi").group_by("account_key").len("held")
    writers = np.sort(people.positions(held.filter(pl.col("held") >= HALF * common.height)["account_key"]))
    inside, outside = len(np.unique(people.entity[members])), len(np.unique(people.entity[writers]))
    is_own = inside >= config.verdict.gate_in_share * (inside + outside) and outside <= config.verdict.gate_max_outside_share * people.entity_total
    return writers if is_own else np.empty(0, dtype=np.int64)
