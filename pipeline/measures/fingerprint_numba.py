"""The fingerprint pass compiled by numba: one walk over the bytes of each text.

Same functions and same values as `fingerprint_numpy`; see `fingerprints` for what they promise. Compiled code is cached beside this file,
or in the account's own cache folder where that is read-only; where neither can be written it is compiled anew by each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.measures import text_bytes as tb

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

_P, _R, _MASK, _MIX_1, _MIX_2 = tb.BYTE_BASE, tb.WORD_BASE, tb.MASK_WORD, tb.MIX_1, tb.MIX_2
_VALUE, _WORD, _DIGIT, _UPPER, _SPACE, _NEWLINE, _BRACKET = tb.VALUE, tb.WORD, tb.DIGIT, tb.UPPER, tb.SPACE, tb.NEWLINE, tb.BRACKET
_STOP, _QUOTE, _TICK, _PATH, _SEPARATOR, _WIDE, _FOUR, _FOLLOW = tb.STOP, tb.QUOTE, tb.TICK, tb.PATH, tb.SEPARATOR, tb.WIDE, tb.FOUR, tb.FOLLOW
_DIGIT_VALUE, _SPACE_VALUE = tb.DIGIT_VALUE, tb.SPACE_VALUE
_HEAD, _TAIL, _SHINGLE, _SHINGLES, _TOKENS = tb.HEAD_WORDS, tb.TAIL_WORDS, tb.SHINGLE_WORDS, tb.SHINGLES, tb.TOKENS
_LADDER = np.array(tb.LADDER, dtype=np.int64)
_RUNGS, _LADDER_END = len(tb.LADDER), tb.LADDER[-1]
_ZERO, _ONE, _S1, _S31, _S32, _S33 = np.uint64(0), np.uint64(1), np.uint64(1), np.uint64(31), np.uint64(32), np.uint64(33)
_QUOTED, _INLINE, _FENCED, _AFTER_STOP, _PENDING, _IN_PATH = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(8), np.uint64(16), np.uint64(32)
_SPANS, _LINE = np.uint64(7), np.uint64(3)
_POWERS = 256


def _powers() -> U64:
    """The first powers of the byte base, modulo 2^64."""
    factors = np.full(_POWERS, _P, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


_POWER = _powers()
_TABLE = tb.TABLE


def _compiled(function: Callable[..., Any]) -> Any:
    """The function compiled without the interpreter's lock, from the cache if there is one."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to cache in
        return numba.njit(nogil=True)(function)


@_compiled
def _mix(value: Any) -> Any:
    value ^= value >> _S33
    value *= _MIX_1
    value ^= value >> _S33
    value *= _MIX_2
    return value ^ (value >> _S33)


@_compiled
def _power(length: int) -> Any:
    """The byte base to a power."""
    result, base = _ONE, _P
    if length < _POWERS:
        return _POWER[length]
    while length > 0:
        if length & 1:
            result *= base
        base *= base
        length >>= 1
    return result


@_compiled
def _masked_hash(data: Any, start: int, end: int) -> Any:
    """Hash of a word with every digit read as 0."""
    value = _ZERO
    for at in range(start, end):
        entry = _TABLE[data[at]]
        value = value * _P + (_DIGIT_VALUE if entry & _DIGIT else entry & _VALUE)
    return value


@_compiled
def _wide_end(data: Any, at: int, end: int) -> int:
    """Where the character that starts at a non-ASCII lead byte ends."""
    entry = _TABLE[data[at]]
    limit = at + (4 if entry & _FOUR else 2 if entry & _SEPARATOR else 3)
    at += 1
    while at < end and at < limit and _TABLE[data[at]] & _FOLLOW:
        at += 1
    return at


@_compiled
def _is_punctuation(data: Any, start: int, end: int) -> bool:
    """Whether a lead byte's character separates words: led by C2, or U+2000 to U+207F."""
    return data[start] == 0xC2 or (data[start] == 0xE2 and end - start > 1 and (data[start + 1] == 0x80 or data[start + 1] == 0x81))


@_compiled
def _is_curly_quote(data: Any, start: int, end: int) -> bool:
    """Whether a character is one of the curly double quotes."""
    return end - start == 3 and data[start] == 0xE2 and data[start + 1] == 0x80 and (data[start + 2] == 0x9C or data[start + 2] == 0x9D)


@_compiled
def _after_ascii(entry: Any, state: Any) -> Any:
    """State after one ASCII byte that is neither word, space nor backtick."""
    state = state | _AFTER_STOP if entry & _STOP else state & ~_AFTER_STOP
    if entry & _QUOTE:
        state ^= _QUOTED
    return state | _IN_PATH if entry & _PATH else state


@_compiled
def _after_space(entry: Any, state: Any, blank: bool) -> Any:
    """State after one space: a new line ends quotes and inline code and starts a sentence."""
    if entry & _NEWLINE:
        state = (state & ~_LINE) | _AFTER_STOP
    return state if blank else state | _PENDING


@_compiled
def _walk(data: Any, start: int, end: int, words: Any, masks: Any) -> Any:  # noqa: C901, PLR0912, PLR0915 (one automaton over bytes: split, it would carry eight variables from call to call)
    """Hash of the normalised text and the number of its words; fills `words` with their hashes and `masks` with 1 where a skeleton masks them."""
    whole, at, count, chunk, state = _ZERO, start, 0, 0, _AFTER_STOP
    while at < end:
        entry = _TABLE[data[at]]
        if entry & _SPACE:
            if state & _IN_PATH:
                masks[chunk:count] = 1
            chunk = count
            state = _after_space(entry, state & ~_IN_PATH, whole == _ZERO)
            at += 1
            continue
        if state & _PENDING:
            whole = whole * _P + _SPACE_VALUE
            state &= ~_PENDING
        first, before = at, whole
        if entry & _WORD:
            capital, seen = entry & _UPPER, _ZERO
            while entry & _WORD:
                seen |= entry
                whole = whole * _P + (entry & _VALUE)
                at += 1
                if at >= end:
                    break
                entry = _TABLE[data[at]]
            words[count] = _masked_hash(data, first, at) if seen & _DIGIT else whole - before * _power(at - first)
            masks[count] = 1 if seen & _DIGIT or state & _SPANS or (capital and not state & _AFTER_STOP) else 0
            count += 1
            state &= ~_AFTER_STOP
        elif entry & (_WIDE | _SEPARATOR):
            at = _wide_end(data, at, end)
            for byte in range(first, at):
                whole = whole * _P + (_TABLE[data[byte]] & _VALUE)
            if not _is_punctuation(data, first, at):
                words[count] = whole - before * _power(at - first)
                masks[count] = 1 if state & _SPANS else 0
                count += 1
                state &= ~_AFTER_STOP
            elif _is_curly_quote(data, first, at):
                state ^= _QUOTED
        elif entry & _TICK:
            while at < end and _TABLE[data[at]] & _TICK:
                whole = whole * _P + (entry & _VALUE)
                at += 1
            state = (state ^ (_FENCED if at - first > 2 else _INLINE)) | _AFTER_STOP
        else:
            at += 1
            whole = whole * _P + (entry & _VALUE)
            if entry & _BRACKET:
                words[count] = entry & _VALUE
                masks[count] = 1 if state & _SPANS else 0
                count += 1
            state = _after_ascii(entry, state)
    if state & _IN_PATH:
        masks[chunk:count] = 1
    return whole, count


@_compiled
def _skeleton(words: Any, masks: Any, count: int) -> Any:
    """Hash of the head and tail words, runs of masked ones as one."""
    value, masked, at = _ZERO, False, 0
    while at < count:
        if at == _HEAD and count - _TAIL > at:
            at = count - _TAIL
        if not masks[at]:
            value = value * _R + words[at]
        elif not masked:
            value = value * _R + _MASK
        masked = masks[at] == 1
        at += 1
    return value


@_compiled
def _climb(words: Any, count: int, seed: Any, rungs: Any) -> Any:
    """Fills the prefix ladder and gives the prefix key: its first rung, or all words where there are fewer."""
    value, rung = _ZERO, 0
    rungs[:] = 0
    for at in range(min(count, _LADDER_END)):
        value = value * _R + words[at]
        if at + 1 == _LADDER[rung]:
            rungs[rung] = _mix(value + seed) >> _S1
            rung += 1
    return rungs[0] if rung > 0 else _mix(value + seed) >> _S1


@_compiled
def texts(data: Any, starts: Any, ends: Any, seeds: Any) -> Any:
    """See `fingerprints.texts`."""
    rows, longest, room = len(starts), 0, 0
    for row in range(rows):
        longest = max(longest, ends[row] - starts[row])
        room += min(ends[row] - starts[row], _HEAD + _TAIL)
    keys, counts = np.zeros((3, rows), np.uint64), np.zeros(rows, np.int64)
    ladder, kept, offsets = np.zeros((rows, _RUNGS), np.uint64), np.empty(room, np.uint64), np.zeros(rows + 1, np.int64)
    words, masks, used = np.empty(longest, np.uint64), np.empty(longest, np.uint8), 0
    for row in range(rows):
        whole, count = _walk(data, starts[row], ends[row], words, masks)
        counts[row] = count if whole != _ZERO else -1
        keys[0, row] = _mix(whole + seeds[0]) >> _S1
        keys[1, row] = _climb(words, count, seeds[1], ladder[row])
        keys[2, row] = _mix(_skeleton(words, masks, count) + seeds[2]) >> _S1
        at = 0
        while at < count:
            if at == _HEAD and count - _TAIL > at:
                at = count - _TAIL
            kept[used] = words[at]
            used += 1
            at += 1
        offsets[row + 1] = used
    return keys, counts, ladder, kept[:used], offsets


@_compiled
def _sorted_distinct(values: Any, count: int, shift: Any, slots: Any, spare: Any) -> int:
    """Sorts the first `count` uniform values (of 32 bits after `shift`) in place, drops repeats, gives how many are left."""
    slots[: count + 1] = 0
    for at in range(count):
        slots[((values[at] >> shift) * np.uint64(count)) >> _S32] += 1
    total = 0
    for slot in range(count):
        here = slots[slot]
        slots[slot] = total
        total += here
    for at in range(count):
        slot = ((values[at] >> shift) * np.uint64(count)) >> _S32
        spare[slots[slot]] = values[at]
        slots[slot] += 1
    left = 0
    for at in range(count):  # slots are in order, so an element moves only inside its slot
        value, back = spare[at], at
        while back > 0 and spare[back - 1] > value:
            spare[back] = spare[back - 1]
            back -= 1
        spare[back] = value
    for at in range(count):
        if left == 0 or values[left - 1] != spare[at]:
            values[left] = spare[at]
            left += 1
    return left


@_compiled
def sketches(words: Any, offsets: Any, rows: Any) -> Any:
    """See `fingerprints.sketches`."""
    number = len(rows)
    shingles, shingle_ends, shingle_counts = np.empty(number * _SHINGLES, np.int64), np.zeros(number + 1, np.int64), np.zeros(number, np.int64)
    tokens, token_ends = np.empty(number * _TOKENS, np.int32), np.zeros(number + 1, np.int64)
    values, slots, spare = np.empty(_HEAD + _TAIL, np.uint64), np.empty(_HEAD + _TAIL + 1, np.int64), np.empty(_HEAD + _TAIL, np.uint64)
    for index in range(number):
        start, count = offsets[rows[index]], offsets[rows[index] + 1] - offsets[rows[index]]
        size = min(count, _SHINGLE)
        grams = count - size + 1 if count > 0 else 0
        for at in range(grams):
            value = _ZERO
            for word in range(start + at, start + at + size):
                value = value * _R + words[word]
            values[at] = _mix(value) >> _S1
        left = _sorted_distinct(values, grams, _S31, slots, spare)
        shingle_counts[index], used = left, shingle_ends[index]
        for at in range(min(left, _SHINGLES)):
            shingles[used + at] = np.int64(values[at])
        shingle_ends[index + 1] = used + min(left, _SHINGLES)
        for at in range(count):
            values[at] = _mix(words[start + at]) >> _S33
        left, used = _sorted_distinct(values, count, _ZERO, slots, spare), token_ends[index]
        for at in range(min(left, _TOKENS)):
            tokens[used + at] = np.int32(values[at])
        token_ends[index + 1] = used + min(left, _TOKENS)
    return shingles[: shingle_ends[number]], shingle_ends, shingle_counts, tokens[: token_ends[number]], token_ends


@_compiled
def normalised(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.normalised`."""
    values = np.zeros(len(starts), np.uint64)
    for row in range(len(starts)):
        value, pending = _ZERO, False
        for at in range(starts[row], ends[row]):
            entry = _TABLE[data[at]]
            if entry & _SPACE:
                pending = value != _ZERO
                continue
            if pending:
                value = value * _P + _SPACE_VALUE
                pending = False
            value = value * _P + (entry & _VALUE)
        values[row] = value
    return values


@_compiled
def raw(data: Any, starts: Any, ends: Any) -> Any:
    """See `fingerprints.raw`."""
    values = np.zeros(len(starts), np.uint64)
    for row in range(len(starts)):
        value = _ZERO
        for at in range(starts[row], ends[row]):
            value = value * _P + np.uint64(data[at]) + _ONE
        values[row] = value
    return values
