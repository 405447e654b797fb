"""What each byte of a text means to the fingerprint pass, and the constants of its hash: one place for both implementations.

A text is read as UTF-8 bytes. Lower-casing covers ASCII letters only: full Unicode lower-casing changes lengths, depends on the
Unicode version, and would cost as much as the rest of the pass; two texts that differ in the case of a Cyrillic letter
therefore have two exact keys, and their templates still share every other word.

Words are runs of ASCII letters, digits, `_`, `'` and of the bytes of two-byte letters and of the scripts that write words apart
(Greek, Cyrillic, Arabic, Hebrew, Indic, Hangul ...). Characters led by E2 to E9 and EF to F4 (Han, kana, symbols, emoji) are words
of one character each, as those scripts write no spaces; U+0080 to U+00BF and U+2000 to U+207F (no-break space, dashes, curly
quotes, direction marks) separate words, and each of `<>[]{}#` is a word. A lead byte takes the continuation bytes that follow it,
as many as it announces; bytes that are no valid UTF-8 are letters.

The hash of a word is a polynomial over its lower-case bytes in little-endian groups of eight: sum of group i of n times BYTE_BASE^(n - i), modulo
2^64. Texts, skeletons, prefixes and shingles are polynomials over words. Only the final mix makes a key of one.
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
"""Base of the polynomial over groups of bytes; 5 modulo 8, so that its powers have the longest period modulo 2^64."""
WORD_BASE = np.uint64(0xD6E8FEB86659FD95)
"""Base of the polynomials over words."""
MASK_WORD = np.uint64(0xA0761D6478BD642F)
"""Stands for any run of masked words in a skeleton."""
SPACED = np.uint64(0xE7037ED1A0B428DB)
"""Added to an item of the exact hash that has space before it."""
MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)

SPACE, WORD, MARK = (np.uint8(1 << bit) for bit in range(3))
"""Classes of a byte, one each: ASCII space, part of a word, or a mark that the walk looks at. A newline is space and mark."""
BRACKET, STOP, QUOTE, TICK, PATH, SEPARATOR, WIDE, FOUR = (np.uint8(1 << bit) for bit in range(8))
"""What a mark is: a word by itself; something after which a capital says nothing; what opens a quote, code, a path; a lead byte of a separator (two bytes), of a
character of three bytes, of four."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD_CHARS = frozenset(_LETTERS + _LETTERS.upper() + "0123456789_'")
_SPACES = frozenset(" \t\n\r\v\f")
_MARKS = ((BRACKET, "<>[]{}#"), (STOP, '<>[]{}#.!?:;-*|"`\n'), (QUOTE, '"'), (TICK, "`"), (PATH, "/\\@"))


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """MurmurHash3's 64-bit finaliser: a bijection that spreads every bit of the input over the output."""
    values = values ^ (values >> np.uint64(33))
    values = values * MIX_1
    values ^= values >> np.uint64(33)
    values *= MIX_2
    return values ^ (values >> np.uint64(33))


def _class(byte: int) -> int:
    """The class of a byte."""
    char = chr(byte)
    if byte >= 0x80:
        return int(MARK if _mark(byte) else WORD)
    if char in _SPACES:
        return int(SPACE | MARK if char == "\n" else SPACE)
    return int(WORD if char in _WORD_CHARS else MARK)


def _mark(byte: int) -> int:
    """What a mark is."""
    if byte < 0x80:
        return sum(int(flag) for flag, members in _MARKS if chr(byte) in members)
    if byte == 0xC2:
        return int(SEPARATOR)
    if 0xE2 <= byte <= 0xE9 or byte == 0xEF:
        return int(WIDE)
    return int(WIDE | FOUR) if 0xF0 <= byte <= 0xF4 else 0


CLASSES: NDArray[np.uint8] = np.array([_class(byte) for byte in range(256)], dtype=np.uint8)
MARKS: NDArray[np.uint8] = np.array([_mark(byte) for byte in range(256)], dtype=np.uint8)


def seed(namespace: str) -> np.uint64:
    """The seed of a namespace of keys: equal values in two namespaces get unrelated keys."""
    return np.uint64(int.from_bytes(hashlib.blake2b(namespace.encode(), digest_size=8, person=b"stillhunt-keys").digest(), "little"))
