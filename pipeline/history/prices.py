"""Price sheets: what a model lists for on a day, out of a file that a person wrote.

    prices.toml   as_of = 2026-05-01
                  [[price]]  model = "...", input_micro_usd_per_million = 3000000, output_micro_usd_per_million = 15000000
    prices.csv    as_of,model,input_micro_usd_per_million,output_micro_usd_per_million     one row a model, the same as_of in all

Money is in whole micro-USD for a million tokens. A case has a sheet of its own; DIR/prices.toml is that of the nightly index, left by the last `run` whose context folder held one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline import redact
from pipeline.errors import InputError
from pipeline.history.sheets import as_csv, as_tables, as_toml, read_day, read_sheet
from pipeline.provenance import sha256_bytes
from pipeline.store import storage_errors, write_bytes

NAME = "prices.toml"
"""Of the sheet below DIR, and below the context folder of a run."""
_PRICES = ("model", "input_micro_usd_per_million", "output_micro_usd_per_million")
_LARGEST = 10**15
"""Micro-USD; beyond it a price is a slip of the pen, and sums would no longer be exact."""
_MILLION = 1_000_000


@dataclass(frozen=True)
class PriceSheet:
    """List prices of a day."""

    as_of: date
    sha256: str
    """of the imported file"""
    rows: tuple[tuple[str, int, int], ...]
    """(model, input price, output price), by model; prices in whole micro-USD for a million tokens"""

    def least_and_most(self, input_tokens: int, output_tokens: int) -> tuple[int, int]:
        """List value in micro-USD, rounded down, if every token were of the cheapest model of the sheet, and of the dearest: no mix of its models lies outside."""
        given, made = [row[1] for row in self.rows], [row[2] for row in self.rows]
        least, most = ((input_tokens * pick(given) + output_tokens * pick(made)) // _MILLION for pick in (min, max))
        return least, most


_GIVEN: ContextVar[PriceSheet | None] = ContextVar("given_prices", default=None)


@contextmanager
def given_prices(root: Path, context: Path | None) -> Iterator[None]:
    """While a run lasts its index uses the sheet of its context folder, if there is one; a run that ends well leaves a copy in DIR/prices.toml for later nights.

    Nothing is written before the run ended. Raises InputError for a sheet that does not fit.
    """
    path = context / NAME if context else None
    if path is None or not path.is_file():
        yield
        return
    data = path.read_bytes()
    token = _GIVEN.set(read_prices(path))
    try:
        yield
    finally:
        _GIVEN.reset(token)
    if not (root / NAME).is_file() or (root / NAME).read_bytes() != data:
        with storage_errors(root):
            write_bytes(root / NAME, data)


def prices_of(root: Path) -> PriceSheet | None:
    """The sheet that this run was given, else that of DIR/prices.toml; None without either. Raises InputError."""
    path = root / NAME
    return _GIVEN.get() or (read_prices(path) if path.is_file() else None)


def read_prices(path: Path) -> PriceSheet:
    """The price sheet in a file. Raises InputError."""
    data = read_sheet(path)
    if path.suffix.lower() == ".toml":
        content = as_toml(path, data)
        if set(content) != {"as_of", "price"}:
            raise InputError(f"{path}: holds {redact.for_cell(', '.join(sorted(content)) or 'nothing')}; a price sheet holds as_of and [[price]] tables.")
        rows, days = as_tables(path, content["price"]), [content["as_of"]]
    else:
        rows = as_csv(path, data, ("as_of", *_PRICES))
        days = [row.pop("as_of") for row in rows]
    moments = {read_day(path, "as_of", day) for day in days}
    if len(moments) != 1:
        raise InputError(f"{path}: needs one as_of, the day of the prices, and has {len(moments)}.")
    found = sorted(_price(path, number, row) for number, row in enumerate(rows, start=1))
    twice = next((one[0] for one, other in itertools.pairwise(found) if one[0] == other[0]), None)
    if twice is not None or not found:
        raise InputError(f"{path}: {f'model {redact.for_cell(twice)} has two prices' if twice is not None else 'holds no price'}. Give every model one.")
    return PriceSheet(moments.pop(), sha256_bytes(data), tuple(found))


def _price(path: Path, number: int, row: Mapping[str, Any]) -> tuple[str, int, int]:
    if set(row) != set(_PRICES) or not isinstance(row["model"], str) or not row["model"].strip():
        raise InputError(f"{path}: price {number} needs exactly {', '.join(_PRICES)}.")
    given, taken = (_micro_usd(path, number, name, row[name]) for name in _PRICES[1:])
    return row["model"].strip(), given, taken


def _micro_usd(path: Path, number: int, name: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,16}", value.strip(), re.ASCII):
        value = int(value)
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise InputError(f"{path}: price {number}: {name} has to be a whole number of micro-USD from 0 on (3 USD are 3000000).")
    return value
