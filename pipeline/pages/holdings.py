"""Which members hold which shared values, as a small matrix that can be drawn and read: blocks of members against the values that join most of them.

Values are named `payment 3`, never by what they are. Word 4-grams and other values that the same members hold stand as one. Whoever has the tables (a run
under way, a finished one) brings the members' rows; what is drawn of them is decided here, so that a working page and an incident report agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.kinds import FAMILIES, GATE_FAMILIES, kinds
from pipeline.pages.incident.parts import Attribute, Block, Matrix

Grid = NDArray[np.bool_]
Places = NDArray[np.intp]

MANY_VALUES, FEW_COLUMNS = 24, 5
"""A kind of more values than the first, or one that opens no gate, gets few further single columns, or it would crowd out all others."""
WIDE_SHARE = 0.02
"""In a network of more members than rows, a value needs this share of them for a column of its own."""
BANDS: tuple[tuple[int, int | None], ...] = ((2, 2), (3, 5), (6, 20), (21, 100), (101, None))
"""Members that hold a value: how the other values of such a network are put together."""


@dataclass(frozen=True)
class Holdings:
    """What the members of one network share: (kind, value) by member, and each value's counts."""

    keys: NDArray[np.int64]
    """account_key of each member, ascending"""
    values: pl.DataFrame
    """kind, family, value_key, inside, holders, counted (holders that the value's rarity counts): shared values, by family, kinds of the gate first, and reach"""
    held: pl.DataFrame
    """kind, value_key, place: place of the holder in `keys`"""
    gate: frozenset[str]
    """kinds that can open the gate"""


def held_by(keys: NDArray[np.int64], rows: pl.DataFrame, config: Config) -> Holdings:
    """What the members share. In: their account keys, ascending; kind, family, value_key, account_key, df and, but for older runs, counted_df of what they hold.

    Values that one holds alone are left out.
    """
    counts = pl.coalesce("counted_df", "df").alias("counted") if "counted_df" in rows.columns else pl.col("df").alias("counted")
    own = rows.select("kind", "family", "value_key", "account_key", "df", counts).unique(["kind", "value_key", "account_key"])
    held = own.with_columns(pl.Series("place", np.searchsorted(keys, own["account_key"].to_numpy()), dtype=pl.Int64))
    places = {kind.kind: place for place, kind in enumerate(sorted(kinds(config.links), key=lambda kind: (FAMILIES.index(kind.family), not kind.is_gate)))}
    order = pl.col("kind").replace_strict(places, default=len(places), return_dtype=pl.Int32)
    reach = pl.len().cast(pl.Int64).alias("inside"), pl.col("df").max().alias("holders"), pl.col("counted").max()
    values = held.group_by("kind", "family", "value_key").agg(*reach).filter(pl.col("inside") >= 2)
    ranked = values.sort(order, "kind", "inside", "holders", "value_key", descending=[False, False, True, False, False])
    return Holdings(keys, ranked, held.select("kind", "value_key", "place"), frozenset(kind.kind for kind in kinds(config.links) if kind.is_gate and kind.family in GATE_FAMILIES))


@dataclass(frozen=True)
class Drawn:
    """A matrix with what stands behind its rows and columns."""

    matrix: Matrix
    members: tuple[Places, ...]
    """places in `Holdings.keys` of the members of each row"""
    value_keys: tuple[int | None, ...]
    """of each column the value it stands for, the first of several that the same members hold; None where it stands for various values"""


@dataclass(frozen=True)
class _Column:
    """A column: what it stands for, whether each member holds it, its value."""

    attribute: Attribute
    grid: Grid
    value_key: int | None


def matrix(held: Holdings, named: Callable[[int], str], noun: str, *, rows: int, columns: int, families: Sequence[str] = FAMILIES, nodes: int = 10**6) -> Matrix:
    """The matrix of `drawn`, alone."""
    return drawn(held, named, noun, rows=rows, columns=columns, families=families, nodes=nodes).matrix


def drawn(held: Holdings, named: Callable[[int], str], noun: str, *, rows: int, columns: int, families: Sequence[str] = FAMILIES, nodes: int = 10**6) -> Drawn:
    """The matrix of at most `rows` blocks and some `columns` values. `named` gives the released name of an account key, `noun` what a row of several is called.

    Rows and columns together are `nodes` at most.
    """
    values = held.values.filter(pl.col("family").is_in(list(families)))
    size = len(held.keys)
    found = _columns(held, values, columns, is_large=size > rows)
    value_count = values.height
    if not found or not size:
        return Drawn(Matrix((), (), value_count, 0, grouped=False), (), ())
    attributes, keys, grid = tuple(one.attribute for one in found), tuple(one.value_key for one in found), np.stack([one.grid for one in found], axis=1)
    rows = min(rows, nodes - len(attributes))
    if size <= rows:
        order = np.lexsort(tuple(np.flipud(~grid.T)))
        singles = tuple(Block(named(int(held.keys[place])), 1, tuple(float(on) for on in grid[place])) for place in order)
        return Drawn(Matrix(attributes, singles, value_count, size, grouped=False), tuple(np.array([place]) for place in order), keys)
    groups, blocks = _blocks(grid, rows, noun)
    return Drawn(Matrix(attributes, blocks, value_count, size, grouped=True), groups, keys)


def _columns(held: Holdings, values: pl.DataFrame, most: int, *, is_large: bool) -> list[_Column]:
    """Columns of the matrix: of each kind the values that join most members, and one for all its others; what is left of the room goes to the kinds of the gate."""
    tables = values.partition_by("kind", maintain_order=True)
    shares = _shares(tables, most, held.gate)
    return [column for table, share in zip(tables, shares, strict=True) for column in _of_kind(held, table, share, is_large=is_large)]


def _shares(tables: Sequence[pl.DataFrame], most: int, gate: frozenset[str]) -> list[int]:
    """Columns for single values of each kind: one each, then those that open the gate as many as they have, the kinds of fewest values first, then the others."""
    shares = [1] * len(tables)
    room = max(0, most - 2 * len(tables))
    for place in sorted(range(len(tables)), key=lambda place: (tables[place]["kind"][0] not in gate, tables[place].height, place)):
        many = tables[place].height > MANY_VALUES or tables[place]["kind"][0] not in gate
        more = min(room, tables[place].height - 1, FEW_COLUMNS if many else room)
        shares[place] += more
        room -= more
    return shares


def _of_kind(held: Holdings, table: pl.DataFrame, share: int, *, is_large: bool) -> list[_Column]:
    """The first values of a kind with who holds them, equal ones as one, and the rest together."""
    kind, family = table["kind"][0], table["family"][0]
    own = held.held.filter(pl.col("kind") == kind)
    wide = table.filter(pl.col("inside") >= WIDE_SHARE * len(held.keys)) if is_large else table
    candidates = wide.head(40 * share)
    places: dict[int, list[int]] = {}
    for value_key, place in own.join(candidates, on="value_key", how="semi").select("value_key", "place").iter_rows():
        places.setdefault(value_key, []).append(place)
    found: dict[bytes, tuple[Grid, int, int, int, int]] = {}
    counts: dict[bytes, int] = {}
    shown: list[int] = []
    for value_key, inside, holders, counted in candidates.select("value_key", "inside", "holders", "counted").iter_rows():
        column = np.zeros(len(held.keys), dtype=np.bool_)
        column[places[value_key]] = True
        mark = column.tobytes()
        if mark in found or len(found) < share:
            found.setdefault(mark, (column, inside, holders, counted, value_key))
            counts[mark] = counts.get(mark, 0) + 1
            shown.append(value_key)
    rows = [
        _Column(Attribute(kind, family, number, counts[mark], inside, holders, counted=counted), column, value_key)
        for number, (mark, (column, inside, holders, counted, value_key)) in enumerate(found.items(), start=1)
    ]
    rest = table.filter(~pl.col("value_key").is_in(shown))
    parts = [(band, rest.filter(pl.col("inside").is_between(band[0], band[1] or 2**62))) for band in BANDS] if is_large else [(None, rest)]
    return [*rows, *(_together(own, part, len(held.keys), band) for band, part in parts if part.height)]


def _together(own: pl.DataFrame, values: pl.DataFrame, size: int, band: tuple[int, int | None] | None) -> _Column:
    """One column for several values of a kind."""
    column = np.zeros(size, dtype=np.bool_)
    column[own.join(values, on="value_key", how="semi")["place"].to_numpy()] = True
    return _Column(Attribute(values["kind"][0], values["family"][0], 0, values.height, int(column.sum()), 0, band), column, None)


def _blocks(grid: Grid, rows: int, noun: str) -> tuple[tuple[Places, ...], tuple[Block, ...]]:
    """Members with equal patterns as one block; beyond `rows` patterns, those of fewest members go to the block of their first value."""
    patterns, inverse = np.unique(grid, axis=0, return_inverse=True)
    member_of = inverse.reshape(-1)
    sizes = np.bincount(member_of, minlength=len(patterns))
    first = np.where(grid.any(axis=1), grid.argmax(axis=1), grid.shape[1])
    kept = np.argsort(-sizes, kind="stable")[: max(1, rows - grid.shape[1] - 1)] if len(patterns) > rows else np.arange(len(patterns))
    label = np.where(np.isin(member_of, kept), member_of, len(patterns) + first)
    groups = _at_most(rows, [np.flatnonzero(label == name) for name in np.unique(label)])
    shares = [tuple(round(float(share), 6) for share in grid[group].mean(axis=0)) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: (tuple(-round(share) for share in shares[place]), -len(groups[place]), shares[place]))
    blocks = tuple(Block(f"{noun} {number}", len(groups[place]), shares[place]) for number, place in enumerate(order, start=1))
    return tuple(groups[place] for place in order), blocks


def _at_most(most: int, groups: list[Places]) -> list[Places]:
    """These groups of members, the smallest put together where there are more than may be drawn."""
    if len(groups) <= most:
        return groups
    ordered = sorted(groups, key=lambda group: (-len(group), int(group[0])))
    return [*ordered[: most - 1], np.concatenate(ordered[most - 1 :])]
