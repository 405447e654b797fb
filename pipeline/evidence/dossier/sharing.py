"""Which members hold which shared values, as a small matrix that can be drawn and read: blocks of members against the values that join most of them.

Values are named `payment 3`, never by what they are. Word 4-grams and other values that the same members hold stand as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.evidence.finished import FinishedRun
from pipeline.kinds import FAMILIES, GATE_FAMILIES, kinds
from pipeline.pages.incident.parts import Attribute, Block, Matrix

Grid = NDArray[np.bool_]
Places = NDArray[np.intp]

MATRIX_ROWS, MATRIX_COLUMNS = 72, 44
GRAPH_ROWS, GRAPH_COLUMNS, GRAPH_NODES = 36, 24, 60
"""Rows and columns that a drawing takes; a graph of both has 60 nodes at most."""
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
    """kind, family, value_key, inside, holders: shared values, by family, kinds of the gate first, and reach"""
    held: pl.DataFrame
    """kind, value_key, place: place of the holder in `keys`"""
    gate: frozenset[str]
    """kinds that can open the gate"""


def holdings(run: FinishedRun, config: Config, cluster: int, keys: Sequence[int]) -> Holdings:
    """What the members (account keys) of a cluster share, at least two holding it."""
    ordered = np.sort(np.array(keys, dtype=np.int64))
    shared = run.where("cluster_values", cluster=cluster).filter(pl.col("inside_count") >= 2).select("kind", "value_key")
    own = run.among("shared_values", {"account_key": ordered.tolist()}) if len(ordered) else run.table("shared_values").clear()
    rows = own.join(shared, on=["kind", "value_key"], how="semi").select("kind", "family", "value_key", "account_key", "df").unique(["kind", "value_key", "account_key"])
    held = rows.with_columns(pl.Series("place", np.searchsorted(ordered, rows["account_key"].to_numpy()), dtype=pl.Int64))
    places = {kind.kind: place for place, kind in enumerate(sorted(kinds(config.links), key=lambda kind: (FAMILIES.index(kind.family), not kind.is_gate)))}
    order = pl.col("kind").replace_strict(places, default=len(places), return_dtype=pl.Int32)
    values = held.group_by("kind", "family", "value_key").agg(pl.len().cast(pl.Int64).alias("inside"), pl.col("df").max().alias("holders")).filter(pl.col("inside") >= 2)
    ranked = values.sort(order, "kind", "inside", "holders", "value_key", descending=[False, False, True, False, False])
    return Holdings(
        ordered, ranked, held.select("kind", "value_key", "place"), frozenset(kind.kind for kind in kinds(config.links) if kind.is_gate and kind.family in GATE_FAMILIES)
    )


def matrix(held: Holdings, named: Callable[[int], str], noun: str, *, rows: int, columns: int, families: Sequence[str] = FAMILIES, nodes: int = 10**6) -> Matrix:
    """The matrix of at most `rows` blocks and some `columns` values. `named` gives the released name of an account key, `noun` what a row of several is called.

    Rows and columns together are `nodes` at most.
    """
    values = held.values.filter(pl.col("family").is_in(list(families)))
    size = len(held.keys)
    attributes, grid = _columns(held, values, columns, is_large=size > rows)
    value_count = values.height
    if not attributes or not size:
        return Matrix((), (), value_count, 0, grouped=False)
    patterns, member_of = np.unique(grid, axis=0, return_inverse=True)
    member_of = member_of.reshape(-1)
    rows = min(rows, nodes - len(attributes))
    if size <= rows:
        order = np.lexsort(tuple(np.flipud(~grid.T)))
        blocks = tuple(Block(named(int(held.keys[place])), 1, tuple(float(on) for on in grid[place])) for place in order)
        return Matrix(attributes, blocks, value_count, size, grouped=False)
    return Matrix(attributes, _blocks(grid, patterns, member_of, rows, noun), value_count, size, grouped=True)


def _columns(held: Holdings, values: pl.DataFrame, most: int, *, is_large: bool) -> tuple[tuple[Attribute, ...], Grid]:
    """Columns of the matrix: of each kind the values that join most members, and one for all its others; what is left of the room goes to the kinds of the gate."""
    attributes: list[Attribute] = []
    columns: list[Grid] = []
    tables = values.partition_by("kind", maintain_order=True)
    for table, share in zip(tables, _shares(tables, most, held.gate), strict=True):
        for attribute, column in _of_kind(held, table, share, is_large=is_large):
            attributes.append(attribute)
            columns.append(column)
    grid = np.stack(columns, axis=1) if columns else np.zeros((len(held.keys), 0), dtype=np.bool_)
    return tuple(attributes), grid


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


def _of_kind(held: Holdings, table: pl.DataFrame, share: int, *, is_large: bool) -> list[tuple[Attribute, Grid]]:
    """The first values of a kind with who holds them, equal ones as one, and the rest together."""
    kind, family = table["kind"][0], table["family"][0]
    own = held.held.filter(pl.col("kind") == kind)
    wide = table.filter(pl.col("inside") >= WIDE_SHARE * len(held.keys)) if is_large else table
    candidates = wide.head(40 * share)
    places = {key: part["place"].to_numpy() for (key,), part in own.join(candidates, on="value_key", how="semi").partition_by("value_key", as_dict=True).items()}
    found: dict[bytes, tuple[Grid, int, int]] = {}
    counts: dict[bytes, int] = {}
    shown: list[int] = []
    for value_key, inside, holders in candidates.select("value_key", "inside", "holders").iter_rows():
        column = np.zeros(len(held.keys), dtype=np.bool_)
        column[places[value_key]] = True
        mark = column.tobytes()
        if mark in found or len(found) < share:
            found.setdefault(mark, (column, inside, holders))
            counts[mark] = counts.get(mark, 0) + 1
            shown.append(value_key)
    rows = [(Attribute(kind, family, number, counts[mark], inside, holders), column) for number, (mark, (column, inside, holders)) in enumerate(found.items(), start=1)]
    rest = table.filter(~pl.col("value_key").is_in(shown))
    parts = [(band, rest.filter(pl.col("inside").is_between(band[0], band[1] or 2**62))) for band in BANDS] if is_large else [(None, rest)]
    return [*rows, *(_together(own, part, len(held.keys), band) for band, part in parts if part.height)]


def _together(own: pl.DataFrame, values: pl.DataFrame, size: int, band: tuple[int, int | None] | None) -> tuple[Attribute, Grid]:
    """One column for several values of a kind."""
    column = np.zeros(size, dtype=np.bool_)
    column[own.join(values, on="value_key", how="semi")["place"].to_numpy()] = True
    return Attribute(values["kind"][0], values["family"][0], 0, values.height, int(column.sum()), 0, band), column


def _blocks(grid: Grid, patterns: Grid, member_of: NDArray[np.int64], rows: int, noun: str) -> tuple[Block, ...]:
    """Members with equal patterns as one block; beyond `rows` patterns, those of fewest members go to the block of their first value."""
    sizes = np.bincount(member_of, minlength=len(patterns))
    first = np.where(grid.any(axis=1), grid.argmax(axis=1), grid.shape[1])
    kept = np.argsort(-sizes, kind="stable")[: max(1, rows - grid.shape[1] - 1)] if len(patterns) > rows else np.arange(len(patterns))
    label = np.where(np.isin(member_of, kept), member_of, len(patterns) + first)
    groups = _at_most(rows, [np.flatnonzero(label == name) for name in np.unique(label)])
    shares = [tuple(round(float(share), 6) for share in grid[group].mean(axis=0)) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: (tuple(-round(share) for share in shares[place]), -len(groups[place]), shares[place]))
    return tuple(Block(f"{noun} {number}", len(groups[place]), shares[place]) for number, place in enumerate(order, start=1))


def _at_most(most: int, groups: list[Places]) -> list[Places]:
    """These groups of members, the smallest put together where there are more than may be drawn."""
    if len(groups) <= most:
        return groups
    ordered = sorted(groups, key=lambda group: (-len(group), int(group[0])))
    return [*ordered[: most - 1], np.concatenate(ordered[most - 1 :])]
