"""The fingerprint pass in numpy: for machines where numba cannot be imported, and as the other way to find the compiled pass's answers.

Same functions and same values as `fingerprint_numba`, found differently: positions and states of all texts at once, no walk. A few times slower.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures import text_bytes as tb

U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
_PORTION = 1 << 20
_PLAIN_IPV4 = re.compile(rb"(?:(?:[1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(?:\.(?!$)|$)){4}")
_NEWLINE = 10


def _powers(base: np.uint64, count: int) -> U64:
    """The first `count` powers of a base modulo 2^64."""
    factors = np.full(max(count, 1), base, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def _sums(values: U64, lengths: I64) -> U64:
    """Sum of each run of values; a run may be empty."""
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    ends = np.cumsum(lengths)
    return np.asarray(total[ends] - total[ends - lengths])


def _within(lengths: I64) -> I64:
    """Place of each element in its run."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _polynomials(values: U64, lengths: I64) -> U64:
    """Value of each run as a polynomial in WORD_BASE, the first element at the highest power."""
    power = np.repeat(lengths, lengths) - 1 - _within(lengths)
    return _sums(values * _powers(tb.WORD_BASE, int(lengths.max(initial=0)))[power], lengths)


def _last(marked: Bools, group: I64) -> I64:
    """For each place the latest marked one at or before it in its group (groups are runs), -1 if none."""
    at = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1)) if len(marked) else np.zeros(0, np.int64)
    return np.where((at >= 0) & (group[np.maximum(at, 0)] == group), at, -1)


@dataclass(frozen=True)
class _Items:
    """What texts are made of, in order: words, marks, wide characters; and line ends, which only change states."""

    row: I64
    start: I64
    end: I64
    exact: U64
    """Contribution to the hash of the text."""
    masked: U64
    """Hash as a word, digits read as 0."""
    is_word: Bools
    is_line: Bools
    spaced: Bools
    digits: Bools
    capital: Bools
    kind: U8
    """Flags of a mark; 0 for a run of word bytes."""


def _portions(starts: I64, ends: I64) -> Iterator[tuple[int, int]]:
    """Runs of rows of about a megabyte."""
    first, size = 0, 0
    for row, length in enumerate((ends - starts).tolist()):
        if size + length > _PORTION and row > first:
            yield first, row
            first, size = row, 0
        size += length
    if first < len(starts):
        yield first, len(starts)


def _flat(data: U8, starts: I64, ends: I64) -> tuple[U8, I64]:
    """The texts one after the other, and the row of each byte."""
    return data[np.repeat(starts, ends - starts) + _within(ends - starts)], np.repeat(np.arange(len(starts)), ends - starts)


def _items(text: U8, row: I64) -> _Items:
    kind, space = tb.MARKS[text], (tb.CLASSES[text] & tb.SPACE) > 0
    follow = (text & 0xC0) == 0x80
    lead = _last(~follow, row)
    needs = np.select([(kind & tb.FOUR) > 0, (kind & tb.WIDE) > 0, (kind & tb.SEPARATOR) > 0], [3, 2, 1], 0)
    taken = follow & (lead >= 0) & (np.arange(len(text)) - lead <= needs[np.maximum(lead, 0)])
    word = ((tb.CLASSES[text] & tb.WORD) > 0) & ~taken
    tick = (kind & tb.TICK) > 0
    inside = np.concatenate([[False], ((word[1:] & word[:-1]) | (tick[1:] & tick[:-1])) & (row[1:] == row[:-1])]) if len(text) else np.zeros(0, np.bool_)
    part = taken | inside
    starting = ~part & (~space | (text == _NEWLINE))
    owner = np.cumsum(~part) - 1
    sizes = np.bincount(owner, minlength=int((~part).sum())) if len(text) else np.zeros(0, np.int64)
    start = np.flatnonzero(starting)
    length = sizes[owner[start]].astype(np.int64)
    is_run, first = word[start], text[start]
    exact, masked, digits = _hashes(text, start, length)
    flags = np.where(is_run, 0, kind[start]).astype(np.uint8)
    single = ~is_run & ((flags & (tb.WIDE | tb.SEPARATOR)) == 0)
    exact = np.where(single, first.astype(np.uint64) + np.uint64(1) + np.where((flags & tb.TICK) > 0, length, 0).astype(np.uint64) * tb.MASK_WORD, exact)
    spaced = np.concatenate([[False], space[:-1] & (row[1:] == row[:-1])])[start] if len(text) else np.zeros(0, np.bool_)
    is_word = is_run | ((flags & tb.BRACKET) > 0) | (((flags & tb.WIDE) > 0) & ~_separates(text, start, length))
    capital = is_run & (first >= 65) & (first <= 90)
    return _Items(row[start], start, start + length, exact, np.where(single, exact, masked), is_word, first == _NEWLINE, spaced, digits & is_run, capital, flags)


def _hashes(text: U8, start: I64, length: I64) -> tuple[U64, U64, Bools]:
    """Hash of each run of bytes, the same with digits read as 0, and whether there is one."""
    at = np.repeat(start, length) + _within(length)
    byte, place = text[at], _within(length)
    lower = np.where(byte < 0x80, byte | 0x20, byte).astype(np.uint64)
    digit = (byte >= 48) & (byte <= 57)
    groups = np.repeat((length + 7) // 8, length)
    weight = _powers(tb.BYTE_BASE, int(groups.max(initial=0)) + 1)[groups - place // 8] << (8 * (place % 8)).astype(np.uint64)
    zeroed = np.where(digit, np.uint64(48), lower)
    return _sums(lower * weight, length), _sums(zeroed * weight, length), _sums(digit.astype(np.uint64), length) > 0


def _byte(text: U8, at: I64) -> U8:
    """The byte at a place, 0 past the end."""
    return np.where(at < len(text), text[np.minimum(at, max(len(text) - 1, 0))], 0).astype(np.uint8) if len(text) else np.zeros(0, np.uint8)


def _separates(text: U8, start: I64, length: I64) -> Bools:
    """U+2000 to U+207F (separators led by C2 are no WIDE characters)."""
    return np.asarray((text[start] == 0xE2) & (length > 1) & np.isin(_byte(text, start + 1), (0x80, 0x81)))


def _toggles(text: U8, items: _Items) -> tuple[Bools, Bools, Bools]:
    """Which items open or close a quote, inline code, a fence."""
    length = items.end - items.start
    curly = _separates(text, items.start, length) & (length == 3) & (_byte(text, items.start + 1) == 0x80) & np.isin(_byte(text, items.start + 2), (0x9C, 0x9D))
    tick = (items.kind & tb.TICK) > 0
    return ((items.kind & tb.QUOTE) > 0) | (curly & ((items.kind & tb.WIDE) > 0)), tick & (length < 3), tick & (length > 2)


def _open(toggle: Bools, row: I64, reset: Bools) -> Bools:
    """Whether an odd number of toggles stands before each item, since its row's start or the last reset."""
    before: I64 = np.cumsum(toggle) - toggle
    since = _last(reset, row)
    first = np.searchsorted(row, row)
    base = np.where(since >= 0, since, first)
    return np.asarray((before - before[base]) % 2 == 1) if len(row) else np.zeros(0, np.bool_)


def _masks(text: U8, items: _Items) -> Bools:
    """Which items a skeleton masks, if they are words."""
    quote, inline, fence = _toggles(text, items)
    none = np.zeros(len(items.row), np.bool_)
    spans = _open(quote, items.row, items.is_line) | _open(inline, items.row, items.is_line) | _open(fence, items.row, none)
    stops = items.is_line | ((items.kind & (tb.STOP | tb.TICK)) > 0)
    silent = ((items.kind & (tb.SEPARATOR | tb.WIDE)) > 0) & ~items.is_word
    last = _last(~silent, items.row)
    before: I64 = np.concatenate([np.array([-1]), last[:-1]]) if len(last) else last
    before = np.where((before >= 0) & (items.row[np.maximum(before, 0)] == items.row), before, -1)
    after_stop = np.where(before >= 0, stops[np.maximum(before, 0)], True)
    real = np.flatnonzero(~items.is_line)
    chunk = np.zeros(len(items.row), np.int64)
    chunk[real] = np.cumsum(items.spaced[real] | np.concatenate([[True], items.row[real][1:] != items.row[real][:-1]])) if len(real) else 0
    paths = np.bincount(chunk, weights=(items.kind & tb.PATH) > 0, minlength=1)[chunk] > 0
    return np.asarray(spans | paths | items.digits | (items.capital & ~after_stop))


def _selected(count: I64) -> Bools:
    """Which of each row's words the skeleton and the sketch read."""
    place, whole = _within(count), np.repeat(count, count)
    return np.asarray((whole <= tb.HEAD_WORDS + tb.TAIL_WORDS) | (place < tb.HEAD_WORDS) | (place >= whole - tb.TAIL_WORDS))


def _skeletons(words: U64, masks: Bools, lengths: I64) -> U64:
    """Hash of each row's words, a run of masked ones as one."""
    repeated = np.concatenate([[False], masks[1:] & masks[:-1]]) & (_within(lengths) > 0) if len(masks) else masks
    row = np.repeat(np.arange(len(lengths)), lengths)
    return _polynomials(np.where(masks, tb.MASK_WORD, words)[~repeated], np.bincount(row[~repeated], minlength=len(lengths)).astype(np.int64))


def _ladder(words: U64, count: I64, seed: np.uint64) -> tuple[U64, U64]:
    """The prefix ladder and the prefix key of each row."""
    first = np.cumsum(count) - count
    rungs = np.zeros((len(count), len(tb.LADDER)), np.uint64)
    for rung, size in enumerate(tb.LADDER):
        rows = np.flatnonzero(count >= size)
        taken = words[first[rows][:, None] + np.arange(size)]
        rungs[rows, rung] = tb.mixed((taken * _powers(tb.WORD_BASE, size)[::-1]).sum(axis=1, dtype=np.uint64) + seed) >> np.uint64(1)
    few = np.minimum(count, tb.LADDER[0])
    whole = _polynomials(words[_within(count) < np.repeat(few, count)], few)
    return rungs, np.where(count >= tb.LADDER[0], rungs[:, 0], tb.mixed(whole + seed) >> np.uint64(1))


def _exact(items: _Items, rows: int) -> tuple[U64, I64]:
    """Hash of each normalised text and the number of its items."""
    real = ~items.is_line
    number = np.bincount(items.row[real], minlength=rows).astype(np.int64)
    joined = items.spaced[real] & (_within(number) > 0)
    return _polynomials(items.exact[real] + np.where(joined, tb.SPACED, np.uint64(0)), number), number


def texts(data: U8, starts: I64, ends: I64, seeds: U64) -> tuple[U64, I64, U64, U64, I64]:
    """See `fingerprints.texts`."""
    parts = [_texts(data, starts[first:last], ends[first:last], seeds) for first, last in _portions(starts, ends)]
    if not parts:
        return np.zeros((3, 0), np.uint64), np.zeros(0, np.int64), np.zeros((0, len(tb.LADDER)), np.uint64), np.zeros(0, np.uint64), np.zeros(1, np.int64)
    keys, counts, ladder, kept, sizes = zip(*parts, strict=True)
    return np.concatenate(keys, axis=1), np.concatenate(counts), np.concatenate(ladder), np.concatenate(kept), np.concatenate([[0], np.cumsum(np.concatenate(sizes))])


def _texts(data: U8, starts: I64, ends: I64, seeds: U64) -> tuple[U64, I64, U64, U64, I64]:
    """One portion; the last part is how many words of each row are kept."""
    text, row = _flat(data, starts, ends)
    items = _items(text, row)
    whole, number = _exact(items, len(starts))
    words, masks = items.masked[items.is_word], _masks(text, items)[items.is_word]
    count = np.bincount(items.row[items.is_word], minlength=len(starts)).astype(np.int64)
    ladder, prefix = _ladder(words, count, seeds[1])
    selected = _selected(count)
    sizes = np.minimum(count, tb.HEAD_WORDS + tb.TAIL_WORDS)
    skeleton = _skeletons(words[selected], masks[selected], sizes)
    keys = np.stack([tb.mixed(whole + seeds[0]) >> np.uint64(1), prefix, tb.mixed(skeleton + seeds[2]) >> np.uint64(1)])
    return keys, np.where(number > 0, count, -1), ladder, words[selected], sizes


def normalised(data: U8, starts: I64, ends: I64) -> tuple[U64, Bools]:
    """See `fingerprints.text_keys`."""
    values, some = np.zeros(len(starts), np.uint64), np.zeros(len(starts), np.bool_)
    for first, last in _portions(starts, ends):
        values[first:last], number = _exact(_items(*_flat(data, starts[first:last], ends[first:last])), last - first)
        some[first:last] = number > 0
    return values, some


def raw(data: U8, starts: I64, ends: I64) -> U64:
    """See `fingerprints.value_keys`."""
    lengths = ends - starts
    values, padded = lengths.astype(np.uint64), np.append(data, np.zeros(8, np.uint8))
    for group in range(-(-int(lengths.max(initial=0)) // 8)):
        rows = np.flatnonzero(lengths > 8 * group)
        left = lengths[rows] - 8 * group
        eight = padded[(starts[rows] + 8 * group)[:, None] + np.arange(8)].astype(np.uint64)
        eight[np.arange(8) >= left[:, None]] = 0
        value = (values[rows] + (eight << (8 * np.arange(8)).astype(np.uint64)).sum(axis=1, dtype=np.uint64)) * tb.BYTE_BASE
        values[rows] = value ^ (value >> np.uint64(32))
    return values


def sketches(words: U64, offsets: I64, rows: I64) -> tuple[NDArray[np.int32], I64, I64, NDArray[np.int32], I64]:
    """See `fingerprints.sketches`."""
    count = (offsets[1:] - offsets[:-1])[rows]
    taken = words[np.repeat(offsets[:-1][rows], count) + _within(count)]
    size = np.minimum(count, tb.SHINGLE_WORDS)
    grams = np.where(count > 0, count - size + 1, 0)
    first = np.repeat(np.cumsum(count) - count, grams) + _within(grams)
    each = np.repeat(size, grams)
    value = np.zeros(len(first), np.uint64)
    for word in range(tb.SHINGLE_WORDS):
        here = each > word
        value[here] = value[here] * tb.WORD_BASE + taken[first[here] + word]
    shingles, shingle_ends = _smallest(tb.mixed(value) >> np.uint64(1), grams, tb.SHINGLES)
    tokens, token_ends = _smallest(tb.mixed(taken) >> np.uint64(33), count, tb.TOKENS)
    return (shingles >> np.uint64(32)).astype(np.int32), shingle_ends, grams, tokens.astype(np.int32), token_ends


def ipv4_networks(data: U8, starts: I64, ends: I64) -> tuple[Bools, U8, I64]:
    """See `fingerprints.ipv4_networks`."""
    texts = [data[start:end].tobytes() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    plain = np.array([_PLAIN_IPV4.fullmatch(text) is not None for text in texts], np.bool_)
    networks = [text[: text.rindex(b".") + 1] + b"0/24" if is_plain else b"" for text, is_plain in zip(texts, plain.tolist(), strict=True)]
    return plain, np.frombuffer(b"".join(networks), np.uint8), np.concatenate([[0], np.cumsum([len(text) for text in networks])]).astype(np.int64)


def _smallest(values: U64, lengths: I64, limit: int) -> tuple[U64, I64]:
    """The smallest distinct values of each run, ascending, and each run's end."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((values, row))
    values, row = values[order], row[order]
    fresh = np.concatenate([[True], (values[1:] != values[:-1]) | (row[1:] != row[:-1])]) if len(values) else np.zeros(0, np.bool_)
    values, row = values[fresh], row[fresh]
    distinct = np.bincount(row, minlength=len(lengths)).astype(np.int64)
    kept = _within(distinct) < limit
    return values[kept], np.concatenate([[0], np.cumsum(np.minimum(distinct, limit))])
