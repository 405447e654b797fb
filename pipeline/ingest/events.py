"""Table context_events: what the provider knows of model releases and bans, as stages read it.

Promises: one row a release and one a ban of an account of the window; nothing about accounts that the window does not hold.
"""

from __future__ import annotations

import polars as pl

from pipeline.ingest.context import Context

RELEASE, BAN = "release", "ban"
_SCHEMA = {"kind": pl.String, "at_us": pl.Int64, "model": pl.String, "account_key": pl.Int64}


def context_events(context: Context, records: pl.DataFrame) -> pl.DataFrame:
    """In: the context, and rows of account_records (account_key, account_id). Out: rows of context_events. No context: no rows."""
    known = dict(records.select("account_id", "account_key").iter_rows())
    releases = [(RELEASE, at_us, model, 0) for model, at_us in context.releases]
    bans = [(BAN, at_us, "", known[account]) for account, at_us in context.bans if account in known]
    return pl.DataFrame([*releases, *bans], schema=_SCHEMA, orient="row").unique().sort(list(_SCHEMA))
