"""A SQL file answered by polars: what DuckDB answers, case by case; and no answer where polars might give another."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline import schema
from pipeline.engines.frames import select
from pipeline.errors import SqlError
from pipeline.stages import TABLES
from tests.sql.test_cases import columns_of, read_case_file, table_of

ASKED = ("61_repeated_prompts",)


@pytest.mark.parametrize(("name", "case"), [pytest.param(name, case, id=case["name"]) for name in ASKED for case in read_case_file(name)["case"]])
def test_polars_answers_the_cases_of_the_file(name, case):
    file = f"{name}.sql"
    reads = ("sent_prompts", "clusters", "boilerplate")
    frames = {read: pl.from_arrow(table_of(case.get("given", {}).get(read, []), columns_of(read, {}))) for read in reads}
    table = TABLES[name.split("_", 1)[1]]
    found = select(file, frames, table)
    assert tuple(found.columns) == table.column_names
    key = ("cluster", "account_key")
    assert sorted(found.rows(named=True), key=lambda row: [row[each] for each in key]) == sorted(case["expect"], key=lambda row: [row[each] for each in key])
    assert found.rows() == found.sort(key).rows()


@pytest.mark.parametrize("file", ["61_sent_prompts.sql", "59_pool_documents.sql"])
def test_a_file_with_parameters_is_refused(file):
    with pytest.raises(SqlError, match="parameters"):
        select(file, {}, schema.SENT_PROMPTS)


def test_a_file_that_polars_does_not_know_is_refused():
    frames = {name: pl.DataFrame(schema={"account_key": pl.Int64}) for name in ("window_samples", "pool_documents", "client_wording")}
    with pytest.raises(SqlError, match="polars"):
        select("59_pool_wording.sql", frames, schema.POOL_WORDING)
