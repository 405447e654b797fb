"""Stage 32: likeness among an account's sampled prompts, in integers.

Two texts have the same smallest 4-gram hash with a probability equal to their Jaccard similarity, so prompts that share theirs are near duplicates; words are
sampled by hash (the lowest eighth of 2^31), the same words for every prompt and account. The samples are read in batches, because they are the widest table of
a run, and account and hash fit one integer: sorting integers is the cheapest count.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.stages.batches import ends, places, values, whole_accounts

I64 = NDArray[np.int64]
COLUMNS = ("account_key", "prompt_key", "shingles", "tokens")
_HASH_BITS = 31
_WORDS_BELOW = 1 << 28
"""The lowest eighth of 2^31."""


def sample_counts(batches: Iterator[pa.RecordBatch], config: Config) -> Iterator[pa.RecordBatch]:
    """In: window_samples sorted by account, the columns of COLUMNS. Out: sample_counts in the order of its grain, in batches. Nothing in, nothing out."""
    for samples in whole_accounts(batches):
        yield _counts(samples.combine_chunks())


def _counts(samples: pa.Table) -> pa.RecordBatch:
    """Whole accounts, a row each. A prompt of under four words has no 4-gram."""
    account = samples["account_key"].to_numpy()
    place = places(account)
    total = len(np.unique(place))
    lead_place, lead = _leads(place, samples["shingles"].combine_chunks())
    near, alike = _shared(lead_place, lead)
    word_place, word = _words(place, samples["tokens"].combine_chunks())
    spoken, _ = _shared(word_place, word)
    columns = {
        "account_key": account[np.searchsorted(place, np.arange(total))] if total else account,
        "sample_count": np.bincount(place, minlength=total),
        "shingled_count": np.bincount(lead_place, minlength=total),
        "near_duplicate_count": np.bincount(np.repeat(near, np.where(alike >= 2, alike, 0)), minlength=total),
        "token_count": np.bincount(word_place, minlength=total),
        "distinct_token_count": np.bincount(spoken, minlength=total),
    }
    return pa.RecordBatch.from_pydict({name: pa.array(column, pa.int64()) for name, column in columns.items()})


def _leads(place: I64, shingles: pa.ListArray) -> tuple[I64, NDArray[np.int32]]:
    """The smallest 4-gram of each prompt that has any, and its account's place."""
    at, hashes = ends(shingles), values(shingles)
    has = at[1:] > at[:-1]
    return place[has], hashes[at[:-1][has]]


def _words(place: I64, tokens: pa.ListArray) -> tuple[I64, NDArray[np.int32]]:
    """The words of all prompts that are counted, and their account's place."""
    hashes = values(tokens)
    counted = hashes < _WORDS_BELOW
    return np.repeat(place, np.diff(ends(tokens)))[counted], hashes[counted]


def _shared(place: I64, hashes: NDArray[np.int32]) -> tuple[I64, I64]:
    """For each account and distinct hash: the account's place, and how many prompts hold the hash."""
    found, count = np.unique((place << _HASH_BITS) | hashes, return_counts=True)
    return found >> _HASH_BITS, count
