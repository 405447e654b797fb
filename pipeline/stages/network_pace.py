"""Stage 74: how fast the conversations of a network go on, beside those of its matched controls.

Conversations that were stored and are sent again go on as soon as an answer is there, or sooner; people read and write in between. So do not agents that work without tools, tests
that replay a product's own chats, and programs that ask step by step: the innocent who do so share gateways, addresses and clients as operators do, and nothing that a request
keeps tells them apart (measured: README, decisions). So the table describes: no verdict reads it, and it has no p-value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.measures.cluster_shares import share_interval
from pipeline.stages.frames import conform

SIDES = ("members", "controls")


def network_pace(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Reads turn_paces. Out: network_pace, a row for each network and side with a later turn. Empty: an empty table."""
    sides = inputs["turn_paces"].sort("network_id", "side", "account_key").group_by("network_id", "side", maintain_order=True)
    rows = [_row(str(network), str(side), accounts) for (network, side), accounts in sides]
    return {"network_pace": conform(pl.DataFrame(rows, infer_schema_length=None), schema.NETWORK_PACE)}


def _row(network: str, side: str, accounts: pl.DataFrame) -> dict[str, object]:
    """The share of all their later turns that came at once, with an interval that counts accounts. In: rows of one side, one an account, none without a later turn."""
    turns, at_once = (accounts[name].to_numpy().astype(np.float64) for name in ("later_turn_count", "at_once_count"))
    low, high = share_interval(at_once, turns, int(turns.sum()))
    return {
        "network_id": network,
        "side": side,
        "share": round(float(at_once.sum() / turns.sum()), 6),
        "low_share": round(low, 6),
        "high_share": round(high, 6),
        "at_once_count": int(at_once.sum()),
        "later_turn_count": int(turns.sum()),
        "account_count": accounts.height,
    }
