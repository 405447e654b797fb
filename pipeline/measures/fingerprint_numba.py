"""The fingerprint pass compiled by numba: one walk over each text, by words instead of by bytes.

A text is classified in one vectorised sweep, the classes are packed into 64-bit maps, and the walk jumps from event to event (a word starts, a
word ends, a mark) by counting trailing zeros; a word is hashed eight bytes at a time. Four times as fast as a loop over bytes.

Same functions and same values as `fingerprint_numpy`; see `fingerprints` for what they promise. Compiled code is cached beside this file, or in the
account's own cache folder where that is read-only; where neither can be written it is compiled anew by each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.measures import text_bytes as tb

_P, _R, _MASK, _SPACED, _MIX_1, _MIX_2 = tb.BYTE_BASE, tb.WORD_BASE, tb.MASK_WORD, tb.SPACED, tb.MIX_1, tb.MIX_2
_BRACKET, _STOP, _QUOTE, _TICK, _PATH, _SEPARATOR, _WIDE, _FOUR = (np.uint64(flag) for flag in (tb.BRACKET, tb.STOP, tb.QUOTE, tb.TICK, tb.PATH, tb.SEPARATOR, tb.WIDE, tb.FOUR))
_HEAD, _TAIL, _SHINGLE, _SHINGLES, _TOKENS = (np.uint64(number) for number in (tb.HEAD_WORDS, tb.TAIL_WORDS, tb.SHINGLE_WORDS, tb.SHINGLES, tb.TOKENS))
_KEPT, _RUNGS, _LADDER_END = tb.HEAD_WORDS + tb.TAIL_WORDS, len(tb.LADDER), np.uint64(tb.LADDER[-1])
_LADDER = np.array([*tb.LADDER, 2**63], dtype=np.uint64)
_MARKS = tb.MARKS.astype(np.uint64)
_0, _1, _2, _3, _4, _7, _8, _16, _31, _32, _33, _56, _63, _64 = (np.uint64(number) for number in (0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 33, 56, 63, 64))
_MOST_31, _MOST_63 = np.uint64(2**31 - 1), np.uint64(2**63 - 1)
_ONES, _HIGHS, _LOWS, _NIBBLES, _ZEROS = (np.uint64(0x0101010101010101 * byte) for byte in (0x01, 0x80, 0x7F, 0xF0, 0x30))
_GATHER = np.uint64(0x0102040810204080)
_FIRST = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)
_IN_QUOTE, _IN_LINE, _IN_FENCE, _AFTER_STOP, _IN_PATH = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(8), np.uint64(16)
_SPANS, _THIS_LINE = _IN_QUOTE | _IN_LINE | _IN_FENCE | _IN_PATH, _IN_QUOTE | _IN_LINE


def _compiled(function: Callable[..., Any]) -> Any:
    """The function compiled without the interpreter's lock, from the cache if there is one."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to cache in
        return numba.njit(nogil=True)(function)


@intrinsic
def _load(_context: Any, data: Any, at: Any) -> Any:
    """Eight bytes of an array from a place, as one little-endian number; the caller keeps inside the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        value = builder.load(place)
        value.align = 1
        return value

    return types.uint64(data, at), generate


@intrinsic
def _trailing_zeros(_context: Any, value: Any) -> Any:
    """Zero bits below the lowest set bit of a number that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(value), generate


@_compiled
def _mix(value: Any) -> Any:
    value ^= value >> _33
    value *= _MIX_1
    value ^= value >> _33
    value *= _MIX_2
    return value ^ (value >> _33)


@_compiled
def _eight(data: Any, at: Any, count: Any) -> Any:
    """The first `count` (1 to 8) of the bytes from a place, as one number."""
    if at + _8 <= np.uint64(len(data)):
        return _load(data, at) & _FIRST[count]
    value = _0
    for offset in range(count):
        value |= np.uint64(data[at + offset]) << (_8 * offset)
    return value


@_compiled
def _word(data: Any, at: Any, end: Any) -> Any:
    """Hash of a word as it is (lower case), the same with every digit read as 0, and whether it has a digit."""
    exact, masked, digits = _0, _0, _0
    while at < end:
        count = min(_8, end - at)
        group = _eight(data, at, count)
        group |= ((~group & _HIGHS) >> _2) & _FIRST[count]  # in a word, bit 5 is what sets A-Z apart from a-z
        odd = (group ^ _ZEROS) & _NIBBLES  # zero where the byte is a digit
        found = ~(((odd & _LOWS) + _LOWS) | odd) & _HIGHS
        exact = (exact + group) * _P
        masked = (masked + (group & ~((found >> _3) - (found >> _7)))) * _P
        digits |= found
        at += count
    return exact, masked, digits


@_compiled
def _wide_end(data: Any, at: Any, end: Any) -> Any:
    """Where the character that a non-ASCII lead byte starts ends."""
    mark = _MARKS[data[at]]
    limit = at + (_4 if mark & _FOUR else _2 if mark & _SEPARATOR else _3)
    at += _1
    while at < end and at < limit and (data[at] & 0xC0) == 0x80:
        at += _1
    return at


@_compiled
def _separates(data: Any, start: Any, end: Any) -> bool:
    """Whether a character of a lead byte separates words: led by C2, or U+2000 to U+207F."""
    return data[start] == 0xC2 or (data[start] == 0xE2 and end - start > _1 and (data[start + _1] == 0x80 or data[start + _1] == 0x81))


@_compiled
def _is_curly_quote(data: Any, start: Any, end: Any) -> bool:
    """Whether a character is one of the curly double quotes."""
    return end - start == _3 and data[start] == 0xE2 and data[start + _1] == 0x80 and (data[start + _2] == 0x9C or data[start + _2] == 0x9D)


@_compiled
def _classify(data: Any, start: Any, length: Any, classes: Any) -> None:
    """Fills `classes` with the class of each byte (bit 0 space, bit 1 word, bit 2 mark), and 0 for 64 places more."""
    for at in range(length):
        byte = data[start + at]
        letter = (((byte | np.uint8(0x20)) - np.uint8(97)) < np.uint8(26)) | ((byte - np.uint8(48)) < np.uint8(10)) | (byte == 95) | (byte == 39)
        lead = (byte == 0xC2) | ((byte - np.uint8(0xE2)) < np.uint8(8)) | ((byte - np.uint8(0xEF)) < np.uint8(6))
        word = letter | ((byte >= 0x80) & ~lead)
        space = (byte == 32) | ((byte - np.uint8(9)) < np.uint8(5))
        classes[at] = np.uint8(space) | (np.uint8(word) << np.uint8(1)) | (np.uint8(~(space | word) | (byte == 10)) << np.uint8(2))
    classes[length : length + _64] = 0


@_compiled
def _maps(classes: Any, at: Any) -> Any:
    """The classes of 64 bytes as three maps: space, word, mark."""
    space, word, mark = _0, _0, _0
    for part in range(_8):
        eight, shift = _load(classes, at + _8 * part), _8 * part
        space |= (((eight & _ONES) * _GATHER) >> _56) << shift
        word |= ((((eight >> _1) & _ONES) * _GATHER) >> _56) << shift
        mark |= ((((eight >> _2) & _ONES) * _GATHER) >> _56) << shift
    return space, word, mark


@_compiled
def _walk(data: Any, start: Any, length: Any, classes: Any, words: Any, masks: Any) -> Any:  # noqa: C901, PLR0912, PLR0915 (one automaton: split, it would carry ten variables from call to call)
    """Hash of the normalised text, whether it is blank, and its words: `words` gets their hashes, `masks` 1 where a skeleton masks them."""
    _classify(data, start, length, classes)
    whole, items, count, chunk, state = _0, _0, _0, _0, _AFTER_STOP
    before, before_space, first, floor, spaced, base = _0, _0, start, start, _0, _0
    while base < length + _1:
        space, word, mark = _maps(classes, base)
        edges = word ^ ((word << _1) | before)
        after_space = (space << _1) | before_space
        before, before_space = word >> _63, space >> _63
        events = edges | mark
        while events:
            bit = _trailing_zeros(events)
            events &= events - _1
            at = start + base + bit
            if (edges >> bit) & _1:
                if (word >> bit) & _1:
                    first = max(at, floor)
                    spaced = (after_space >> bit) & _1
                    continue
                if at > first:
                    exact, masked, digits = _word(data, first, at)
                    if spaced:
                        chunk, state = count, state & ~_IN_PATH
                    capital = (np.uint64(data[first]) - np.uint64(65) < np.uint64(26)) and not state & _AFTER_STOP
                    words[count] = masked
                    masks[count] = (digits != _0) | capital | ((state & _SPANS) != _0)
                    count += _1
                    whole = whole * _R + exact + (_SPACED if spaced and items else _0)
                    items += _1
                    state &= ~_AFTER_STOP
            if not (mark >> bit) & _1 or at < floor:
                continue
            byte = np.uint64(data[at])
            kind = _MARKS[byte]
            if byte == np.uint64(10):
                state = (state & ~_THIS_LINE) | _AFTER_STOP
                continue
            spaced_mark = (after_space >> bit) & _1
            if spaced_mark:
                chunk, state = count, state & ~_IN_PATH
            value, end = byte + _1, at + _1
            if kind & (_WIDE | _SEPARATOR):
                end = _wide_end(data, at, start + length)
                value = _eight(data, at, end - at) * _P
                floor = end
                if not _separates(data, at, end):
                    words[count], masks[count] = value, (state & _SPANS) != _0
                    count += _1
                    state &= ~_AFTER_STOP
                elif _is_curly_quote(data, at, end):
                    state ^= _IN_QUOTE
            elif kind & _TICK:
                while end < start + length and data[end] == data[at]:
                    end += _1
                value += (end - at) * _MASK
                floor = end
                state = (state ^ (_IN_FENCE if end - at > _2 else _IN_LINE)) | _AFTER_STOP
            else:
                if kind & _BRACKET:
                    words[count], masks[count] = value, (state & _SPANS) != _0
                    count += _1
                state = state | _AFTER_STOP if kind & _STOP else state & ~_AFTER_STOP
                if kind & _QUOTE:
                    state ^= _IN_QUOTE
                elif kind & _PATH:
                    state |= _IN_PATH
                    masks[chunk:count] = 1
            whole = whole * _R + value + (_SPACED if spaced_mark and items else _0)
            items += _1
        base += _64
    return whole, items, count


@_compiled
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
            rungs[rung] = _mix(prefix + seed) >> _1
            rung += _1
    for place in range(count - _TAIL if not short else count, count):
        word, mask = words[place], np.uint64(masks[place])
        skeleton = skeleton * (_1 if mask & masked else _R) + ((_0 if masked else _MASK) if mask else word)
        masked = mask
    while at < min(count, _LADDER_END):
        prefix = prefix * _R + words[at]
        at += _1
        if at == _LADDER[rung]:
            rungs[rung] = _mix(prefix + seed) >> _1
            rung += _1
    return rungs[0] if rung else _mix(prefix + seed) >> _1, skeleton


@_compiled
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
        whole, items, count = _walk(data, np.uint64(starts[row]), np.uint64(ends[row] - starts[row]), classes, words, masks)
        counts[row] = np.int64(count) if items else -1
        keys[0, row] = _mix(whole + seeds[0]) >> _1
        keys[1, row], skeleton = _fold(words, masks, count, seeds[1], ladder[row])
        keys[2, row] = _mix(skeleton + seeds[2]) >> _1
        head = count if count <= _HEAD + _TAIL else _HEAD
        kept[used : used + head] = words[:head]
        used += head
        if head < count:
            kept[used : used + _TAIL] = words[count - _TAIL : count]
            used += _TAIL
        offsets[row + 1] = used
    return keys, counts, ladder, kept[:used], offsets


@_compiled
def normalised(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.text_keys`."""
    rows, longest = len(starts), 0
    for row in range(rows):
        longest = max(longest, ends[row] - starts[row])
    values, some = np.zeros(rows, np.uint64), np.zeros(rows, np.bool_)
    classes, words, masks = np.empty(longest + 128, np.uint8), np.empty(longest, np.uint64), np.empty(longest, np.uint8)
    for row in range(rows):
        values[row], items, _ = _walk(data, np.uint64(starts[row]), np.uint64(ends[row] - starts[row]), classes, words, masks)
        some[row] = items != _0
    return values, some


@_compiled
def raw(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.value_keys`."""
    values = np.zeros(len(starts), np.uint64)
    for row in range(len(starts)):
        at, end = np.uint64(starts[row]), np.uint64(ends[row])
        value = end - at
        while at < end:
            count = min(_8, end - at)
            value = (value + _eight(data, at, count)) * _P
            value ^= value >> _32
            at += count
        values[row] = value
    return values


@_compiled
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
        value, back = spare[at], at
        while back > _0 and spare[back - _1] > value:
            spare[back] = spare[back - _1]
            back -= _1
        spare[back] = value
    left = _0
    for at in range(count):
        values[left] = spare[at]
        left += np.uint64(at + _1 == count or spare[at] != spare[at + _1])
    return left


@_compiled
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


@_compiled
def sketches(words: Any, offsets: Any, rows: Any) -> Any:
    """See `fingerprints.sketches`."""
    number = len(rows)
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
            values[at] = _mix(value) >> _1
        left = _sorted_distinct(values, grams, _MOST_63, slots, spare)
        shingle_counts[index] = left
        for at in range(min(left, _SHINGLES)):
            shingles[shingled + at] = np.int64(values[at])
        shingled += min(left, _SHINGLES)
        shingle_ends[index + 1] = shingled
        for at in range(count):
            values[at] = _mix(words[start + at]) >> _33
        left = _smallest(values, count, _TOKENS, slots, spare, few)
        for at in range(left):
            tokens[tokened + at] = np.int32(values[at])
        tokened += left
        token_ends[index + 1] = tokened
    return shingles[:shingled], shingle_ends, shingle_counts, tokens[:tokened], token_ends
