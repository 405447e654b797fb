"""The fingerprint pass compiled by numba: keys of texts and values, and sketches.

Same functions and same values as `fingerprint_numpy`; see `fingerprints` for what they promise. Compiled code is cached in a folder named by the hash of
its sources, beside this file or, where that is read-only, in the account's own cache; where neither can be written it is compiled anew by each process.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures import text_bytes as tb
from pipeline.measures.compiling import compiled, inlined
from pipeline.measures.fingerprint_lanes import LANES, sort
from pipeline.measures.fingerprint_walk import eight, mix, walk

_P, _R, _MASK = tb.BYTE_BASE, tb.WORD_BASE, tb.MASK_WORD
_HEAD, _TAIL, _SHINGLE, _SHINGLES, _TOKENS = (np.uint64(number) for number in (tb.HEAD_WORDS, tb.TAIL_WORDS, tb.SHINGLE_WORDS, tb.SHINGLES, tb.TOKENS))
_KEPT, _RUNGS, _LADDER_END = tb.HEAD_WORDS + tb.TAIL_WORDS, len(tb.LADDER), np.uint64(tb.LADDER[-1])
_LADDER = np.array([*tb.LADDER, 2**63], dtype=np.uint64)
_0, _1, _2, _3, _8, _32, _33 = (np.uint64(number) for number in (0, 1, 2, 3, 8, 32, 33))
_R2 = np.uint64(int(_R) ** 2 % 2**64)
_LANES = np.uint64(LANES)
_SHINGLE_BOUNDS = np.array([2**63 * min(1, 56 / max(count, 1)) for count in range(_KEPT + 1)], dtype=np.uint64)
_TOKEN_BOUNDS = np.array([2**31 * min(1, 52 / max(count, 1)) for count in range(_KEPT + 1)], dtype=np.uint32)
"""Below which about 56 of so many evenly spread hashes are, 52 of so many words: more than a sketch keeps and fewer than LANES, repeats among them."""


@inlined
def _step(skeleton: Any, word: Any, mask: Any, masked: Any) -> Any:
    """The skeleton's hash with one more word, a run of masked ones as one; without a branch, as which words are masked is not predictable."""
    again = _0 - (mask & masked)
    return skeleton * (_R ^ ((_R ^ _1) & again)) + (((mask - _1) & word) | ((_0 - mask) & ~again & _MASK))


@inlined
def _fold(words: Any, masks: Any, count: Any, seed: Any, ladder: Any, row: Any) -> Any:
    """Fills the row's prefix ladder; gives the prefix key (its first rung, or all words where there are fewer) and the skeleton's hash."""
    prefix, skeleton, masked, rung, at = _0, _0, _0, 0, _0
    short = count <= _HEAD + _TAIL
    head = count if short else _HEAD
    while at < head:  # both polynomials at once: neither waits for the other
        stop = min(head, _LADDER[rung])
        while at < stop:
            word, mask = words[at], np.uint64(masks[at])
            prefix = prefix * _R + word
            skeleton = _step(skeleton, word, mask, masked)
            masked = mask
            at += _1
        if at == _LADDER[rung]:
            ladder[row, rung] = mix(prefix + seed) >> _1
            rung += 1
    for place in range(count - _TAIL if not short else count, count):
        mask = np.uint64(masks[place])
        skeleton = _step(skeleton, words[place], mask, masked)
        masked = mask
    while at < min(count, _LADDER_END):
        prefix = prefix * _R + words[at]
        at += _1
        if at == _LADDER[rung]:
            ladder[row, rung] = mix(prefix + seed) >> _1
            rung += 1
    return ladder[row, 0] if rung else mix(prefix + seed) >> _1, skeleton


def texts(data: Any, starts: Any, ends: Any, seeds: Any) -> Any:
    """See `fingerprints.texts`. Large results stand in memory that numpy asks for: it takes it by huge pages, compiled code by small ones, which costs a tenth of the pass."""
    return _texts(data, starts, ends, seeds, np.empty(int(np.minimum(ends - starts, _KEPT).sum()), np.uint64))


@compiled
def _texts(data: Any, starts: Any, ends: Any, seeds: Any, kept: Any) -> Any:
    """The same; `kept` has room for the words that a sketch reads of every row."""
    rows, longest = len(starts), 0
    for row in range(rows):
        longest = max(longest, ends[row] - starts[row])
    keys, counts = np.zeros((3, rows), np.uint64), np.zeros(rows, np.int64)
    ladder, offsets = np.zeros((rows, _RUNGS), np.uint64), np.zeros(rows + 1, np.int64)
    tail, words, masks, used = np.zeros(LANES, np.uint8), np.empty(longest, np.uint64), np.empty(longest, np.uint8), _0
    for row in range(rows):
        whole, items, count = walk(data, np.uint64(starts[row]), np.uint64(ends[row] - starts[row]), tail, words, masks)
        counts[row] = np.int64(count) if items else -1
        keys[0, row] = mix(whole + seeds[0]) >> _1
        keys[1, row], skeleton = _fold(words, masks, count, seeds[1], ladder, row)
        keys[2, row] = mix(skeleton + seeds[2]) >> _1
        head = count if count <= _HEAD + _TAIL else _HEAD
        for at in range(head):
            kept[used + at] = words[at]
        used += head
        if head < count:
            for at in range(_TAIL):
                kept[used + at] = words[count - _TAIL + at]
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
    tail, words, masks = np.zeros(LANES, np.uint8), np.empty(longest, np.uint64), np.empty(longest, np.uint8)
    for row in range(rows):
        values[row], items, _ = walk(data, np.uint64(starts[row]), np.uint64(ends[row] - starts[row]), tail, words, masks)
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


@inlined
def _distinct(lanes: Any, count: Any) -> Any:
    """Sorts the first `count` (at most 64) of `lanes` and moves the distinct ones to the front; gives how many."""
    lanes[count:LANES] = ~lanes.dtype.type(0)
    sort(lanes)
    number: Any = _0
    before = ~lanes.dtype.type(0)
    for at in range(count):
        value = lanes[at]
        number += np.uint64(value != before)
        lanes[number - _1] = before = value
    return number


@inlined
def _below(values: Any, count: Any, limit: Any, bound: Any, lanes: Any) -> Any:
    """Puts the `limit` smallest distinct ones below `bound` of the first `count` values in front of `lanes`, ascending; gives how many, and how many there are with repeats."""
    picked = _0
    for place in range(count):  # no branch: which values are picked is not predictable
        lanes[picked] = values[place]
        picked += np.uint64(values[place] < bound)
    kept, at = min(_distinct(lanes, min(picked, _LANES)), limit), _LANES
    while at < picked:
        more = min(picked - at, _LANES - kept)
        for place in range(more):
            lanes[kept + place] = lanes[at + place]
        kept, at = min(_distinct(lanes, kept + more), limit), at + more
    return kept, picked


@inlined
def _smallest(values: Any, count: Any, limit: Any, bound: Any, lanes: Any) -> Any:
    """Puts the `limit` smallest distinct ones of the first `count` values in front of `lanes`, ascending; gives how many.

    Only those below `bound` are looked at; all of them where those hold too few.
    """
    kept, picked = _below(values, count, limit, bound, lanes)
    if kept < limit and picked < count:
        kept, picked = _below(values, count, limit, ~values.dtype.type(0), lanes)
    return kept


@inlined
def _grams(words: Any, start: Any, count: Any, pairs: Any, values: Any) -> Any:
    """Fills `values` with the hashes of word 4-grams (fewer words: of all together); gives how many."""
    if count >= _SHINGLE:  # three loops, as one is not vectorised
        for at in range(count - _1):
            pairs[at] = words[start + at] * _R + words[start + at + _1]
        for at in range(count - _3):
            values[at] = pairs[at] * _R2 + pairs[at + _2]
        for at in range(count - _3):
            values[at] = mix(values[at]) >> _1
        return count - _3
    value = _0
    for word in range(start, start + count):
        value = value * _R + words[word]
    values[_0] = mix(value) >> _1
    return min(count, _1)


def sketches(words: Any, offsets: Any, rows: Any) -> Any:
    """See `fingerprints.sketches`; memory as for `texts`."""
    return _sketches(words, offsets, rows, np.empty(len(rows) * tb.SHINGLES, np.int32), np.empty(len(rows) * tb.TOKENS, np.int32))


@compiled
def _sketches(words: Any, offsets: Any, rows: Any, shingles: Any, tokens: Any) -> Any:
    number: Any = len(rows)
    shingle_ends, shingle_counts, token_ends = np.zeros(number + 1, np.int64), np.zeros(number, np.int64), np.zeros(number + 1, np.int64)
    long, pairs, long_lanes = np.empty(_KEPT, np.uint64), np.empty(_KEPT, np.uint64), np.empty(_KEPT + LANES, np.uint64)
    short, short_lanes = np.empty(_KEPT, np.uint32), np.empty(_KEPT + LANES, np.uint32)
    shingled, tokened = 0, 0
    for index in range(number):
        start = np.uint64(offsets[rows[index]])
        count = np.uint64(offsets[rows[index] + 1]) - start
        grams = _grams(words, start, count, pairs, long)
        shingle_counts[index] = grams
        left = _smallest(long, grams, _SHINGLES, _SHINGLE_BOUNDS[grams], long_lanes)
        for at in range(left):
            shingles[shingled + at] = np.int32(long_lanes[at] >> _32)
        shingled += left
        shingle_ends[index + 1] = shingled
        for at in range(count):
            short[at] = mix(words[start + at]) >> _33
        left = _smallest(short, count, _TOKENS, _TOKEN_BOUNDS[count], short_lanes)
        for at in range(left):
            tokens[tokened + at] = np.int32(short_lanes[at])
        tokened += left
        token_ends[index + 1] = tokened
    return shingles[:shingled], shingle_ends, shingle_counts, tokens[:tokened], token_ends


@compiled
def ipv4_networks(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.ipv4_networks`."""
    rows, room = len(starts), 0
    for row in range(rows):
        room += min(ends[row] - starts[row], 15) + 4
    plain, networks, stops, used = np.zeros(rows, np.bool_), np.empty(room, np.uint8), np.zeros(rows + 1, np.int64), 0
    for row in range(rows):
        dot = _last_dot(data, starts[row], ends[row])
        plain[row] = dot >= 0
        if dot >= 0:
            for at in range(starts[row], dot + 1):
                networks[used] = data[at]
                used += 1
            for byte in (48, 47, 50, 52):  # 0/24
                networks[used] = byte
                used += 1
        stops[row + 1] = used
    return plain, networks[:used], stops


@inlined
def _last_dot(data: Any, start: Any, end: Any) -> Any:
    """Where the last dot of a plain IPv4 address stands: four numbers to 255 without leading zeros; -1 if the text is none."""
    if end - start > 15:
        return -1
    value, digits, dots, last = 0, 0, 0, -1
    for at in range(start, end):
        if data[at] == 46:
            if digits == 0:
                return -1
            value, digits, dots, last = 0, 0, dots + 1, at
        elif data[at] < 48 or data[at] > 57 or (digits and value == 0):
            return -1
        else:
            value, digits = value * 10 + data[at] - 48, digits + 1
            if value > 255:
                return -1
    return last if dots == 3 and digits else -1
