"""Shares of wording in common for many groups, compiled by numba: the same values as `PooledWording.common` gives one group at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled, inlined


@inlined
def _marked(group: Any, taught: Any, holders: Any, documents: Any, is_common: Any, needed: Any) -> Any:
    """Marks what enough of a group hold in enough prompts; returns how much that is. `holders` and `documents` are 0 before and after. In: `needed` holders and prompts."""
    words, counts, ends = taught
    marked: Any = 0
    for account in group:
        for at in range(ends[account], ends[account + 1]):
            holders[words[at]] += 1
            documents[words[at]] += counts[at]
    for account in group:
        for at in range(ends[account], ends[account + 1]):
            word = words[at]
            if holders[word] >= needed[0] and documents[word] >= needed[1]:
                is_common[word] = 1
                marked += 1
            holders[word] = 0
            documents[word] = 0
    return marked


@inlined
def _hits(account: Any, counted: Any, is_common: Any, least: Any) -> Any:
    """Documents of an account that count and carry at least so much of what is marked."""
    document, wording, ends = counted
    found: Any = 0
    carried: Any = 0
    for at in range(ends[account], ends[account + 1]):
        carried += is_common[wording[at]]
        if at + 1 == ends[account + 1] or document[at + 1] != document[at]:
            found += np.int64(carried >= least)
            carried = 0
    return found


@compiled
def median_shares(taught: Any, counted: Any, searched: Any, groups: Any, least_holders: Any, least_documents: Any, width: Any, least: Any) -> Any:
    """See `PooledWording.median_shares`.

    In: `taught`, the wording that accounts learn from, in how many documents, and where each account begins; `counted`, the documents of entries that may count (sorted), their
    wording, and where each account begins; searched documents by account; groups (groups, members); what a wording needs, `least_documents` by group; wordings in all.
    """
    rows, size = groups.shape
    holders, documents, is_common = np.zeros(width, np.int32), np.zeros(width, np.int64), np.zeros(width, np.uint8)
    medians, shares = np.zeros(rows), np.empty(size)
    for row in range(rows):
        group = groups[row]
        if _marked(group, taught, holders, documents, is_common, (least_holders, least_documents[row])) == 0:
            continue
        for place in range(size):
            account = group[place]
            shares[place] = _hits(account, counted, is_common, least) / max(searched[account], 1)
        for account in group:
            for at in range(taught[2][account], taught[2][account + 1]):
                is_common[taught[0][at]] = 0
        medians[row] = np.median(shares)
    return medians
