"""Stage 37: words of an account's prompts, those that form networks (half 0) and those kept out to test them (half 1) apart, for common topics.

Half 0 is asked only of accounts with a rewritten client and of others to compare with, those with the smallest keys (a random choice that every run repeats).
Prompts that begin with a public client's leading text are left out: its words are the client's. Words are sampled by hash (the lowest eighth of 2^31), the
same for every prompt and account. The samples are read in batches: account, half and word fit one integer, and sorting integers is the cheapest count.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.stages.batches import ends, places, values, whole_accounts

I64 = NDArray[np.int64]
COLUMNS = ("account_key", "prompt_key", "tokens")
_WORD_BITS = 28
"""Words of the lowest eighth of 2^31 are below 2^28."""
_PAIR = ["account_key", "prompt_key"]


def account_words(
    batches: Iterator[pa.RecordBatch], config: Config, prompt_preambles: pl.DataFrame, rewritten_clients: pl.DataFrame, account_records: pl.DataFrame
) -> Iterator[pa.RecordBatch]:
    """In: window_samples sorted by account and prompt, the columns of COLUMNS. Out: account_words in the order of its grain, in batches. Nothing in, nothing out."""
    asked = account_records["account_key"].sort().head(config.verdict.pool_controls)
    asked = pl.concat([asked, rewritten_clients["account_key"]]).unique().sort()
    opened = prompt_preambles.select(_PAIR).sort(_PAIR)
    for samples in whole_accounts(batches):
        yield _words(samples.combine_chunks(), asked.to_numpy(), opened)


def _words(samples: pa.Table, asked: I64, opened: pl.DataFrame) -> pa.RecordBatch:
    """Whole accounts. Each prompt counts a word once, because its sample holds it once."""
    account, prompt = samples["account_key"].to_numpy(), samples["prompt_key"].to_numpy()
    half, place, lists = prompt % 2, places(account), samples["tokens"].combine_chunks()
    counts = ((half == 1) | np.isin(account, asked)) & ~_is_opened(account, prompt, opened)
    sizes, token = np.diff(ends(lists)), values(lists)
    kept = np.repeat(counts, sizes) & (token < 1 << _WORD_BITS)
    found, count = np.unique((np.repeat((place * 2 + half) << _WORD_BITS, sizes) | token)[kept], return_counts=True)
    owner, word = account[np.searchsorted(place, found >> (_WORD_BITS + 1))] if len(found) else account[:0], found & ((1 << _WORD_BITS) - 1)
    columns = {"account_key": owner, "half": (found >> _WORD_BITS) & 1, "token": word, "document_count": count}
    return pa.RecordBatch.from_pydict({name: pa.array(column, pa.int64()) for name, column in columns.items()})


def _is_opened(account: I64, prompt: I64, opened: pl.DataFrame) -> NDArray[np.bool_]:
    """For each prompt: whether it begins with a public client's leading text. `opened` is sorted by account; only the part of these accounts is looked at."""
    if not len(account):
        return np.zeros(0, np.bool_)
    holders = opened["account_key"]
    first, end = holders.search_sorted(int(account[0]), side="left"), holders.search_sorted(int(account[-1]), side="right")
    near = opened[first:end]
    found = np.zeros(len(account), np.bool_)
    if near.height:
        rows = pl.DataFrame({"account_key": account, "prompt_key": prompt}).with_row_index("row").join(near, on=_PAIR, how="semi")
        found[rows["row"].to_numpy()] = True
    return found
