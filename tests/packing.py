"""Lists of prompt_samples as bytes and back, number by number in plain Python: what the program reads and writes all at once."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import polars as pl

FORMATS = {"shingles": "i", "tokens": "i", "prefixes": "q"}


def as_bytes(name: str, numbers: Sequence[int] | None) -> bytes | None:
    """A list of the column as the day's file has it."""
    return None if numbers is None else struct.pack(f"<{len(numbers)}{FORMATS[name]}", *numbers)


def as_list(name: str, packed: bytes | None) -> list[int] | None:
    """The other way."""
    return None if packed is None else [number for (number,) in struct.iter_unpack(f"<{FORMATS[name]}", packed)]


def with_lists(samples: pl.DataFrame) -> pl.DataFrame:
    """Rows of prompt_samples as their file has them, with lists as lists; no columns stay none."""
    kinds = {"i": pl.List(pl.Int32), "q": pl.List(pl.Int64)}
    return samples.with_columns(pl.Series(name, [as_list(name, packed) for packed in samples[name]], dtype=kinds[FORMATS[name]]) for name in FORMATS if name in samples.columns)
