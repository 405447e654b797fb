"""Stage 21: the distinct values that an account used on a UTC day, by kind, with the requests that used them.

Values are fingerprints; what the log holds as words (country, model) gets a key of its own here, the AS number is its own key, and settings combines max_tokens
(cut at 2^38), temperature (cut at 2^20 thousandths) and stream into one integer, absent where none of the three is known. Calls that generate nothing
(embeddings, token counts) have no system prompt and no settings.

Requests are sorted by account, so each kind is one walk over its columns: a batch and what the last account of the batch before it had are all that is in memory.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.measures.tallies import Tally, tallied, whole
from pipeline.stages.days import DayReader

I64 = NDArray[np.int64]
_DAY_US = 86_400_000_000
_ROWS = 1 << 17
_MOST_CAP, _MOST_TEMPERATURE = (1 << 38) - 1, (1 << 20) - 1
_SILENT = ("embeddings", "count_tokens")
_KEY_DIGITS = 15
"""Hexadecimal digits of a word's MD5 that make its key: 60 bits."""


def account_entities(days: Sequence[DayReader], config: Config) -> Iterator[pa.RecordBatch]:
    """In: requests, a reader for each UTC day, sorted by account. Out: account_entities in the order of its grain, in batches. Nothing in, nothing out."""
    for read in days:
        for first in read(("ts_us",), 1):
            day = first.column(0)[0].as_py() // _DAY_US
            break
        else:
            continue
        held = _held(read)
        for kind, (columns, keys) in _KINDS.items():
            batches = read(("account_key", *columns), _ROWS) if held is None else (held,)
            for tally in whole(_tallies(batches, columns, keys)):
                yield _batch(day, kind, tally)


def _held(read: DayReader) -> pa.RecordBatch | None:
    """All columns of a day that one batch holds: its accounts are read once for all kinds. None for a longer day."""
    batches = read(_COLUMNS, _ROWS)
    first = next(batches)
    return first if next(batches, None) is None else None


def _tallies(batches: Iterable[pa.RecordBatch], columns: tuple[str, ...], keys: Callable[..., pa.Array]) -> Iterator[Tally]:
    for rows in batches:
        account, key = rows.column("account_key").to_numpy(), keys(*(rows.column(name) for name in columns))
        if key.null_count:
            known = key.is_valid()
            account, key = account[np.asarray(known)], key.filter(known)
        yield tallied(account, key.to_numpy())


def _batch(day: int, kind: str, tally: Tally) -> pa.RecordBatch:
    account, value, count = tally
    kinds = pa.DictionaryArray.from_arrays(np.zeros(len(account), np.int32), pa.array([kind]))
    days = pa.array(np.full(len(account), day, np.int32)).view(pa.date32())
    return pa.RecordBatch.from_arrays([days, kinds, *map(pa.array, (account, value, count))], ["day", "kind", "account_key", "value_key", "request_count"])


def _as_logged(values: pa.Array) -> pa.Array:
    return values


def _word_keys(words: pa.Array) -> pa.Array:
    coded = words if pa.types.is_dictionary(words.type) else words.dictionary_encode()
    return pa.array(map(_word_key, coded.dictionary.to_pylist()), pa.int64()).take(coded.indices)


@functools.lru_cache(1 << 12)
def _word_key(word: str) -> int:
    """60-bit key of a word; as `fx_key` gives it in SQL."""
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest()[:_KEY_DIGITS], 16)


def _generated(keys: pa.Array, operation: pa.Array) -> pa.Array:
    """The keys of requests that generate text, null for the others."""
    coded = operation if pa.types.is_dictionary(operation.type) else operation.dictionary_encode()
    silent = pa.array([word in _SILENT for word in coded.dictionary.to_pylist()], pa.bool_()).take(coded.indices)
    return pc.if_else(pc.fill_null(silent, False), pa.scalar(None, keys.type), keys)


def _settings(cap: pa.Array, temperature: pa.Array, stream: pa.Array, operation: pa.Array) -> pa.Array:
    """One integer for the three, each from 1 where it is known and 0 where not."""
    known = (_from_one(cap, _MOST_CAP) << 21 | _from_one(temperature, _MOST_TEMPERATURE)) * 3
    made = known + pc.fill_null(pc.add(stream.cast(pa.int8()), pa.scalar(1, pa.int8())), 0).to_numpy().astype(np.int64)
    return _generated(pa.array(made, mask=made == 0), operation)


def _from_one(values: pa.Array, most: int) -> I64:
    known = np.asarray(values.is_valid())
    found: I64 = np.where(known, np.clip(values.cast(pa.int64()).fill_null(0).to_numpy(), 0, most) + 1, 0)
    return found


_KINDS: dict[str, tuple[tuple[str, ...], Callable[..., pa.Array]]] = {
    "agent": (("agent_key",), _as_logged),
    "agent_product": (("agent_product_key",), _as_logged),
    "api_key": (("api_key_key",), _as_logged),
    "asn": (("asn",), _as_logged),
    "country": (("country",), _word_keys),
    "end_user": (("end_user_key",), _as_logged),
    "headers": (("headers_key",), _as_logged),
    "ip": (("ip_key",), _as_logged),
    "ip_prefix": (("ip_prefix_key",), _as_logged),
    "ja4": (("ja4_key",), _as_logged),
    "model": (("model",), _word_keys),
    "settings": (("max_tokens", "temperature_milli", "stream", "operation"), _settings),
    "stack": (("stack_key",), _as_logged),
    "system": (("system_key", "operation"), _generated),
    "tools": (("tools_key",), _as_logged),
}
"""The columns of each kind and what makes its keys of them (null: no value), in the order of their names."""
_COLUMNS = ("account_key", *dict.fromkeys(name for columns, _ in _KINDS.values() for name in columns))
