"""A SQL file over a few rows that are in memory already, answered by polars: loading DuckDB takes a third of a cpu second, which is more than such a question takes.

Only for files without helpers, parameters and what polars does not know; that polars answers as DuckDB does is tested for each that is asked (tests/engines/test_frames.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.engines.sqlfile import load
from pipeline.errors import SqlError
from pipeline.schema import Table


def select(sql_file: str, frames: Mapping[str, pl.DataFrame], table: Table) -> pl.DataFrame:
    """The answer of a SQL file with the columns of `table`. In: the tables that it reads, and any others. Raises SqlError for a file that polars cannot answer."""
    file = load(sql_file)
    if file.params:
        raise SqlError(sql_file, "has parameters, which only DuckDB is given.")
    try:
        answer = pl.SQLContext({name: frames[name] for name in file.reads}).execute(file.text, eager=True)
    except pl.exceptions.PolarsError as error:
        raise SqlError(sql_file, f"is no file that polars can answer ({type(error).__name__}).") from None
    return answer.select(table.column_names)
