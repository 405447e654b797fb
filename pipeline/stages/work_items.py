"""Stage 61: which piece of work each sampled prompt is about, as a key that two accounts share even if each wraps the work in wording of its own.

The account's own recurring 4-grams are the wrapping; of what is left the two smallest hashes name the item (a min-hash of two; Broder 1997). Hashes are looked at in
the lowest sixteenth of their range, the same for every account: so items are sampled by hash and not at random, and what two accounts share is found in both. The few 4-grams
that reach from the wrapping into the item differ between wrappings and lose some matches of members with outsiders, none of members with each other: that lowers
the repeats that are expected, never those that are seen. An item that one account has in two prompts is wording that did not recur enough, and no item.
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
COLUMNS = ("account_key", "prompt_key", "shingles")
LOW_BITS = 27
"""4-grams of the lowest sixteenth of 2^31 are below 2^27."""


def work_items(batches: Iterator[pa.RecordBatch], config: Config, recurring_shingles: pl.DataFrame) -> Iterator[pa.RecordBatch]:
    """In: window_samples sorted by account and prompt, the columns of COLUMNS. Out: work_items in the order of its grain, in batches. Nothing in, nothing out."""
    low = recurring_shingles.filter(pl.col("shingle") < 1 << LOW_BITS).select("account_key", "shingle").unique().sort("account_key", "shingle")
    owner, shingle = low["account_key"].to_numpy(), low["shingle"].to_numpy()
    for samples in whole_accounts(batches):
        yield _items(samples.combine_chunks(), owner, shingle)


def _items(samples: pa.Table, owner: I64, shingle: I64) -> pa.RecordBatch:
    """Items of whole accounts. In: the accounts' own recurring 4-grams, sorted by account and 4-gram."""
    account, prompt = samples["account_key"].to_numpy(), samples["prompt_key"].to_numpy()
    row, found = _low(samples["shingles"].combine_chunks())
    place = places(account)
    keyed = (place[row] << LOW_BITS) | found if len(row) else found
    free = ~_among(keyed, _wrapping(account, owner, shingle))
    row, found = row[free], found[free]
    first = np.flatnonzero(np.concatenate([np.ones(min(len(row), 1), np.bool_), row[1:] != row[:-1]]))
    first = first[np.flatnonzero(np.diff(np.append(first, len(row))) >= 2)]
    item, of = (found[first] << LOW_BITS) | found[first + 1] if len(first) else found[:0], row[first]
    table = pl.DataFrame({"account_key": account[of], "item_key": item, "prompt_key": prompt[of]})
    single = table.filter(pl.len().over("account_key", "item_key") == 1).sort("account_key", "item_key")
    return pa.RecordBatch.from_pydict({name: pa.array(single[name].to_numpy(), pa.int64()) for name in table.columns})


def _low(lists: pa.ListArray) -> tuple[I64, I64]:
    """The 4-grams in the lowest sixteenth, each with the row of its prompt; ascending within a row, as sketches are."""
    flat, bounds = values(lists), ends(lists)
    place = np.flatnonzero(flat < 1 << LOW_BITS)
    return np.searchsorted(bounds, place, side="right") - 1, flat[place].astype(np.int64)


def _wrapping(account: I64, owner: I64, shingle: I64) -> I64:
    """Recurring 4-grams of these accounts as (place of the account, 4-gram) in one integer, ascending."""
    if not len(account):
        return account
    names = account[np.concatenate([[True], account[1:] != account[:-1]])]
    begin, end = np.searchsorted(owner, names[0]), np.searchsorted(owner, names[-1], side="right")
    near, place = owner[begin:end], np.searchsorted(names, owner[begin:end])
    known = names[np.minimum(place, len(names) - 1)] == near
    wrapping: I64 = (place[known].astype(np.int64) << LOW_BITS) | shingle[begin:end][known]
    return wrapping


def _among(asked: I64, known: I64) -> NDArray[np.bool_]:
    """Whether each is one of the known, which ascend."""
    if not len(known):
        return np.zeros(len(asked), np.bool_)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, asked), len(known) - 1)] == asked
    return found
