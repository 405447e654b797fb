"""The fingerprint pass compiled by numba: keys of texts and values, and sketches.

Same functions and same values as `fingerprint_numpy`; see `fingerprints` for what they promise. Compiled code is cached in a folder named by the hash of
its sources, beside this file or, where that is read-only, in the account's own cache; where neither can be written it is compiled anew by each process.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures import text_bytes as tb
from pipeline.measures.fingerprint_walk import compiled, eight, mix, walk

_P, _R, _MASK = tb.BYTE_BASE, tb.WORD_BASE, tb.MASK_WORD
_HEAD, _TAIL, _SHINGLE, _SHINGLES, _TOKENS = (np.uint64(number) for number in (tb.HEAD_WORDS, tb.TAIL_WORDS, tb.SHINGLE_WORDS, tb.SHINGLES, tb.TOKENS))
_KEPT, _RUNGS, _LADDER_END = tb.HEAD_WORDS + tb.TAIL_WORDS, len(tb.LADDER), np.uint64(tb.LADDER[-1])
_LADDER = np.array([*tb.LADDER, 2**63], dtype=np.uint64)
_0, _1, _2, _4, _8, _31, _32, _33 = (np.uint64(number) for number in (0, 1, 2, 4, 8, 31, 32, 33))
_MOST_31, _MOST_63 = np.uint64(2**31 - 1), np.uint64(2**63 - 1)


@compiled
def _fold(words: Any, masks: Any, count: Any, seed: Any, rungs: Any) -> Any:
    """Fills the prefix ladder; gives the prefix key (its first rung, or all words where there are fewer) and the skeleton's hash."""
    prefix, skeleton, masked, rung, at = _0, _0, _0, _0, _0
    short = count <= _HEAD + _TAIL
    head = count if short else _HEAD
    while at < head:  # both polynomials at once: neither waits for the other
        stop = min(head, _LADDER[rung])
        while at < stop:
            word, mask = words[at], np.uint64(masks[at])
            prefix = prefix * _R + word
            skeleton = skeleton * (_1 if mask & masked else _R) + ((_0 if masked else _MASK) if mask else word)
            masked = mask
            at += _1
        if at == _LADDER[rung]:
            rungs[rung] = mix(prefix + seed) >> _1
            rung += _1
    for place in range(count - _TAIL if not short else count, count):
        word, mask = words[place], np.uint64(masks[place])
        skeleton = skeleton * (_1 if mask & masked else _R) + ((_0 if masked else _MASK) if mask else word)
        masked = mask
    while at < min(count, _LADDER_END):
        prefix = prefix * _R + words[at]
        at += _1
        if at == _LADDER[rung]:
            rungs[rung] = mix(prefix + seed) >> _1
            rung += _1
    return rungs[0] if rung else mix(prefix + seed) >> _1, skeleton


@compiled
def texts(data: Any, starts: Any, ends: Any, seeds: Any) -> Any:
    """See `fingerprints.texts`."""
    rows, longest, room = len(starts), 0, 0
    for row in range(rows):
        longest = max(longest, ends[row] - starts[row])
        room += min(ends[row] - starts[row], _KEPT)
    keys, counts = np.zeros((3, rows), np.uint64), np.zeros(rows, np.int64)
    ladder, kept, offsets = np.zeros((rows, _RUNGS), np.uint64), np.empty(room, np.uint64), np.zeros(rows + 1, np.int64)
    classes, words, masks, used = np.empty(longest + 128, np.uint8), np.empty(longest, np.uint64), np.empty(longest, np.uint8), _0
    for row in range(rows):
        whole, items, count = walk(data, np.uint64(starts[row]), np.uint64(ends[row] - starts[row]), classes, words, masks)
        counts[row] = np.int64(count) if items else -1
        keys[0, row] = mix(whole + seeds[0]) >> _1
        keys[1, row], skeleton = _fold(words, masks, count, seeds[1], ladder[row])
        keys[2, row] = mix(skeleton + seeds[2]) >> _1
        head = count if count <= _HEAD + _TAIL else _HEAD
        kept[used : used + head] = words[:head]
        used += head
        if head < count:
            kept[used : used + _TAIL] = words[count - _TAIL : count]
            used += _TAIL
        offsets[row + 1] = used
    return keys, counts, ladder, kept[:used], offsets


@compiled
def normalised(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.text_keys`."""
    rows, longest = len(starts), 0
    for row in range(rows):
        longest = max(longest, ends[row] - starts[row])
    values, some = np.zeros(rows, np.uint64), np.zeros(rows, np.bool_)
    classes, words, masks = np.empty(longest + 128, np.uint8), np.empty(longest, np.uint64), np.empty(longest, np.uint8)
    for row in range(rows):
        values[row], items, _ = walk(data, np.uint64(starts[row]), np.uint64(ends[row] - starts[row]), classes, words, masks)
        some[row] = items != _0
    return values, some


@compiled
def raw(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.value_keys`."""
    values = np.zeros(len(starts), np.uint64)
    for row in range(len(starts)):
        at, end = np.uint64(starts[row]), np.uint64(ends[row])
        value = end - at
        while at < end:
            count = min(_8, end - at)
            value = (value + eight(data, at, count)) * _P
            value ^= value >> _32
            at += count
        values[row] = value
    return values


@compiled
def _sorted_distinct(values: Any, count: Any, bound: Any, slots: Any, spare: Any) -> Any:
    """Sorts the first `count` values, uniform below `bound`, in place, drops repeats, gives how many are left."""
    number, shift = _2 * count, _0
    while bound >> shift > _MOST_31:
        shift += _8
    scale = (number << _32) // ((bound >> shift) + _1)
    slots[:number] = _0
    for at in range(count):
        slots[((values[at] >> shift) * scale) >> _32] += _1
    total = _0
    for slot in range(number):
        here = slots[slot]
        slots[slot] = total
        total += here
    for at in range(count):
        slot = ((values[at] >> shift) * scale) >> _32
        spare[slots[slot]] = values[at]
        slots[slot] += _1
    for at in range(_1, count):  # slots are in order, so an element moves only inside its slot
        value, back = spare[at], np.uint64(at)
        while back > _0 and spare[back - _1] > value:
            spare[back] = spare[back - _1]
            back -= _1
        spare[back] = value
    left = _0
    for at in range(count):
        values[left] = spare[at]
        left += np.uint64(at + _1 == count or spare[at] != spare[at + _1])
    return left


@compiled
def _smallest(values: Any, count: Any, limit: Any, slots: Any, spare: Any, few: Any) -> Any:
    """Like `_sorted_distinct`, for 31-bit values of which only the `limit` smallest are wanted."""
    wanted = limit + limit // _2 + _4
    if count > wanted:
        bound, found = (wanted << _31) // count, _0
        for at in range(count):
            few[found] = values[at]
            found += np.uint64(values[at] < bound)
        left = _sorted_distinct(few, found, bound, slots, spare)
        if left >= limit:
            values[:limit] = few[:limit]
            return limit
    return min(limit, _sorted_distinct(values, count, _MOST_31, slots, spare))


@compiled
def sketches(words: Any, offsets: Any, rows: Any) -> Any:
    """See `fingerprints.sketches`."""
    number: Any = len(rows)
    shingles, shingle_ends, shingle_counts = np.empty(number * tb.SHINGLES, np.int64), np.zeros(number + 1, np.int64), np.zeros(number, np.int64)
    tokens, token_ends = np.empty(number * tb.TOKENS, np.int32), np.zeros(number + 1, np.int64)
    values, few, slots, spare = np.empty(_KEPT, np.uint64), np.empty(_KEPT, np.uint64), np.empty(2 * _KEPT, np.uint64), np.empty(_KEPT, np.uint64)
    shingled, tokened = _0, _0
    for index in range(number):
        start = np.uint64(offsets[rows[index]])
        count = np.uint64(offsets[rows[index] + 1]) - start
        size = min(count, _SHINGLE)
        grams = count - size + _1 if count else _0
        for at in range(grams):
            value = _0
            for word in range(start + at, start + at + size):
                value = value * _R + words[word]
            values[at] = mix(value) >> _1
        left = _sorted_distinct(values, grams, _MOST_63, slots, spare)
        shingle_counts[index] = left
        for at in range(min(left, _SHINGLES)):
            shingles[shingled + at] = np.int64(values[at])
        shingled += min(left, _SHINGLES)
        shingle_ends[index + 1] = shingled
        for at in range(count):
            values[at] = mix(words[start + at]) >> _33
        left = _smallest(values, count, _TOKENS, slots, spare, few)
        for at in range(left):
            tokens[tokened + at] = np.int32(values[at])
        tokened += left
        token_ends[index + 1] = tokened
    return shingles[:shingled], shingle_ends, shingle_counts, tokens[:tokened], token_ends
