"""The account-sized columns that verdicts rest on, lined up with the positions of a population.

Nothing is decided here: counts of sampled prompts, templated prompts and their output, volumes, records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.groups import SparseRows, standardise, unit_rows
from pipeline.measures.numbering import counted, distinct, looked_up
from pipeline.stages.population import Population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AccountViews:
    """One entry an account, in the order of the population."""

    requests: Floats
    """requests in the window"""
    document_count: Floats
    """sampled prompts kept out of clustering"""
    templated_share: Floats
    """0..1, how many of them carry the account's own recurring wording"""
    harvest_share: Floats
    """0..1, how many of them carry it and drew an answer of at least verdict.min_output_tokens"""
    volume: Floats
    """(n, 2) standardised: requests (log) and active days"""
    manner: Floats
    """(n, 4) standardised: the same, templated share and mean output (log): script users are compared with script users"""


def account_views(inputs: Mapping[str, pl.DataFrame], people: Population, config: Config) -> AccountViews:
    """Reads features, boilerplate and sample_totals. Accounts missing from a table count 0 there."""
    keys = pl.DataFrame({"account_key": people.keys})
    long_answer = pl.col("output_tokens") >= config.verdict.min_output_tokens
    documents = inputs["boilerplate"].group_by("account_key").agg(pl.len().alias("templated"), long_answer.sum().alias("harvest"))
    columns = ("account_key", "request_count", "active_days", "output_tokens_mean")
    table = keys.join(inputs["sample_totals"], on="account_key", how="left", maintain_order="left").join(documents, on="account_key", how="left", maintain_order="left")
    table = table.join(inputs["features"].select(columns), on="account_key", how="left", maintain_order="left").fill_null(0).fill_nan(0)
    total = np.maximum(table["document_count"].to_numpy().astype(float), 1.0)
    templated, harvest = table["templated"].to_numpy() / total, table["harvest"].to_numpy() / total
    requests, days = table["request_count"].to_numpy().astype(float), table["active_days"].to_numpy().astype(float)
    volume = np.stack([np.log1p(requests), days], axis=1)
    manner = np.column_stack([volume, templated, np.log1p(table["output_tokens_mean"].to_numpy().astype(float))])
    return AccountViews(requests, table["document_count"].to_numpy().astype(float), templated, harvest, standardise(volume), standardise(manner))


def held_out_wording(habits: pl.DataFrame, people: Population) -> SparseRows:
    """Each account's mix of recurring wording in the prompts that formed nothing (half 1), as rows of length 1: which habits, and how often each."""
    held = habits.filter(pl.col("half") == 1)
    column = held["shingle"].rank("dense").to_numpy().astype(np.int64) - 1
    share = (held["document_count"] / held["document_total"]).to_numpy()
    return unit_rows(people.positions(held["account_key"]), column, share, len(people.keys))


def topics(words: pl.DataFrame, people: Population, half: int, users: pl.DataFrame | None = None) -> SparseRows:
    """Each account's words in one half of its prompts, as rows of length 1: (1 + ln count) times ln(accounts / accounts that use the word) (Salton and Buckley 1988).

    In: account_words, of all accounts, or of some with word_users, which was counted over all (none or no rows of it: all accounts are there). Words of one account alone are left
    out: they tell only how many it has.
    """
    own = words["half"].to_numpy() == half
    account, token, count = (words[name].to_numpy()[own] for name in ("account_key", "token", "document_count"))
    known, held_by, total = _users(account, token) if users is None or users.is_empty() else _counted(users.filter(pl.col("half") == half).sort("token"))
    column, held = looked_up(known, token)
    column = column[held]
    weight = (1.0 + np.log(count[held])) * np.log(max(2, total) / held_by[column])
    return unit_rows(np.searchsorted(people.keys, account[held]), column, weight, len(people.keys))


def _users(account: Ints, token: Ints) -> tuple[Ints, Ints, int]:
    """Words that two accounts use or more, ascending, how many use each, and how many accounts there are."""
    known, users = counted(token)
    return known[users >= 2], users[users >= 2], len(distinct(account))


def _counted(users: pl.DataFrame) -> tuple[Ints, Ints, int]:
    """The same from rows of word_users of one half."""
    return users["token"].to_numpy(), users["user_count"].to_numpy(), int(users["account_total"][0]) if users.height else 0


def held_out_couplings(handoffs: pl.DataFrame, fanouts: pl.DataFrame, people: Population) -> SparseRows:
    """Which handed-on conversations and which prompts sent at once each account took part in, of those that formed nothing (half 1), as rows of length 1."""
    parts = [handoffs.select("account_key", "half", pl.col("session_key").alias("value")), fanouts.select("account_key", "half", pl.col("prompt_key").alias("value"))]
    held = pl.concat(parts).filter(pl.col("half") == 1)
    column = held["value"].rank("dense").to_numpy().astype(np.int64) - 1
    return unit_rows(people.positions(held["account_key"]), column, np.ones(held.height), len(people.keys))
