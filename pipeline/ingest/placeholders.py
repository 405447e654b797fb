"""Values that stand for no value: what forms, exports and test fixtures write where there is nothing to write.

The rule is general and knows no provider: words for absence, one character repeated, a run of counted digits, nothing but
punctuation, any of these behind a short tag (`pay_unknown`, `dev-0000`), and the MD5, SHA-1 and SHA-256 of such a word.
"""

from __future__ import annotations

import hashlib
import re

import pyarrow as pa

_WORDS = frozenset(
    "none null nil na n/a nan unknown undefined unset missing empty absent default dummy example placeholder test testing tester todo tbd anonymous anon redacted removed deleted "
    "not_available not_applicable not_set false true n.a. n.a".split()
) | {"", "not available", "not applicable", "not set"}
_TAG = re.compile(r"^[a-z]{1,12}[_:\-](?=.)")
_MARKS = re.compile(r"[\W_]+")
_COUNTED = ("0123456789" * 3, "1234567890" * 3, "9876543210" * 3)
_SHORTEST_COUNT = 4


def _digests() -> frozenset[str]:
    """Digests of the words, as exports make them of an empty field."""
    return frozenset(make(word.encode()).hexdigest() for word in (*_WORDS, "0", "0000") for make in (_md5, _sha1, hashlib.sha256))


def _md5(data: bytes) -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)


def _sha1(data: bytes) -> hashlib._Hash:
    return hashlib.sha1(data, usedforsecurity=False)


_DIGESTS = _digests()


def is_placeholder(value: str) -> bool:
    """Whether a value says that there is none."""
    text = value.strip().lower()
    return _is_bare(text) or bool(_TAG.match(text) and _is_bare(_TAG.sub("", text)))


def _is_bare(text: str) -> bool:
    inner = _MARKS.sub("", text)
    counted = len(inner) >= _SHORTEST_COUNT and any(inner in run for run in _COUNTED)
    return text in _WORDS or len(set(inner)) <= 1 or counted or text in _DIGESTS


def without_placeholders(values: pa.Array) -> pa.Array:
    """A string column with placeholders as null."""
    return pa.array([None if value is None or is_placeholder(value) else value for value in values.to_pylist()], pa.string())
