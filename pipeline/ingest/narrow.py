"""From a batch of clean rows to narrow ones: keys, numbers and short labels; no text and no identifier but the request's.

The columns are those of schema.REQUESTS (without gap_us, which only a whole day shows; source_file as the file's number, labels as dictionaries) and four that
live only until the day is finished: `day`, `id_key` (source_system and request_id), `seen` (bit i: READ_COLUMNS[i] was logged), `preamble` (place of the known client
whose preamble was cut, -1 none).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types as pt

from pipeline.ingest.addresses import address_keys, prefix_keys
from pipeline.ingest.cleaning import CleanRows
from pipeline.ingest.columns import READ_COLUMNS
from pipeline.ingest.context import Preamble
from pipeline.ingest.ordering import first_of_each
from pipeline.ingest.prompts import PromptColumns, prompt_columns
from pipeline.ingest.tables import arrow_schema
from pipeline.measures import fingerprints as fp
from pipeline.schema import REQUESTS

I64 = NDArray[np.int64]
LABEL_LENGTH = 200
_OPAQUE_LENGTH, _OPAQUE = pa.scalar(12), r"[0-9][A-SU-Ya-su-y].*[0-9][A-SU-Ya-su-y]"
_MICRO, _MILLI = 1e6, 1e3
_RATE_LIMITED, _EMPTY = pa.scalar(429), pa.scalar("")
"""Arrow looks for an optional package each time that it takes a Python value over."""
_LABELS = {"source_system": "source_system", "model": "model", "operation": "operation", "finish_reason": "finish_reason", "policy_action": "policy_action",
           "ip_category": "client_ip_category", "country": "client_country"}  # fmt: skip
_KEYS = {"account_key": ("account_id", "account"), "organization_key": ("organization_id", "organization"), "api_key_key": ("api_key_id", "api_key"),
         "end_user_key": ("end_user_id", "end_user"), "session_key": ("session_id", "session"), "agent_key": ("user_agent", "agent"), "ja4_key": ("ja4", "ja4")}  # fmt: skip
_NUMBERS = {"input_tokens": "input_tokens", "output_tokens": "output_tokens", "cache_read_tokens": "cache_read_input_tokens", "reasoning_tokens": "reasoning_output_tokens",
            "max_tokens": "max_tokens", "choice_count": "n", "status_code": "status_code", "asn": "client_asn", "message_count": "message_count"}  # fmt: skip
_SCALED = {"temperature_milli": ("temperature", _MILLI), "top_p_milli": ("top_p", _MILLI), "latency_us": ("latency_ms", _MILLI), "cost_micro_usd": ("cost_usd", _MICRO)}
_FLAGS = {"stream": "stream", "is_batch": "is_batch", "is_cached_response": "is_cached_response"}
_SMALL = frozenset(field.name for field in arrow_schema(REQUESTS) if field.type == pa.int32())
_LABEL_TYPE = pa.dictionary(pa.int32(), pa.string())


def _narrow_schema() -> pa.Schema:
    """The columns of schema.REQUESTS as they are until the day is finished."""
    changed = dict.fromkeys(_LABELS, _LABEL_TYPE) | {"source_file": pa.int32()}
    own = [(field.name, changed.get(field.name, field.type)) for field in arrow_schema(REQUESTS) if field.name != "gap_us"]
    return pa.schema([*own, ("day", pa.int32()), ("id_key", pa.int64()), ("seen", pa.int64()), ("preamble", pa.int32())])


NARROW = _narrow_schema()
NAMES = pa.schema([("day", pa.int32()), ("kind", pa.string()), ("value_key", pa.int64()), ("label", pa.string())])


@dataclass(frozen=True)
class NarrowBatch:
    """Narrow rows, what their names are, and the fingerprints that samples are made of."""

    rows: pa.RecordBatch
    names: pa.Table
    prompts: PromptColumns


def narrow(clean: CleanRows, preambles: tuple[Preamble, ...]) -> NarrowBatch:
    """Narrow rows of a batch that has at least one row."""
    columns, count = clean.columns, len(clean)
    prompts = prompt_columns(columns, count, preambles)
    made: dict[str, pa.Array] = {"ts_us": pa.array(clean.ts_us), "request_id": columns["request_id"], "source_file": pa.array(clean.file), "source_row": pa.array(clean.row)}
    made |= {name: _keys(columns.get(source), namespace, count) for name, (source, namespace) in _KEYS.items()}
    made |= {name: _label(columns.get(source), count) for name, source in _LABELS.items()}
    made |= {name: _number(columns.get(source), name, count) for name, source in _NUMBERS.items()}
    made |= {name: _scaled(columns.get(source), factor, name, count) for name, (source, factor) in _SCALED.items()}
    made |= {name: columns[source] if source in columns else pa.nulls(count, pa.bool_()) for name, source in _FLAGS.items()}
    made["is_rate_limited"] = _rate_limited(columns, count)
    made["ip_key"], derived = address_keys(columns.get("client_ip"), columns.get("client_ip_hash"), count)
    made["ip_prefix_key"] = pc.coalesce(prefix_keys(columns.get("client_ip_prefix"), count), derived)
    made["is_opaque_session"] = _opaque(columns.get("session_id"), count)
    made["agent_product_key"] = _keys(product_of(columns.get("user_agent")), "agent_product", count)
    made["stack_key"] = _together([made["agent_key"], made["ja4_key"]], "stack")
    made["headers_key"] = _headers_key(columns, count)
    made["tools_key"] = pc.coalesce(_keys(columns.get("tool_definitions_hash"), "tools_definitions", count), _tool_names_key(columns.get("tool_names"), count))
    made |= prompts.columns
    made |= {"day": pa.array(clean.day), "id_key": _id_key(columns, count), "seen": pa.array(_seen(columns, count))}
    rows = pa.RecordBatch.from_arrays([_typed(made[field.name], field.type) for field in NARROW], schema=NARROW)
    return NarrowBatch(rows, _names(clean, made), prompts)


def _typed(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    return values if values.type == wanted else values.cast(wanted)


def _keys(values: pa.Array | None, namespace: str, count: int) -> pa.Array:
    """Key per row of a string column, made once per distinct value where it is a dictionary."""
    if values is None:
        return pa.nulls(count, pa.int64())
    if pt.is_dictionary(values.type):
        return pa.array(fp.value_keys(fp.spans_of(values.dictionary), namespace)).take(values.indices)
    return _masked(fp.value_keys(fp.spans_of(values), namespace), values)


def _masked(keys: I64, like: pa.Array) -> pa.Array:
    """Keys, null where the column that they were made of is."""
    return pa.array(keys, mask=np.asarray(like.is_null())) if like.null_count else pa.array(keys)


def _label(values: pa.Array | None, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, _LABEL_TYPE)
    if not pt.is_dictionary(values.type):
        return values.dictionary_encode()
    return values.cast(_LABEL_TYPE)


def _number(values: pa.Array | None, name: str, count: int) -> pa.Array:
    wanted = pa.int32() if name in _SMALL else pa.int64()
    return pa.nulls(count, wanted) if values is None else values.cast(wanted)


def _scaled(values: pa.Array | None, factor: float, name: str, count: int) -> pa.Array:
    """A float column in integer units, rounded half to even."""
    wanted = pa.int32() if name in _SMALL else pa.int64()
    if values is None or values.null_count == count:
        return pa.nulls(count, wanted)
    scaled = np.rint(values.fill_null(0).to_numpy(zero_copy_only=False) * factor)
    return pa.array(scaled.astype(np.int64), mask=np.asarray(values.is_null())).cast(wanted)


def _rate_limited(columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    said = columns.get("is_rate_limited")
    status = columns.get("status_code")
    derived = pc.equal(status, _RATE_LIMITED) if status is not None else pa.nulls(count, pa.bool_())
    return derived if said is None else pc.coalesce(said, derived)


def _opaque(ids: pa.Array | None, count: int) -> pa.Array:
    """Whether an id is no word, date or counter that strangers' programs may use too. Letters and digits of a random one change places; T and Z stand in dates."""
    if ids is None:
        return pa.nulls(count, pa.bool_())
    if pt.is_dictionary(ids.type):
        return _opaque(ids.dictionary, len(ids.dictionary)).take(ids.indices)
    return pc.and_(pc.greater_equal(pc.binary_length(ids), _OPAQUE_LENGTH), pc.match_substring_regex(ids, _OPAQUE))


def product_of(agents: pa.Array | None) -> pa.Array | None:
    """A user agent up to its first slash, space or parenthesis; null if nothing is left."""
    if agents is None:
        return None
    if pt.is_dictionary(agents.type):
        products = product_of(agents.dictionary)
        return products.take(agents.indices) if products is not None else None
    product = pc.replace_substring_regex(agents, r"(?s)[/ (].*", "")
    return pc.if_else(pc.equal(product, _EMPTY), pa.scalar(None, pa.string()), product)


def _together(parts: list[pa.Array], namespace: str) -> pa.Array:
    """Key of several keys of a row together; null if all are."""
    filled = [part.fill_null(-1).to_numpy(zero_copy_only=False) for part in parts]
    absent = np.logical_and.reduce([one == -1 for one in filled])
    return pa.array(fp.combined(filled, namespace), mask=absent)


def _headers_key(columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    named = [_keys(columns.get(name), name, count) for name in ("sdk_name", "sdk_version")]
    headers = columns.get("request_headers")
    if headers is None or headers.null_count == count:
        return _together([*named, pa.nulls(count, pa.int64())], "headers")
    lengths = pc.fill_null(pc.list_value_length(headers), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(lengths)
    flat = pc.list_flatten(headers)
    pairs = [_keys(pc.utf8_lower(flat.field(0)), "header_name", len(flat)), _keys(flat.field(1), "header_value", len(flat))]
    items = fp.combined([part.fill_null(-1).to_numpy(zero_copy_only=False) for part in pairs], "header").view(np.uint64)
    keys = fp.sequence_keys(items, ends - lengths, ends, "request_headers", ordered=False)
    return _together([*named, _masked(keys, headers)], "headers")


def _tool_names_key(names: pa.Array | None, count: int) -> pa.Array:
    """Key of the set of tools offered, whatever their order."""
    if names is None or names.null_count == count:
        return pa.nulls(count, pa.int64())
    flat, parents = pc.list_flatten(names), pc.list_parent_indices(names).to_numpy(zero_copy_only=False)
    keys = fp.value_keys(fp.spans_of(flat), "tool_name")
    distinct = pl.DataFrame({"row": parents, "key": keys}).unique().sort("row", "key")
    lengths = np.bincount(distinct["row"].to_numpy(), minlength=count).astype(np.int64)
    ends = np.cumsum(lengths)
    return _masked(fp.sequence_keys(distinct["key"].to_numpy().view(np.uint64), ends - lengths, ends, "tools_names", ordered=False), names)


def _id_key(columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    parts = [_keys(columns.get("source_system"), "id_system", count), _keys(columns["request_id"], "id_request", count)]
    return pa.array(fp.combined([part.fill_null(-1).to_numpy(zero_copy_only=False) for part in parts], "id"))


def _seen(columns: Mapping[str, pa.Array], count: int) -> I64:
    """Bit i of a row: READ_COLUMNS[i] is not null."""
    always, seen = 0, np.zeros(count, np.int64)
    for bit, name in enumerate(READ_COLUMNS):
        values = columns.get(name)
        if values is None or values.null_count == count:
            continue
        if values.null_count == 0:
            always |= 1 << bit
        else:
            seen |= np.asarray(values.is_valid()).astype(np.int64) << bit
    return seen | np.int64(always)


def _names(clean: CleanRows, made: Mapping[str, pa.Array]) -> pa.Table:
    """What the keys of accounts, agents and TLS fingerprints stand for: one row a day, kind and key. A value may be named on a day that lacks it."""
    sources = {"account": ("account_key", "account_id"), "agent": ("agent_key", "user_agent"), "ja4": ("ja4_key", "ja4")}
    tables = [NAMES.empty_table()]
    days = np.unique(clean.day)
    for kind, (key, source) in sources.items():
        values = clean.columns.get(source)
        if values is None:
            continue
        few = pt.is_dictionary(values.type) and len(values.dictionary) * len(days) * _FEW_NAMES < len(clean)
        named = _named_values(days, values.dictionary, kind) if few else _named_rows(clean.day, made[key], values)
        tables.append(_name_table(named, kind))
        if kind == "agent":
            tables.append(_name_table(_products(named), "agent_product"))
    return pa.concat_tables(tables)


_KINDS = {kind: pa.array([kind]) for kind in ("account", "agent", "ja4", "agent_product")}
_FEW_NAMES = 4
"""A dictionary this many times smaller than its rows, day by day, is named whole."""


def _named_values(days: NDArray[np.int32], values: pa.Array, namespace: str) -> tuple[NDArray[np.int32], I64, pa.Array]:
    """Day, key and value of every value on every day."""
    values = values.drop_null()
    keys = fp.value_keys(fp.spans_of(values), namespace)
    return np.repeat(days, len(values)), np.tile(keys, len(days)), values.take(pa.array(np.tile(np.arange(len(values)), len(days))))


def _named_rows(day: NDArray[np.int32], keys: pa.Array, values: pa.Array) -> tuple[NDArray[np.int32], I64, pa.Array]:
    """Day, key and value of the values that stand in rows, each once a day."""
    at, plain = np.flatnonzero(np.asarray(keys.is_valid())), keys.fill_null(-1).to_numpy(zero_copy_only=False)
    chosen = np.concatenate([at[:0], *(rows[first_of_each(plain[rows])] for rows in (at[day[at] == one] for one in np.unique(day)))])
    picked = values.take(pa.array(chosen))
    return day[chosen], plain[chosen], picked.dictionary_decode() if pt.is_dictionary(picked.type) else picked


def _products(agents: tuple[NDArray[np.int32], I64, pa.Array]) -> tuple[NDArray[np.int32], I64, pa.Array]:
    day, _, values = agents
    products = product_of(values)
    assert products is not None
    keys = pa.array(fp.value_keys(fp.spans_of(products), "agent_product"), mask=np.asarray(products.is_null()))
    return _named_rows(day, keys, products)


def _name_table(named: tuple[NDArray[np.int32], I64, pa.Array], kind: str) -> pa.Table:
    day, keys, values = named
    label = values if kind == "account" else pc.utf8_slice_codeunits(values, 0, LABEL_LENGTH)
    return pa.Table.from_arrays([pa.array(day), _KINDS[kind].take(pa.array(np.zeros(len(day), np.int64))), pa.array(keys), label], schema=NAMES)
