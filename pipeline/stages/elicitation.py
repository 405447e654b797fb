"""Stage 72: how much of a network's prompts ask that the reasoning behind an answer be written out, beside its matched controls. It describes and decides nothing.

Words of elicitation.toml vote as those of capabilities.toml do (see stages.capabilities): a strong word two, a plain one one, and three votes make a prompt ask. Ordinary users ask
for explanations, too, so the share is given of the controls as well; intervals count accounts, and the guess's own mistakes are not in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.measures.cluster_shares import share_intervals
from pipeline.stages.capabilities import REST, lexicon, word_votes
from pipeline.stages.frames import conform

ELICITATION_FILE = Path(__file__).parents[1] / "elicitation.toml"
LEAST_VOTES = 3.0
"""One plain word is everybody's, two are any explanation's."""
CONTROLS = "controls"
_COLUMNS = ("network_id", "account_key", "request_count", "tokens")


def asks_for_reasoning(tokens: pl.Series) -> pl.Series:
    """Whether each prompt asks for its reasoning. In: lists of ascending word hashes. Out: booleans. Empty: empty."""
    return pl.Series("asks", word_votes(tokens, lexicon(ELICITATION_FILE))[:, 0] >= LEAST_VOTES, dtype=pl.Boolean)


def elicitation(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Reads network_prompts and control_prompts. Out: network_elicitation, a row for each network and part with a sampled prompt. Empty: an empty table."""
    parts = [_shares(prompts).with_columns(pl.lit(part).alias("part")) for part, prompts in _parts(inputs)]
    return {"network_elicitation": conform(pl.concat(parts), schema.NETWORK_ELICITATION)}


def _parts(inputs: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each part and its prompts. Only a network some of whose prompts are worded has the parts operator and carried."""
    sent = inputs["network_prompts"].filter((pl.col("prompt_key") != REST) & (pl.col("tokens").list.len() > 0))
    told = sent.filter(pl.col("is_worded").is_not_null() & pl.col("is_worded").any().over("network_id"))
    yield "all", sent.select(_COLUMNS)
    yield "operator", told.filter("is_worded").select(_COLUMNS)
    yield "carried", told.filter(~pl.col("is_worded")).select(_COLUMNS)
    yield CONTROLS, inputs["control_prompts"].filter(pl.col("tokens").list.len() > 0).select(_COLUMNS)


def _shares(prompts: pl.DataFrame) -> pl.DataFrame:
    """The rows of one part. Requests are whole numbers, so their sums do not depend on an order."""
    asking = prompts.with_columns(asks_for_reasoning(prompts["tokens"])).with_columns((pl.col("request_count") * pl.col("asks")).alias("hits"))
    accounts = asking.group_by("network_id", "account_key").agg(pl.col("hits", "request_count", "asks").sum(), pl.len().alias("sample_count")).sort("network_id", "account_key")
    groups = accounts.group_by("network_id").agg(
        (pl.col("hits").sum() / pl.col("request_count").sum()).alias("share"),
        pl.col("asks").sum().cast(pl.Int64).alias("prompt_count"),
        (pl.col("asks") > 0).sum().cast(pl.Int64).alias("account_count"),
        pl.col("sample_count").sum().cast(pl.Int64),
        pl.len().cast(pl.Int64).alias("sample_account_count"),
    )
    groups = groups.sort("network_id")
    owner = accounts["network_id"].rank("dense").to_numpy().astype(np.int64) - 1
    low, high = share_intervals(accounts["hits"].to_numpy().astype(float), accounts["request_count"].to_numpy().astype(float), owner, groups["sample_count"].to_numpy())
    return groups.with_columns(pl.col("share").round(6), pl.Series("low_share", np.round(low, 6)), pl.Series("high_share", np.round(high, 6)))
