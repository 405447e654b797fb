"""The three figures of likeness of stage 56, lined up with the accounts: what each is computed from, and the strata in which it is compared.

Manner is how much of an account's held-out prompts carries recurring wording of its own: under a tenth (people), under half (mixed), half or more (scripts).
Words are those of prompts kept out of clustering, which are at hand for every account; no word of them joined or will join a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.kinds import LIKENESS_FAMILIES
from pipeline.measures.likeness import HOURS, exchangeability, hour_residuals, profile_distance, rank_normal, timing_distance, topics
from pipeline.measures.numbering import distinct
from pipeline.measures.tails import Strata

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MANNER_SHARES = (0.1, 0.5)
"""Shares of templated prompts at which manners divide."""
TOPIC_EDGES = (8, 15, 30, 50)
"""Held-out prompts, of the account with fewer."""
BEHAVIOUR_EDGES = (10, 40, 150)
"""Requests, of the account with fewer."""
SYNCHRONY_DEPTH = 4
"""A second stratum of synchrony begins at so many times the least requests."""
DAYS = 56
"""Days of the window, the last ones, whose hours are compared: what more days would cost is memory."""
_ACCOUNTS_AT_ONCE = 256
PROFILE = tuple(
    "stream_share temperature_mean temperature_deviation max_tokens_use_share prompt_chars_median prompt_chars_spread_octaves output_tokens_mean "
    "output_tokens_variation_ratio output_to_input_ratio gap_mean_s burstiness_ratio active_hours_per_day daily_dispersion_ratio session_request_ratio requests_per_day".split()
)
"""Features whose ranks make a profile of behaviour."""


@dataclass(frozen=True)
class Signal:
    """One family: a figure of pairs of positions (smaller is more alike, NaN unknown), the strata it is compared in, and what stands behind it."""

    family: str
    strata: Strata
    figure: Callable[[Ints, Ints], Floats]
    support: Callable[[Ints, Ints], Ints]
    """prompts (topic) or requests (behaviour) of both accounts; hours in which both sent something (synchrony)"""


def signals(inputs: Mapping[str, pl.DataFrame], keys: Ints, config: Config) -> list[Signal]:
    """The signals in the order of LIKENESS_FAMILIES. In: tables as stage 56 reads them, all account keys ascending."""
    manner = manners(inputs, keys)
    makers = {"topic": _topic, "behaviour": _behaviour, "synchrony": _synchrony}
    return [makers[family](inputs, keys, manner, config) for family in LIKENESS_FAMILIES]


def manners(inputs: Mapping[str, pl.DataFrame], keys: Ints) -> Ints:
    """Manner of each account: 0 people, 1 mixed, 2 scripts. An account without sampled prompts counts as people."""
    documents = _counts(inputs["sample_totals"], "document_count", keys)
    templated = _counts(inputs["boilerplate"].group_by("account_key").agg(pl.len().alias("count")), "count", keys)
    found: Ints = np.searchsorted(MANNER_SHARES, templated / np.maximum(documents, 1), side="right").astype(np.int64)
    return found


def _counts(table: pl.DataFrame, column: str, keys: Ints) -> Ints:
    """A column of whole numbers lined up with the accounts, 0 where the table has none."""
    found = np.zeros(len(keys), dtype=np.int64)
    found[np.searchsorted(keys, table["account_key"].to_numpy())] = table[column].fill_null(0).to_numpy()
    return found


def _topic(inputs: Mapping[str, pl.DataFrame], keys: Ints, manner: Ints, config: Config) -> Signal:
    """Prompts that begin with a public client's text are none of the account's."""
    opened = inputs["prompt_preambles"].filter(pl.col("prompt_key") % 2 == 1).group_by("account_key").agg(pl.len().alias("count"))
    total = np.maximum(_counts(inputs["sample_totals"], "document_count", keys) - _counts(opened, "count", keys), 0)
    found = topics(*_words(inputs["account_words"], keys), total)
    return Signal("topic", Strata(manner, total, TOPIC_EDGES), lambda a, b: exchangeability(found, a, b), lambda a, b: total[a] + total[b])


def _words(words: pl.DataFrame, keys: Ints) -> tuple[Ints, Ints, Ints]:
    """Account, number of the word (-1: no other account uses it) and prompts that hold it, of held-out prompts; by account and word.

    A word of one prompt of the whole log is left out: it would add the same to how far apart two accounts are and to how far they would be by chance.
    """
    held = words["half"].to_numpy() == 1
    account, token, prompts = (words[name].to_numpy()[held] for name in ("account_key", "token", "document_count"))
    if len(account) and not ((account[1:] > account[:-1]) | ((account[1:] == account[:-1]) & (token[1:] > token[:-1]))).all():  # the file is sorted; a frame need not be
        order = np.lexsort((token, account))
        account, token, prompts = account[order], token[order], prompts[order]
    ordered = np.sort(token)
    common = distinct(ordered[1:][ordered[1:] == ordered[:-1]])
    number = np.searchsorted(common, token).astype(np.int64)
    number[np.append(common, -1)[number] != token] = -1
    kept = np.flatnonzero((number >= 0) | (prompts > 1))
    return np.searchsorted(keys, account[kept]).astype(np.int64), number[kept], prompts[kept].astype(np.int64)


def _behaviour(inputs: Mapping[str, pl.DataFrame], keys: Ints, manner: Ints, config: Config) -> Signal:
    """An account needs half of the features to have a profile to compare."""
    table = inputs["features"].select("account_key", "request_count", *PROFILE)
    columns = np.full((len(keys), len(PROFILE)), np.nan)
    columns[np.searchsorted(keys, table["account_key"].to_numpy())] = table.select(pl.col(PROFILE).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    scores, requests = rank_normal(columns), _counts(table, "request_count", keys)
    least = (len(PROFILE) + 1) // 2
    return Signal("behaviour", Strata(manner, requests, BEHAVIOUR_EDGES), lambda a, b: profile_distance(scores, a, b, least), lambda a, b: requests[a] + requests[b])


def _synchrony(inputs: Mapping[str, pl.DataFrame], keys: Ints, manner: Ints, config: Config) -> Signal:
    hours, least = inputs["hourly_requests"], config.links.synchrony_min_requests
    owners, rows, active = _hours(hours)
    place = np.full(len(keys), -1, dtype=np.int64)
    place[np.searchsorted(keys, owners)] = np.arange(len(owners))
    requests = np.where(place >= 0, _counts(inputs["features"], "request_count", keys), 0)

    def both(a: Ints, b: Ints) -> Ints:
        some = range(0, max(1, len(a)), _ACCOUNTS_AT_ONCE * 8)
        parts = [np.bitwise_count(active[place[a[at : at + some.step]]] & active[place[b[at : at + some.step]]]).sum(axis=1, dtype=np.int64) for at in some]
        return np.concatenate(parts)

    return Signal("synchrony", Strata(manner, requests, (least, SYNCHRONY_DEPTH * least)), lambda a, b: timing_distance(rows, place, a, b), both)


def _hours(hours: pl.DataFrame) -> tuple[Ints, NDArray[np.int16], NDArray[np.uint8]]:
    """Accounts (keys, ascending) with their residual hours and, a bit an hour, the hours in which they sent something; of the last days of the window."""
    days = hours["day"].to_physical().to_numpy()
    last = int(days.max()) if len(days) else 0
    kept = hours.filter(pl.Series(days > last - DAYS))
    account = kept["account_key"].to_numpy()
    if (account[1:] < account[:-1]).any():  # the file is sorted; a frame need not be
        kept = kept.sort("account_key")
        account = kept["account_key"].to_numpy()
    owners = distinct(account)
    ends = np.append(np.searchsorted(account, owners), kept.height)
    span = int(last - days[days > last - DAYS].min()) + 1 if kept.height else 1
    day = kept["day"].to_physical().to_numpy().astype(np.int64) - (last - span + 1)
    counts = kept.select(f"h{hour:02d}" for hour in range(HOURS)).to_numpy()
    rows, active = np.zeros((len(owners), span * HOURS), dtype=np.int16), np.zeros((len(owners), span * HOURS // 8), dtype=np.uint8)
    for at in range(0, len(owners), _ACCOUNTS_AT_ONCE):
        end = min(at + _ACCOUNTS_AT_ONCE, len(owners))
        part = slice(int(ends[at]), int(ends[end]))
        block = np.zeros((end - at, span, HOURS))
        block[np.repeat(np.arange(end - at), np.diff(ends[at : end + 1])), day[part]] = counts[part]
        rows[at:end], active[at:end] = hour_residuals(block), np.packbits(block.reshape(end - at, -1) > 0, axis=1)
    return owners, rows, active
