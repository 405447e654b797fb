"""Which words are common: sampled prompts of enough other organisations hold them.

The run keeps no word, only for each sampled prompt the smallest hashes of its words. So a word that is found in the prompts of `LEAST` organisations is known to be common;
one that is not may still be, and counts as rare: the error is on the side of masking. Organisations of the network's own members never count.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.given import Record
from pipeline.evidence.sampled import sampled

LEAST = 20
"""Other organisations that must use a word before it is shown."""
DAYS_AT_ONCE = 4


@dataclass(frozen=True)
class Organisations:
    """Whose an account is: account_key and organisation (equal for colleagues), and what that rests on."""

    table: pl.DataFrame
    basis: str
    """log, accounts (the accounts table), each (no organisation is known: an account counts as one), unknown (the run knew, this command was not told)"""


def organisations(run: FinishedRun, records: dict[str, Record] | None) -> Organisations:
    """The organisation of every account of the run, from the accounts table if it is given, else from the log."""
    accounts = run.columns("accounts", "account_id", "account_key")
    manifest = run.manifest()
    if records is not None and any(record.organization_id for record in records.values()):
        names = [(records[name].organization_id if name in records else None) or f"\0{name}" for name in accounts["account_id"].to_list()]
        return Organisations(accounts.select("account_key").with_columns(pl.Series("organisation", names)), "accounts")
    if manifest["coverage"].get("organization_id", {}).get("non_null"):
        seen = run.scan_days("account_ids", ("account_key", "organization_key"), pl.col("organization_key").is_not_null())
        first = seen.group_by("account_key").agg(pl.col("organization_key").min())
        own = pl.coalesce("organization_key", "account_key").cast(pl.String).alias("organisation")
        return Organisations(accounts.join(first, on="account_key", how="left").select("account_key", own), "log")
    basis = "unknown" if manifest["accounts_table"]["values"].get("organization_id") else "each"
    whose = pl.lit("") if basis == "unknown" else pl.col("account_key").cast(pl.String)
    return Organisations(accounts.select("account_key", whose.alias("organisation")), basis)


def common_words(run: FinishedRun, words: Collection[str], members: Collection[int], whose: Organisations) -> frozenset[str]:
    """Those of the words that at least LEAST organisations, none of a member's, are known to use. `members` are account keys."""
    token_of = {word: token for word, token in zip(sorted(words), _tokens(sorted(words)), strict=True) if token is not None}
    own = whose.table.filter(pl.col("account_key").is_in(sorted(members)))["organisation"].unique()
    others = whose.table.filter(~pl.col("organisation").is_in(own.implode()))
    common = _common_tokens(run, frozenset(token_of.values()), others)
    return frozenset(word for word, token in token_of.items() if token in common)


def _tokens(words: list[str]) -> list[int | None]:
    """The hash that samples hold for each word; None for what is not just one word to the fingerprint pass."""
    import numpy as np
    import pyarrow as pa

    from pipeline.measures import fingerprints as fp

    if not words:
        return []
    made = fp.texts(fp.spans_of(pa.array(words)), "prompt")
    sketches = fp.sketches(made, np.arange(len(words)))
    starts = sketches.token_ends[:-1]
    return [int(sketches.tokens[start]) if count == 1 else None for start, count in zip(starts.tolist(), made.word_counts.tolist(), strict=True)]


def _common_tokens(run: FinishedRun, wanted: frozenset[int], others: pl.DataFrame) -> frozenset[int]:
    """Hashes that enough organisations show, looked for in the newest days first, until a few days in a row tell nothing new."""
    held = pl.DataFrame(schema={"tokens": pl.Int32, "organisation": pl.String})
    common: frozenset[int] = frozenset()
    days = sorted(run.manifest()["days"], reverse=True)
    for at in range(0, len(days), DAYS_AT_ONCE):
        left = sorted(wanted - common)
        if not left:
            break
        tokens = pl.Series("tokens", left, dtype=pl.Int32).implode()
        for samples in sampled(run, ("account_key", "tokens"), {}, days[at : at + DAYS_AT_ONCE]):
            rows = samples.lazy().explode("tokens").filter(pl.col("tokens").is_in(tokens)).unique().collect()
            held = pl.concat([held, rows.join(others, on="account_key").select("tokens", "organisation")]).unique()
        counts = held.group_by("tokens").len().filter(pl.col("len") >= LEAST)["tokens"].to_list()
        if at and common == frozenset(counts):
            break
        common = frozenset(counts)
    return common
