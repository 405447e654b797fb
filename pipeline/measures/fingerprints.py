"""Fingerprints of texts and values: every `_key` of the pipeline is made here, and nowhere else.

A key is a 63-bit non-negative integer: a polynomial modulo 2^64 over bytes or words, added to the seed of its namespace and
mixed. Equal values in one namespace have equal keys; two values chosen without knowing the constants collide with
probability near 2^-63. An adversary who knows the constants can construct collisions, which could only make unrelated
texts look alike in the tables; whatever is shown to a person is read again from the source.

numba compiles the pass; where it cannot be imported, or STILLHUNT_NO_NUMBA=1 is set, numpy computes equal values slower.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.measures import text_bytes as tb
from pipeline.measures.backends import is_compiled

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Spans:
    """Texts as pieces of one byte buffer: row i is data[starts[i]:ends[i]]."""

    data: NDArray[np.uint8]
    starts: I64
    ends: I64

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.starts)


@dataclass(frozen=True)
class TextFingerprints:
    """Fingerprints of texts, one row a text. Keys mean nothing where `word_counts` says that there is nothing to key."""

    exact: I64
    """Key of the normalised text: ASCII lower case, runs of ASCII space as one, none at the ends."""
    prefix: I64
    """Key of the first 8 words (of all words if fewer), digits read as 0; equal to the ladder's first rung."""
    skeleton: I64
    """Key of the first 120 and last 80 words with words that hold digits, capitalised names, quotes, code and paths masked."""
    word_counts: I64
    """Words; -1 if the text is empty or nothing but space (no key then), 0 if it has no word (exact key only)."""
    ladder: I64
    """Keys of the first 8, 16, 32, 64, 128, 256 words, shape (rows, 6); 0 where there are fewer words."""
    words: U64
    """Hashes of the words that the sketch reads, all rows in one."""
    offsets: I64
    """Row i's words are words[offsets[i]:offsets[i + 1]]."""


@dataclass(frozen=True)
class Sketches:
    """Bounded sketches of texts, as flat values with row ends."""

    shingles: NDArray[np.int32]
    """The 48 smallest distinct hashes of word 4-grams a row, ascending, of each the upper 31 of 63 bits (fewer than 4 words: one of all)."""
    shingle_ends: I64
    shingle_counts: I64
    """Word 4-grams that the sketch was taken from, repeats counted."""
    tokens: NDArray[np.int32]
    """The 32 smallest distinct 31-bit word hashes a row, ascending."""
    token_ends: I64


@functools.cache
def _backend() -> Any:
    """The compiled implementation, or numpy (see backends)."""
    if is_compiled():
        from pipeline.measures import fingerprint_numba

        return fingerprint_numba
    from pipeline.measures import fingerprint_numpy

    return fingerprint_numpy


@functools.cache
def _seed(namespace: str) -> np.uint64:
    return tb.seed(namespace)


def _keyed(values: U64, namespace: str) -> I64:
    return (tb.mixed(values + _seed(namespace)) >> np.uint64(1)).view(np.int64)


def spans_of(texts: pa.Array) -> Spans:
    """The bytes of a string, large_string, binary or large_binary array; a null row is empty."""
    wide = pa.types.is_large_string(texts.type) or pa.types.is_large_binary(texts.type)
    _, offsets, data = texts.buffers()
    if len(texts) == 0 or offsets is None:
        empty = np.zeros(0, np.int64)
        return Spans(np.zeros(0, np.uint8), empty, empty)
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    content = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    stops = ends[1:]
    if texts.null_count:
        stops = np.where(np.asarray(texts.is_null()), ends[:-1], stops)
    return Spans(content, np.ascontiguousarray(ends[:-1]), np.ascontiguousarray(stops))


def texts(spans: Spans, source: str) -> TextFingerprints:
    """Fingerprints of texts in the namespaces `source`-exact, -prefix and -skeleton. No rows give empty arrays."""
    seeds = np.array([_seed(f"{source}-{part}") for part in ("exact", "prefix", "skeleton")], dtype=np.uint64)
    keys, counts, ladder, words, offsets = _backend().texts(spans.data, spans.starts, spans.ends, seeds)
    exact, prefix, skeleton = keys.view(np.int64)
    return TextFingerprints(exact, prefix, skeleton, counts, ladder.view(np.int64), words, offsets)


def sketches(of: TextFingerprints, rows: I64) -> Sketches:
    """Sketches of some rows of a batch of texts, in the order of `rows`."""
    return Sketches(*_backend().sketches(of.words, of.offsets, rows))


def text_keys(spans: Spans, namespace: str) -> tuple[I64, Bools]:
    """Keys of normalised texts (as `TextFingerprints.exact`), and which rows hold more than space."""
    values, some = _backend().normalised(spans.data, spans.starts, spans.ends)
    return _keyed(values, namespace), some


def value_keys(spans: Spans, namespace: str) -> I64:
    """Keys of values byte by byte, nothing normalised."""
    return _keyed(_backend().raw(spans.data, spans.starts, spans.ends), namespace)


def number_keys(values: U64, namespace: str) -> I64:
    """Keys of unsigned integers."""
    return _keyed(tb.mixed(values), namespace)


def combined(parts: Sequence[I64], namespace: str) -> I64:
    """Key of several keys together, in order. A missing part is given as -1 by the caller."""
    value = np.zeros(len(parts[0]), np.uint64)
    for part in parts:
        value = value * tb.WORD_BASE + part.view(np.uint64)
    return _keyed(value, namespace)


def ipv4_networks(addresses: Spans) -> tuple[Bools, Spans]:
    """Which texts are plain IPv4 addresses (four numbers to 255 without leading zeros), and the /24 of each as text, `203.0.113.0/24`; empty where it is none."""
    plain, data, stops = _backend().ipv4_networks(addresses.data, addresses.starts, addresses.ends)
    return plain, Spans(data, stops[:-1], stops[1:])


def sequence_keys(values: U64, starts: I64, ends: I64, namespace: str, *, ordered: bool) -> I64:
    """Key of each row's run of values (contiguous: each row starts where the one before ends), in order or whatever their order."""
    factors = np.ones(len(values), np.uint64)
    if ordered:
        at = np.arange(len(values)) - np.repeat(starts, ends - starts)
        factors = _powers(int(at.max(initial=0)) + 1)[at]
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(tb.mixed(values) * factors, dtype=np.uint64)])
    return _keyed(total[ends] - total[starts], namespace)


def _powers(count: int) -> U64:
    factors = np.full(count, tb.WORD_BASE, dtype=np.uint64)
    factors[:1] = 1
    return np.multiply.accumulate(factors)
