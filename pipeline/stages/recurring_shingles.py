"""Stage 33: word 4-grams that recur in the sampled prompts of an account, whoever wrote them: its own wording and its client's.

Apart for prompts that form networks (half 0) and prompts that test them (half 1). The samples are the widest table of a run, so they are read in batches
and an account is finished as soon as the next one begins: memory does not grow with the window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline.config import Config
from pipeline.measures.recurring import recurring
from pipeline.stages.batches import ends, places, values, whole_accounts

COLUMNS = ("account_key", "prompt_key", "shingles", "shingle_count")


def recurring_shingles(batches: Iterator[pa.RecordBatch], config: Config) -> Iterator[pa.RecordBatch]:
    """In: window_samples sorted by account, the columns of COLUMNS. Out: recurring_shingles in the order of its grain, in batches. Nothing in, nothing out."""
    for samples in whole_accounts(batches):
        yield _of_accounts(samples, config)


def _of_accounts(samples: pa.Table, config: Config) -> pa.RecordBatch:
    """Whole accounts. Prompts too short for a 4-gram do not count."""
    samples = samples.filter(pa.compute.greater(samples["shingle_count"], 0)).combine_chunks()
    account, half = samples["account_key"].to_numpy(), samples["prompt_key"].to_numpy() % 2
    order = np.lexsort((half, account))
    account, half = account[order], half[order]
    lists = samples["shingles"].take(pa.array(order)).combine_chunks()
    place = places(account)
    found, shingle, count, total = recurring(place * 2 + half, ends(lists), values(lists), config.links.habit_min_documents, config.links.habit_min_share)
    owners = account[np.searchsorted(place, found // 2)] if len(found) else account[:0]
    columns = {"account_key": owners, "half": found % 2, "shingle": shingle.astype(np.int64), "document_count": count, "document_total": total}
    return pa.RecordBatch.from_pydict({name: pa.array(column, pa.int64()) for name, column in columns.items()})
