"""Stage 75: one row an account of the window with everything that is known of it: features, network, extraction score."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.config import Config
from pipeline.schema import ACCOUNTS
from pipeline.stages.evidence_views import account_views
from pipeline.stages.frames import conform
from pipeline.stages.population import population


def accounts(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Accounts with a request in the window.

    Reads features, members, and what population and account_views read. Out: `extraction_score` by the rule that gives a member
    its own (0..1, rounded to 1e-6). Empty: an empty table.
    """
    people = population(inputs)
    scores = pl.DataFrame({"account_key": people.keys, "extraction_score": account_views(inputs, people, config).harvest_share}).with_columns(pl.col("extraction_score").round(6))
    ids = inputs["account_records"].select("account_key", "account_id").join(scores, on="account_key")
    networks = inputs["members"].select("account_id", "network_id")
    return {"accounts": conform(inputs["features"].join(ids, on="account_key").join(networks, on="account_id", how="left"), ACCOUNTS)}
