"""Casting a column to the contract's type: which types may be cast at all, and which single values fail.

A type that cannot be cast is an error of the file, found in its footer. A value that does not fit (2.7 as an integer, a date
beyond the range of microseconds) rejects its row only. Naive timestamps are UTC, whatever the machine's zone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types as pt

Bools = NDArray[np.bool_]


def castable(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column of type `found` may hold values of type `wanted`."""
    if pt.is_dictionary(found):
        return castable(found.value_type, wanted)
    if found == wanted or pt.is_null(found):
        return True
    if pt.is_map(wanted):
        return _is_pairs(found)
    if pt.is_list(wanted):
        return _is_any_list(found) and castable(found.value_type, wanted.value_type)
    if pt.is_string(wanted):
        return _is_any_string(found) or bool(pt.is_integer(found))
    if pt.is_integer(wanted) or pt.is_floating(wanted):
        return bool(pt.is_integer(found) or pt.is_floating(found) or pt.is_decimal(found))
    if pt.is_timestamp(wanted) or pt.is_date32(wanted):
        return bool(pt.is_timestamp(found) or pt.is_date(found))
    return bool(pt.is_boolean(wanted) and pt.is_boolean(found))


def _is_any_string(found: pa.DataType) -> bool:
    return any(test(found) for test in (pt.is_string, pt.is_large_string, pt.is_string_view, pt.is_binary, pt.is_large_binary, pt.is_binary_view))


def _is_any_list(found: pa.DataType) -> bool:
    return any(test(found) for test in (pt.is_list, pt.is_large_list, pt.is_fixed_size_list, pt.is_list_view, pt.is_large_list_view))


def _is_pairs(found: pa.DataType) -> bool:
    """A map of strings, or the list of (key, value) structs that some writers make of one."""
    if pt.is_map(found):
        return _is_any_string(found.key_type) and _is_any_string(found.item_type)
    if not _is_any_list(found) or not pt.is_struct(found.value_type) or found.value_type.num_fields != 2:
        return False
    return all(_is_any_string(found.value_type.field(at).type) for at in range(2))


def cast_values(values: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, Bools | None]:
    """The values in the wanted type, null where one does not fit, and which those are (None: all fit).

    A string column comes back as strings, or as a dictionary of strings where it arrived as one; its bytes are not checked to be UTF-8 here. A map comes back as PAIRS.
    """
    if (values.type == wanted and not pt.is_map(wanted)) or (pt.is_dictionary(values.type) and values.type.value_type == wanted == pa.string()):
        return values, None
    if pt.is_null(values.type):
        return pa.nulls(len(values), PAIRS if pt.is_map(wanted) else wanted), None
    if pt.is_dictionary(values.type):
        if pt.is_string(wanted) and _is_any_string(values.type.value_type):
            return pa.DictionaryArray.from_arrays(values.indices, _as_string(values.dictionary)), None
        values = values.dictionary_decode()
    if pt.is_string(wanted) and _is_any_string(values.type):
        return _as_string(values), None
    if pt.is_map(wanted):
        return _as_pairs(values), None
    if pt.is_list(wanted) and pt.is_string(wanted.value_type) and _is_any_string(values.type.value_type):
        return _as_texts(values), None
    return cast_fitting(values, wanted)


def _as_texts(values: pa.Array) -> pa.Array:
    """Lists of string-like values as lists of `string`, without looking at their bytes."""
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, _as_string(pc.list_flatten(values)), mask=values.is_null())


def _as_string(values: pa.Array) -> pa.Array:
    """String-like values as `string`, without looking at their bytes."""
    if pt.is_string_view(values.type) or pt.is_binary_view(values.type):
        values = values.cast(pa.binary())
    if pt.is_large_string(values.type) or pt.is_large_binary(values.type):
        values = values.view(pa.large_binary()).cast(pa.binary())
    return values.view(pa.string())


PAIRS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
"""What a map of strings is read as: Arrow computes on lists, not on maps."""


def _as_pairs(values: pa.Array) -> pa.Array:
    """A map, or a list of pairs, as PAIRS; a pair without a key is dropped, a row without pairs is empty."""
    if pt.is_map(values.type):
        values = values.cast(pa.list_(pa.struct([("key", values.type.key_type), ("value", values.type.item_type)])))
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    pairs = pc.list_flatten(values)
    keys, items = (_as_string(_whole(pc.struct_field(pairs, at))) for at in range(2))
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    kept = np.asarray(keys.is_valid())
    offsets = np.concatenate([[0], np.cumsum(kept)])[offsets]
    keys, items = keys.filter(pa.array(kept)), items.filter(pa.array(kept))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.StructArray.from_arrays([keys, items], ["key", "value"]))


def _whole(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def cast_fitting(values: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, Bools | None]:
    """Cast; where that fails, find the values that do not fit by halving, and cast the rest."""
    try:
        return _cast(values, wanted), None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        bad = np.zeros(len(values), np.bool_)
        _mark(values, wanted, bad, 0)
        rest = pc.if_else(pa.array(bad), pa.scalar(None, values.type), values) if not pt.is_nested(values.type) else values.take(pa.array(np.arange(len(values)), mask=bad))
        return _cast(rest, wanted), bad


def _mark(values: pa.Array, wanted: pa.DataType, bad: Bools, offset: int) -> None:
    """Sets `bad` where a value alone cannot be cast."""
    try:
        _cast(values, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        if len(values) == 1:
            bad[offset] = True
            return
        half = len(values) // 2
        for start, end in ((0, half), (half, len(values))):
            part = values.take(pa.array(range(start, end))) if pt.is_nested(values.type) else values.slice(start, end - start)  # a slice of lists keeps all their values
            _mark(part, wanted, bad, offset + start)


def _cast(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """One safe cast; finer times lose what is below a microsecond, a NaN becomes null in an integer column."""
    if pt.is_string(values.type):
        return pc.cast(values, wanted)
    if pt.is_timestamp(wanted) or pt.is_date32(wanted):
        return _cast_time(values, wanted)
    if pt.is_integer(wanted) and pt.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if pt.is_floating(wanted) and pt.is_integer(values.type):
        return pc.cast(values, options=pc.CastOptions(target_type=wanted, allow_float_truncate=True))
    return pc.cast(values, wanted)


def _cast_time(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pt.is_date(values.type):
        values = values.cast(pa.timestamp("ms"))
    unit = values.type.unit
    naive = values.view(pa.int64()).view(pa.timestamp(unit))  # a zone only says how an instant is shown
    options = pc.CastOptions(target_type=pa.timestamp("us"), allow_time_truncate=True)
    instants = pc.cast(naive, options=options)
    if pt.is_date32(wanted):
        return pc.cast(instants, options=pc.CastOptions(target_type=pa.date32(), allow_time_truncate=True))
    return instants.view(pa.int64()).view(wanted)
