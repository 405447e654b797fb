"""Frames made to fit a table of schema.py (its columns, in order, of its types, sorted by its grain), and tables cut into the parts of each cluster.

Cutting once costs a pass over a table; asking it again for every cluster costs a pass a cluster, which is what a log of many accounts cannot afford.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.schema import Table

_TYPES: dict[str, pl.DataType] = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us", "UTC"),
}


def conform(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The table's columns of a frame, cast and sorted. Integers become TIMESTAMP as microseconds since 1970. A frame without columns: no rows."""
    if not frame.columns:
        return pl.DataFrame(schema={column.name: _TYPES[column.type] for column in table.columns})
    return frame.select(pl.col(column.name).cast(_TYPES[column.type]) for column in table.columns).sort(table.grain)


class Parts:
    """Tables cut by cluster. `of` gives the tables as they are for one cluster: its own rows, in their order, of those that were cut, and the others whole."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], cut: Mapping[str, pl.DataFrame]) -> None:
        """In: all tables, and those to be cut, each with a column `cluster` (add one with `within` or `between`)."""
        self._whole = dict(tables)
        self._none = {name: frame.clear() for name, frame in cut.items()}
        self._cut = {name: {int(str(key[0])): part for key, part in frame.partition_by("cluster", as_dict=True).items()} for name, frame in cut.items()}

    def of(self, cluster: int) -> dict[str, pl.DataFrame]:
        """All tables for one cluster."""
        return self._whole | {name: parts.get(cluster, self._none[name]) for name, parts in self._cut.items()}


def within(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Rows of accounts, each with the cluster that its account is in, in their order; an account of several clusters gives its rows to each.

    In: members has cluster and account_key.
    """
    return rows.join(members.select("cluster", "account_key"), on="account_key", maintain_order="left")


def between(links: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Links whose two accounts are in one cluster, with that cluster, in their order. In: members has cluster and account_key, an account once."""
    home = members.select("cluster", "account_key")
    first = links.join(home.rename({"account_key": "account_a"}), on="account_a", maintain_order="left")
    both = first.join(home.rename({"account_key": "account_b", "cluster": "other"}), on="account_b", maintain_order="left")
    return both.filter(pl.col("cluster") == pl.col("other")).drop("other")
