"""Stage 66: tables of clusters under the names of the networks they became: controls, network_families, network_tests."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.stages.alternatives import NOTHING
from pipeline.stages.frames import conform


def network_tables(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Reads cluster_ids, cluster_controls, cluster_families, cluster_likeness, cluster_tests, operational_tests, cluster_alternatives, account_records. Empty: empty tables."""
    ids = inputs["cluster_ids"]
    accounts = inputs["account_records"].select("account_key", "account_id")
    controls = inputs["cluster_controls"].join(ids, on="cluster").join(accounts, on="account_key")
    tested = [inputs[name].join(ids, on="cluster") for name in ("cluster_tests", "operational_tests")]
    tests = pl.concat([*tested, _alternatives(inputs["cluster_alternatives"].join(ids, on="cluster"))], how="diagonal")
    families = pl.concat([inputs["cluster_families"], inputs["cluster_likeness"]])
    return {
        "controls": conform(controls, schema.CONTROLS),
        "network_families": conform(families.join(ids, on="cluster"), schema.NETWORK_FAMILIES),
        "network_tests": conform(tests, schema.NETWORK_TESTS),
    }


def _alternatives(rows: pl.DataFrame) -> pl.DataFrame:
    """Innocent explanations as tests: the margin in bits by which one operator explains the evidence better, if the explanation applies at all."""
    return rows.filter(pl.col("alternative") != NOTHING).select(
        "network_id",
        pl.concat_str(pl.lit("fits_"), "alternative").alias("test"),
        pl.lit("alternative").alias("family"),
        pl.lit("benign").alias("supports"),
        pl.col("margin_bits").alias("statistic"),
        pl.lit("bits").alias("unit"),
        pl.lit(0.0).alias("expected"),
        pl.lit(None, dtype=pl.Float64).alias("p_value"),
        pl.lit(0, dtype=pl.Int64).alias("null_count"),
        pl.lit(0, dtype=pl.Int64).alias("sample_size"),
        pl.lit("what the explanation leaves unexplained, less an edge's margin").alias("null_model"),
        pl.when("applies").then(pl.lit("ran")).otherwise(pl.lit("not_run")).alias("status"),
        pl.when("applies")
        .then(pl.lit(""))
        .when(pl.col("is_unchecked").fill_null(value=False))
        .then(pl.lit("the log does not tell who fits it"))
        .otherwise(pl.lit("too few members fit it"))
        .alias("reason"),
    )
