"""Single accounts worth a look: in no network, and most of what was sampled of them looks collected for training. The list accuses nobody, and says so."""

from __future__ import annotations

import polars as pl

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.marks import member_note
from pipeline.pages.pieces import Numbering, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Source
from pipeline.pages.working.wording import say

ROWS, LEAST_SHARE, LEAST_REQUESTS = 20, 0.5, 50
"""Accounts that are listed; the score and the requests from which one may be."""
_COLUMNS = {
    "account_id": pl.String,
    "account_key": pl.Int64,
    "network_id": pl.String,
    "extraction_score": pl.Float64,
    "request_count": pl.Int64,
    "active_days": pl.Int64,
    "output_tokens_mean": pl.Float64,
    "template_top_share": pl.Float64,
}


def singles_table(source: Source, numbering: Numbering) -> Table:
    """The accounts with most requests of that kind (score times requests), a row each."""
    if "extraction_score" not in source.features.columns:
        return table(numbering, say("singles", "caption"), "Account", [], empty=say("singles", "unscored"))
    found = _candidates(source)
    rows = [_row(source, row) for row in found.head(ROWS).iter_rows(named=True)]
    values = {"least": numbers.percent(LEAST_SHARE), "requests": numbers.count(LEAST_REQUESTS), "shown": numbers.counted(len(rows), "accounts"), "all": numbers.count(found.height)}
    columns = "Account | Looks collected # | Requests # | Such requests, about # | Active days # | Output a request # | Commonest template #"
    return table(numbering, say("singles", "caption"), columns, rows, empty=say("singles", "empty"), left_out=say("singles", "left_out", **values) if rows else "")


def _candidates(source: Source) -> pl.DataFrame:
    """Accounts that may be listed, those with most such requests first."""
    known = source.features.select(pl.col(name).cast(kind) if name in source.features.columns else pl.lit(None, dtype=kind).alias(name) for name, kind in _COLUMNS.items())
    alone = known.filter(pl.col("network_id").is_null() & (pl.col("extraction_score") >= LEAST_SHARE) & (pl.col("request_count") >= LEAST_REQUESTS))
    vouched = source.table("shared_values").filter(pl.col("entity_key") != pl.col("account_key")).select("account_key").unique()
    allowed = list(source.past.standing.allowed_on(source.past.night))
    such = (pl.col("extraction_score") * pl.col("request_count")).round(0).cast(pl.Int64).alias("such")
    left = alone.join(vouched, on="account_key", how="anti").filter(~pl.col("account_id").is_in(allowed)).with_columns(such)
    return left.sort("such", "account_id", descending=[True, False])


def _row(source: Source, row: dict[str, object]) -> tuple[Cell | str, ...]:
    account, score, mean, top = str(row["account_id"]), row["extraction_score"], row["output_tokens_mean"], row["template_top_share"]
    return (
        Cell(redact.identifier(account), note=member_note(source, account), tone="code"),
        numbers.percent(_float(score)),
        numbers.count(_float(row["request_count"])),
        numbers.count(_float(row["such"])),
        numbers.count(_float(row["active_days"])),
        numbers.measured(_float(mean), "tokens") if mean is None else f"{numbers.decimal(_float(mean), 0)} tokens",
        numbers.percent(_float(top)),
    )


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
