"""What becomes of a row's text: keys of the prompt, system prompt and response, and the fingerprints that samples need.

The user's own text is what is left of `prompt` when a known client's preamble (context/preambles.toml) is cut from its start. Where there is no text, a
fingerprint that the log brings stands in, in a namespace of its own: SimHash, MinHash, block hashes, then the hash of the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types as pt

from pipeline.ingest.context import Preamble, cut_preambles
from pipeline.measures import fingerprints as fp

I64 = NDArray[np.int64]
NONE, TEXT, SIMHASH, MINHASH, BLOCKS, HASH = range(6)
"""Values of prompt_source: which namespace a row's prompt keys belong to."""


@dataclass(frozen=True)
class PromptColumns:
    """Narrow columns that come of text, and the fingerprints of the prompts (None if the batch has none)."""

    columns: dict[str, pa.Array]
    texts: fp.TextFingerprints | None
    sampled: NDArray[np.bool_]
    """Rows that have a prompt key."""


@dataclass
class _PromptKeys:
    """The three keys of each row's prompt while they are filled, source by source."""

    source: NDArray[np.int32]
    prompt: I64
    prefix: I64
    skeleton: I64

    def fill(self, rows: NDArray[np.bool_], source: int, **keys: I64) -> None:
        """Set the keys of rows that have none yet."""
        rows = rows & (self.source == NONE)
        self.source[rows] = source
        for name, values in keys.items():
            getattr(self, name)[rows] = values[rows]


def prompt_columns(columns: Mapping[str, pa.Array], count: int, preambles: tuple[Preamble, ...]) -> PromptColumns:
    """Columns prompt_*, prefix_key, skeleton_key, system_*, response_key and preamble of a batch."""
    keys = _PromptKeys(np.zeros(count, np.int32), *(np.full(count, -1, np.int64) for _ in range(3)))
    words = np.full(count, -1, np.int64)
    chars = columns["prompt_chars"].fill_null(-1).to_numpy(zero_copy_only=False).copy() if "prompt_chars" in columns else np.full(count, -1, np.int64)
    preamble = np.full(count, -1, np.int32)
    texts = _from_text(columns.get("prompt"), preambles, keys, words, chars, preamble)
    for fill in (_from_simhash, _from_minhash, _from_blocks, _from_hash):
        fill(columns, keys)
    made = {"prompt_key": _nullable(keys.prompt), "prefix_key": _nullable(keys.prefix), "skeleton_key": _nullable(keys.skeleton), "prompt_source": pa.array(keys.source),
            "prompt_words": _nullable(words), "prompt_chars": _nullable(chars), "preamble": pa.array(preamble)}  # fmt: skip
    made["system_key"], made["system_chars"] = _system(columns, count)
    response = _text_or_hash(columns.get("response"), columns.get("response_hash"), "response", count)
    return PromptColumns({**made, "response_key": response}, texts, keys.prompt >= 0)


def _nullable(values: NDArray[np.int64]) -> pa.Array:
    """Values, null where they are negative."""
    return pa.array(values, mask=values < 0)


def _from_text(values: pa.Array | None, preambles: tuple[Preamble, ...], keys: _PromptKeys, words: I64, chars: I64, preamble: NDArray[np.int32]) -> fp.TextFingerprints | None:
    if values is None or values.null_count == len(values):
        return None
    spans = fp.spans_of(values)
    present = np.asarray(values.is_valid())
    lengths = pc.utf8_length(values).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    spans, lengths = cut_preambles(spans, lengths, preambles, preamble)
    texts = fp.texts(spans, "prompt")
    some = texts.word_counts > 0
    keys.fill(texts.word_counts >= 0, TEXT, prompt=texts.exact, prefix=np.where(some, texts.prefix, -1), skeleton=np.where(some, texts.skeleton, -1))
    words[present] = np.maximum(texts.word_counts, 0)[present]
    chars[present] = lengths[present]
    return texts


def _from_simhash(columns: Mapping[str, pa.Array], keys: _PromptKeys) -> None:
    """A SimHash is made after masking numbers and names: it is the skeleton as well as the prompt."""
    values = columns.get("prompt_simhash")
    if values is not None and values.null_count < len(values):
        numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
        keys.fill(np.asarray(values.is_valid()), SIMHASH, prompt=fp.number_keys(numbers, "prompt-simhash"), skeleton=fp.number_keys(numbers, "prompt-simhash-skeleton"))


def _from_minhash(columns: Mapping[str, pa.Array], keys: _PromptKeys) -> None:
    values = columns.get("prompt_minhash")
    if values is not None and values.null_count < len(values):
        key = _list_keys(values, "prompt-minhash", lambda lengths: lengths)
        keys.fill(np.asarray(values.is_valid()), MINHASH, prompt=key, skeleton=key)


def _from_blocks(columns: Mapping[str, pa.Array], keys: _PromptKeys) -> None:
    """Block hashes are chained: the first stands for the prefix, all of them for the prompt."""
    values = columns.get("prompt_block_hashes")
    if values is not None and values.null_count < len(values):
        whole = _list_keys(values, "prompt-blocks", lambda lengths: lengths)
        keys.fill(np.asarray(values.is_valid()), BLOCKS, prompt=whole, prefix=_list_keys(values, "prompt-blocks-prefix", lambda lengths: np.minimum(lengths, 1)))


def _from_hash(columns: Mapping[str, pa.Array], keys: _PromptKeys) -> None:
    values = columns.get("prompt_hash")
    if values is not None and values.null_count < len(values):
        key = _value_keys(values, "prompt-hash")
        keys.fill(np.asarray(key.is_valid()), HASH, prompt=key.fill_null(-1).to_numpy(zero_copy_only=False))


def _list_keys(values: pa.Array, namespace: str, take: Callable[[I64], I64]) -> I64:
    """Key of the first `take(length)` numbers of each row's list."""
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = pc.list_flatten(values).fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64)
    wanted = take(lengths)
    first = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths) < np.repeat(wanted, lengths)
    ends = np.cumsum(wanted)
    return fp.sequence_keys(flat[first], ends - wanted, ends, namespace, ordered=True)


def _value_keys(values: pa.Array, namespace: str) -> pa.Array:
    distinct = values if pt.is_dictionary(values.type) else values.dictionary_encode()
    return pa.array(fp.value_keys(fp.spans_of(distinct.dictionary), namespace)).take(distinct.indices)


def _text_or_hash(texts: pa.Array | None, hashes: pa.Array | None, name: str, count: int) -> pa.Array:
    """Key of a normalised text, else of the hash that the log brings, in a namespace of its own."""
    key = pa.nulls(count, pa.int64())
    if texts is not None and texts.null_count < count:
        distinct = pt.is_dictionary(texts.type)
        keys, some = fp.text_keys(fp.spans_of(texts.dictionary if distinct else texts), f"{name}-text")
        key = pa.array(keys, mask=~some)
        key = key.take(texts.indices) if distinct else key
    if hashes is not None and hashes.null_count < count:
        key = pc.coalesce(key, _value_keys(hashes, f"{name}-hash"))
    return key


def _system(columns: Mapping[str, pa.Array], count: int) -> tuple[pa.Array, pa.Array]:
    texts = columns.get("system_prompt")
    key = _text_or_hash(texts, columns.get("system_prompt_hash"), "system", count)
    if texts is None:
        return key, pa.nulls(count, pa.int32())
    if pt.is_dictionary(texts.type):
        return key, pc.utf8_length(texts.dictionary).take(texts.indices)
    return key, pc.utf8_length(texts)
