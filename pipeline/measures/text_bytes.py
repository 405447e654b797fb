"""What each byte of a text means to the fingerprint pass, and the constants of its hash: one table for both implementations.

A text is read as UTF-8 bytes. Lower-casing covers ASCII letters only: full Unicode lower-casing changes lengths, depends on the
Unicode version, and would cost as much as the rest of the pass; two texts that differ in the case of a Cyrillic letter
therefore have two exact keys, and their templates still share every other word.

Words are runs of ASCII letters, digits, `_`, `'` and of the bytes of two-byte letters and of the scripts that write words apart
(Greek, Cyrillic, Arabic, Hebrew, Indic, Hangul ...). Characters led by E2 to E9 and EF to F4 (Han, kana, symbols, emoji) are words of one character each, as those scripts
write no spaces; U+0080 to U+00BF and U+2000 to U+207F (no-break space, dashes, curly quotes, direction marks) separate words. A
lead byte takes the continuation bytes that follow it, as many as it announces; bytes that are no valid UTF-8 are letters.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

SHINGLE_WORDS = 4
"""Words in a shingle."""
SHINGLES = 48
"""Smallest shingle hashes that a sketch keeps."""
TOKENS = 32
"""Smallest word hashes that a sketch keeps."""
HEAD_WORDS = 120
"""Words from the start that skeleton and sketch read (about 600 characters of English)."""
TAIL_WORDS = 80
"""Words from the end that skeleton and sketch read (about 400 characters of English)."""
LADDER = (8, 16, 32, 64, 128, 256)
"""Word counts of the prefix ladder; the first is the prefix key."""

BYTE_BASE = np.uint64(0x9E3779B97F4A7C15)
"""Base of the polynomial over bytes; 5 modulo 8, so that its powers have the longest period modulo 2^64."""
WORD_BASE = np.uint64(0xD6E8FEB86659FD95)
"""Base of the polynomials over words."""
MASK_WORD = np.uint64(0xA0761D6478BD642F)
"""Stands for any run of masked words in a skeleton."""
MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)

VALUE = np.uint64(0x1FF)
"""Bits of a table entry that hold the lower-case byte plus one (so that a leading NUL counts)."""
WORD, DIGIT, UPPER, SPACE, NEWLINE, BRACKET, STOP, QUOTE, TICK, PATH, SEPARATOR, WIDE, FOUR, FOLLOW = (np.uint64(1 << bit) for bit in range(9, 23))

DIGIT_VALUE = np.uint64(ord("0") + 1)
SPACE_VALUE = np.uint64(ord(" ") + 1)


def _entry(byte: int) -> int:
    """The table entry of one byte: its lower-case value plus one, and its classes."""
    char = chr(byte) if byte < 0x80 else ""
    flags = [flag for flag, members in _ASCII.items() if char and char in members]
    if byte >= 0x80:
        flags = _high(byte)
    lower = byte + 32 if "A" <= char <= "Z" else byte
    return (lower + 1) | sum(int(flag) for flag in flags)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ASCII: dict[np.uint64, str] = {
    WORD: _LETTERS + _LETTERS.upper() + "0123456789_'",
    DIGIT: "0123456789",
    UPPER: _LETTERS.upper(),
    SPACE: " \t\n\r\v\f",
    NEWLINE: "\n",
    BRACKET: "<>[]{}#",
    STOP: '<>[]{}#.!?:;-*|"`\n',
    QUOTE: '"',
    TICK: "`",
    PATH: "/\\@",
}


def _high(byte: int) -> list[np.uint64]:
    """Classes of a byte of 0x80 and above."""
    if byte <= 0xBF:
        return [WORD, FOLLOW]
    if byte == 0xC2:
        return [SEPARATOR]
    if 0xE2 <= byte <= 0xE9 or byte == 0xEF:
        return [WIDE]
    if 0xF0 <= byte <= 0xF4:
        return [WIDE, FOUR]
    return [WORD]


TABLE: NDArray[np.uint64] = np.array([_entry(byte) for byte in range(256)], dtype=np.uint64)


def seed(namespace: str) -> np.uint64:
    """The seed of a namespace of keys: equal values in two namespaces get unrelated keys."""
    return np.uint64(int.from_bytes(hashlib.blake2b(namespace.encode(), digest_size=8, person=b"stillhunt-keys").digest(), "little"))
