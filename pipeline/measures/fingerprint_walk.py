"""Walking a text by words instead of by bytes, compiled by numba.

A text is classified 64 bytes at a time into bit maps, and the walk jumps from event to event (a word ends, a mark) by counting zeros; a word is
hashed eight bytes at a time. Several times as fast as a loop over bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.measures import text_bytes as tb
from pipeline.measures.compiling import compiled, inlined
from pipeline.measures.fingerprint_lanes import maps

_P, _R, _MASK, _SPACED, _MIX_1, _MIX_2 = tb.BYTE_BASE, tb.WORD_BASE, tb.MASK_WORD, tb.SPACED, tb.MIX_1, tb.MIX_2
_BRACKET, _STOP, _QUOTE, _TICK, _PATH, _SEPARATOR, _WIDE, _FOUR = (np.uint64(flag) for flag in (tb.BRACKET, tb.STOP, tb.QUOTE, tb.TICK, tb.PATH, tb.SEPARATOR, tb.WIDE, tb.FOUR))
_MARKS = tb.MARKS.astype(np.uint64)
_0, _1, _2, _3, _4, _7, _8, _26, _33, _63, _64, _CAPITAL = (np.uint64(number) for number in (0, 1, 2, 3, 4, 7, 8, 26, 33, 63, 64, ord("A")))
_HIGHS, _LOWS, _NIBBLES, _ZEROS = (np.uint64(0x0101010101010101 * byte) for byte in (0x80, 0x7F, 0xF0, 0x30))
_FIRST = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)
_IN_QUOTE, _IN_LINE, _IN_FENCE, _AFTER_STOP, _IN_PATH = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(8), np.uint64(16)
_SPANS, _THIS_LINE = _IN_QUOTE | _IN_LINE | _IN_FENCE | _IN_PATH, _IN_QUOTE | _IN_LINE


def _load_code(_typing: Any, data: Any, at: Any) -> Any:
    """Eight bytes of an array from a place, as one little-endian number; the caller keeps inside the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        value = builder.load(place)
        value.align = 1
        return value

    return types.uint64(data, at), generate


_load: Any = intrinsic(_load_code)


def _trailing_zeros_code(_typing: Any, value: Any) -> Any:
    """Zero bits below the lowest set bit of a number that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(value), generate


_trailing_zeros: Any = intrinsic(_trailing_zeros_code)


def _leading_zeros_code(_typing: Any, value: Any) -> Any:
    """Zero bits above the highest set bit of a number that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(value), generate


_leading_zeros: Any = intrinsic(_leading_zeros_code)


@inlined
def mix(value: Any) -> Any:
    """MurmurHash3's 64-bit finaliser: a bijection that spreads every bit of the input over the output."""
    value ^= value >> _33
    value *= _MIX_1
    value ^= value >> _33
    value *= _MIX_2
    return value ^ (value >> _33)


@inlined
def eight(data: Any, at: Any, count: Any) -> Any:
    """The first `count` (1 to 8) of the bytes from a place, as one number."""
    if at + _8 <= np.uint64(len(data)):
        return _load(data, at) & _FIRST[count]
    value = _0
    for offset in range(count):
        value |= np.uint64(data[at + offset]) << (_8 * offset)
    return value


@inlined
def _word(data: Any, at: Any, end: Any) -> Any:
    """Hash of a word as it is (lower case), the same with every digit read as 0, and whether it has a digit."""
    exact, masked, digits = _0, _0, _0
    while at < end:
        count = min(_8, end - at)
        group = eight(data, at, count)
        group |= ((~group & _HIGHS) >> _2) & _FIRST[count]  # in a word, bit 5 is what sets A-Z apart from a-z
        odd = (group ^ _ZEROS) & _NIBBLES  # zero where the byte is a digit
        found = ~(((odd & _LOWS) + _LOWS) | odd) & _HIGHS
        exact = (exact + group) * _P
        masked = (masked + (group & ~((found >> _3) - (found >> _7)))) * _P
        digits |= found
        at += count
    return exact, masked, digits


@inlined
def _wide_end(data: Any, at: Any, end: Any) -> Any:
    """Where the character that a non-ASCII lead byte starts ends."""
    mark = _MARKS[data[at]]
    limit = at + (_4 if mark & _FOUR else _2 if mark & _SEPARATOR else _3)
    at += _1
    while at < end and at < limit and (data[at] & 0xC0) == 0x80:
        at += _1
    return at


@inlined
def _separates(data: Any, start: Any, end: Any) -> Any:
    """Whether a character of a lead byte separates words: led by C2, or U+2000 to U+207F."""
    return data[start] == 0xC2 or (data[start] == 0xE2 and end - start > _1 and (data[start + _1] == 0x80 or data[start + _1] == 0x81))


@inlined
def _is_curly_quote(data: Any, start: Any, end: Any) -> Any:
    """Whether a character is one of the curly double quotes."""
    return end - start == _3 and data[start] == 0xE2 and data[start + _1] == 0x80 and (data[start + _2] == 0x9C or data[start + _2] == 0x9D)


@inlined
def _maps(data: Any, at: Any, left: Any, tail: Any) -> Any:
    """The classes of the next 64 bytes as three maps, space, word and mark; what they say past the `left`-th is nothing. `tail` has room for 64 bytes."""
    if at + _64 <= np.uint64(len(data)):
        return maps(data, at)
    for offset in range(min(left, _64)):
        tail[offset] = data[at + offset]
    return maps(tail, _0)


@inlined
def _read_mark(data: Any, at: Any, end: Any, state: Any) -> Any:
    """What a mark adds to the hash of the text, where it ends, whether it is a word, and the state after it."""
    kind, value, stop = _MARKS[data[at]], np.uint64(data[at]) + _1, at + _1
    if kind & (_WIDE | _SEPARATOR):
        stop = _wide_end(data, at, end)
        value = eight(data, at, stop - at) * _P
        if not _separates(data, at, stop):
            return value, stop, True, state & ~_AFTER_STOP
        return value, stop, False, state ^ _IN_QUOTE if _is_curly_quote(data, at, stop) else state
    if kind & _TICK:
        while stop < end and data[stop] == data[at]:
            stop += _1
        return value + (stop - at) * _MASK, stop, False, (state ^ (_IN_FENCE if stop - at > _2 else _IN_LINE)) | _AFTER_STOP
    state = state | _AFTER_STOP if kind & _STOP else state & ~_AFTER_STOP
    if kind & _QUOTE:
        state ^= _IN_QUOTE
    return value, stop, kind & _BRACKET != _0, state | _IN_PATH if kind & _PATH else state


@compiled
def walk(data: Any, start: Any, length: Any, tail: Any, words: Any, masks: Any) -> Any:  # noqa: C901, PLR0915 (one automaton: split further, it would carry ten variables)
    """Hash of a normalised text, of how many items it is made (0: blank), and its words: `words` gets their hashes, `masks` 1 where a skeleton masks them.

    `words` and `masks` have room for `length` values, `tail` for 64 bytes.
    """
    whole, items, count, chunk, state = _0, _0, _0, _0, _AFTER_STOP
    before, before_space, first, floor, spaced, base = _0, _0, start, start, _0, _0
    while base < length + _1:
        here = start + base
        left = length - base
        space, word, mark = _maps(data, here, left, tail)
        if left < _64:
            kept = (_1 << left) - _1
            space, word, mark = space & kept, word & kept, mark & kept
        shifted, after_space = (word << _1) | before, (space << _1) | before_space
        starts, ends = word & ~shifted, shifted & ~word
        before, before_space = word >> _63, space >> _63
        events = ends | mark
        while events:
            bit = _trailing_zeros(events)
            events &= events - _1
            at = here + bit
            if (ends >> bit) & _1:
                began = starts & ((_1 << bit) - _1)
                if began:
                    last = _63 - _leading_zeros(began)
                    first, spaced = here + last, (after_space >> last) & _1
                first = max(first, floor)
                if at > first:
                    exact, masked, digits = _word(data, first, at)
                    chunk = count if spaced else chunk
                    state &= ~(_IN_PATH * spaced)
                    capital = np.uint64(np.uint64(data[first]) - _CAPITAL < _26) & ~(state >> _3)
                    words[count] = masked
                    masks[count] = np.uint64((digits | (state & _SPANS)) != _0) | (capital & _1)
                    count += _1
                    whole = whole * _R + exact + _SPACED * (spaced & np.uint64(items != _0))
                    items += _1
                    state &= ~_AFTER_STOP
            if not (mark >> bit) & _1 or at < floor:
                continue
            if data[at] == 10:
                state = (state & ~_THIS_LINE) | _AFTER_STOP
                continue
            spaced_mark = (after_space >> bit) & _1
            if spaced_mark:
                chunk, state = count, state & ~_IN_PATH
            value, floor, is_word, after = _read_mark(data, at, start + length, state)
            if is_word:
                words[count], masks[count] = value, (state & _SPANS) != _0
                count += _1
            state = after
            if _MARKS[data[at]] & _PATH:
                masks[chunk:count] = 1
            whole = whole * _R + value + (_SPACED if spaced_mark and items else _0)
            items += _1
        if before and starts:
            last = _63 - _leading_zeros(starts)
            first, spaced = here + last, (after_space >> last) & _1
        base += _64
    return whole, items, count
