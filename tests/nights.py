"""A folder of two nights out of one finished run: the earlier night is the same run with differences that are known, because they are made here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl

from tests.sealing import seal

EARLIER = "0123456789ab"
"""The run of the night before."""
MISSING, VANISHED = "pool-007", "N-0000000000"
"""A member that the network did not have yet; a network that is gone since."""


def with_an_earlier_night(finished: Path, out: Path) -> Path:
    """Copy `finished` to `out` and add the night before: the network is `watch`, has one member less and 3 bits less; a network of five strangers is there that is gone since;
    the margin of an edge, the code, polars and a log file are others.
    """
    shutil.copytree(finished, out, symlinks=True)
    folder = out / "runs" / EARLIER
    shutil.copytree(out / "latest", folder)
    manifest = json.loads((folder / "run.json").read_text())
    night, latest = "2026-05-02", manifest["run_id"]
    manifest |= {"run_id": EARLIER, "night": night}
    manifest["config"]["networks"]["edge_margin_bits"] = 5.0
    manifest["recipe"]["code"] = "f" * 64
    manifest["versions"]["polars"] = "1.0.0"
    manifest["inputs"] = manifest["inputs"][:-1]
    (folder / "run.json").write_text(json.dumps(manifest))
    _change_tables(folder / "tables")
    seal(folder)
    (out / "nights.json").write_text(json.dumps({night: EARLIER, "2026-05-03": latest}))
    return out


def _change_tables(tables: Path) -> None:
    networks, members = pl.read_parquet(tables / "networks.parquet"), pl.read_parquet(tables / "members.parquet")
    before = networks.with_columns(pl.lit("watch").alias("tier"), pl.lit(False).alias("flagged"), pl.col("coordination_bits") - 3, pl.col("account_count") - 1)
    gone = before.with_columns(pl.lit(VANISHED).alias("network_id"), pl.lit(5).cast(pl.Int64).alias("account_count"))
    pl.concat([gone, before]).write_parquet(tables / "networks.parquet")
    strangers = members.head(5).with_columns(pl.Series("account_id", [f"person-{number:03d}" for number in range(5)]), pl.lit(VANISHED).alias("network_id"))
    pl.concat([strangers, members.filter(pl.col("account_id") != MISSING)]).write_parquet(tables / "members.parquet")
