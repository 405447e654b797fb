"""DIR/validation: the figures as a table, as one JSON document with all that made them, and as a page."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import __version__
from pipeline.config import Config
from pipeline.pages.ratios import ratio_table
from pipeline.pages.validation import validation_page
from pipeline.provenance import judging_sha256, sha256_json, versions
from pipeline.store import storage_errors, write_bytes, write_json
from pipeline.validate.accounts import figures_of_accounts
from pipeline.validate.calibration import figures_of_calibration
from pipeline.validate.delay import figures_of_delay
from pipeline.validate.figures import COLUMNS, table
from pipeline.validate.judged import judged_networks
from pipeline.validate.networks import figures_of_networks
from pipeline.validate.results import Results
from pipeline.validate.sensitivity import figures_of_sensitivity

SCHEMA = "stillhunt.validation/1"
PARTS = (figures_of_accounts, figures_of_networks, figures_of_calibration, figures_of_delay, figures_of_sensitivity)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What was asked for, as the command line knows it."""

    suite: str
    command: str
    date: dt.date
    is_simulated: bool
    """Whether the worlds were made by the simulator; its rates are never pooled with those of given logs."""


def all_figures(suite: str, results: Results) -> pl.DataFrame:
    """Every figure of the results, one a row."""
    return table(suite, [entry for part in PARTS for entry in part(results)])


def document(asked: Asked, results: Results, figures: pl.DataFrame, config: Config) -> dict[str, Any]:
    """validation.json: the figures and what determines them; `date` and `command` are what the command line was told."""
    settings, judged = config.as_dict(), judged_networks(results, config.networks.min_accounts)
    return {
        "schema": SCHEMA,
        "suite": asked.suite,
        "command": asked.command,
        "date": asked.date.isoformat(),
        "is_simulated": asked.is_simulated,
        "version": __version__,
        "code_sha256": judging_sha256(),
        "config_sha256": sha256_json(settings),
        "config": settings,
        "versions": versions(),
        "worlds": list(results.worlds),
        "accounts": results.truth.height,
        "requests": results.requests,
        "tries": [list(entry) for entry in results.entries],
        "degraded": list(results.degraded),
        "judged": judged,
        "ratios": ratio_table(judged),
        "figures": [_row(row) for row in figures.rows(named=True)],
    }


def write_report(folder: Path, made: dict[str, Any]) -> tuple[Path, ...]:
    """validation.parquet, validation.json and validation.html below folder, each replaced in one step; their paths. Raises StorageError."""
    names = tuple(folder / f"validation.{ending}" for ending in ("parquet", "json", "html"))
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / ".validation.parquet.made"
        pl.DataFrame(made["figures"], schema=COLUMNS).write_parquet(fresh)
        fresh.replace(names[0])
        write_json(names[1], made)
        write_bytes(names[2], validation_page(made))
    return names


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
