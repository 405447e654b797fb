"""Makes the sample logs of this folder from the simulator, byte for byte: `python data_samples/make_samples.py [OUT]`.

OUT is this folder if not given. Prints the table that README.md holds: file, rows, bytes, sha256.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.simulate import write_world

SEED = 20260302
QUIET_ACCOUNTS, PLANTED_ACCOUNTS, PLANTED_SHARE = 110, 240, 0.05
GOOD_ROWS = 300
DUPLICATES = 7
BAD_TEXT = b"\xff\xfe broken \x80"
NULL_CELLS = (("request_id", 0), ("timestamp", 1), ("account_id", 2), ("model", 3), ("account_id", 4))
EMPTY_IDS = (5,)
FAR_TIMES = {10: -40 * 365, 11: 80_000, 12: -60 * 365, 13: 90_000}  # row: days since 1970
BROKEN_CELLS = (("prompt", 20), ("user_agent", 21), ("account_id", 22))
WILD_CELLS = (("output_tokens", 30, -5.0), ("latency_ms", 31, 1e15), ("status_code", 32, 70_000.0), ("temperature", 33, -1e9), ("max_tokens", 34, 2.7))
DROPPED = ("ja4", "api_key_id")


def make(out: Path) -> list[Path]:
    """Writes every sample into OUT and returns their paths in order of name."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _one_night(Path(folder), "quiet", QUIET_ACCOUNTS, 0.0, out, "quiet_night")
        truth = _one_night(Path(folder), "planted", PLANTED_ACCOUNTS, PLANTED_SHARE, out, "planted_network")
    (out / "planted_network.truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    _write(out / "malformed.parquet", malformed(pq.read_table(out / "planted_network.parquet").slice(0, GOOD_ROWS)))
    return sorted(path for path in out.iterdir() if path.suffix in (".parquet", ".json"))


def _one_night(folder: Path, scenario: str, accounts: int, share: float, out: Path, name: str) -> dict[str, dict[str, list[str]]]:
    """One night of a scenario as two files; returns its truth."""
    world = folder / scenario
    write_world(world, scenario, accounts, 1, SEED, share)
    (log,) = world.glob("requests/*/part-0.parquet")
    (out / f"{name}.parquet").write_bytes(log.read_bytes())
    (out / f"{name}.accounts.parquet").write_bytes((world / "accounts.parquet").read_bytes())
    return _groups(pq.read_table(world / "truth.parquet"))


def _groups(truth: pa.Table) -> dict[str, dict[str, list[str]]]:
    """The active accounts of each campaign and of each innocent group."""
    groups: dict[str, dict[str, list[str]]] = {"campaigns": {}, "innocent_groups": {}}
    for row in truth.to_pylist():
        if row["active"] and row["network"]:
            groups["campaigns" if row["malicious"] else "innocent_groups"].setdefault(row["network"], []).append(row["account_id"])
    return groups


def malformed(good: pa.Table) -> pa.Table:
    """The rows with the defects listed in README.md: some that a run must reject, some that it must take as they are."""
    columns = {name: good[name].combine_chunks() for name in good.column_names if name not in DROPPED}
    for name, row in NULL_CELLS:
        columns[name] = _replaced(columns[name], row, None)
    for row in EMPTY_IDS:
        columns["account_id"] = _replaced(columns["account_id"], row, "")
    columns["timestamp"] = _naive_milliseconds(columns["timestamp"])
    for name in ("max_tokens", "status_code", "output_tokens"):
        columns[name] = columns[name].cast(pa.float64())  # wider than the contract, and able to hold what does not fit
    columns["input_tokens"] = columns["input_tokens"].cast(pa.int32())
    for name, row, value in WILD_CELLS:
        columns[name] = _replaced(columns[name], row, value)
    columns["model"] = columns["model"].dictionary_encode()
    columns["gateway_note"] = pa.array([f"note {row}" for row in range(good.num_rows)])
    table = pa.table({name: columns[name] for name in sorted(columns)})
    table = pa.concat_tables([table, _duplicates(table)])
    for name in sorted({name for name, _ in BROKEN_CELLS}):
        broken = {row for column, row in BROKEN_CELLS if column == name}
        table = table.set_column(table.column_names.index(name), name, _broken(table[name].combine_chunks(), broken))
    return table


def _replaced(values: pa.Array, row: int, value: object) -> pa.Array:
    mask = np.arange(len(values)) == row
    return pc.if_else(pa.array(mask), pa.scalar(value, values.type), values)


def _naive_milliseconds(values: pa.Array) -> pa.Array:
    """The instants without a zone, in milliseconds, a few of them far away."""
    stamps = values.cast(pa.timestamp("ms", tz="UTC"), safe=False).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).copy()
    for row, day in FAR_TIMES.items():
        stamps[row] = day * 86_400_000
    return pa.array(stamps, mask=np.asarray(values.is_null())).cast(pa.timestamp("ms"))


def _duplicates(table: pa.Table) -> pa.Table:
    """The last good rows once more, as a gateway's second attempt would log them."""
    return table.slice(GOOD_ROWS - DUPLICATES, DUPLICATES)


def _broken(values: pa.Array, rows: set[int]) -> pa.Array:
    """The strings with bytes that are not UTF-8 in some rows."""
    raw = [BAD_TEXT if row in rows else value for row, value in enumerate(values.cast(pa.binary()).to_pylist())]
    return pa.array(raw, pa.binary()).view(pa.string())


def _write(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=3, version="2.6")


def describe(path: Path) -> str:
    """The path's row of the table in README.md."""
    rows = pq.read_metadata(path).num_rows if path.suffix == ".parquet" else "-"
    data = path.read_bytes()
    return f"| {path.name} | {rows} | {len(data)} | `{hashlib.sha256(data).hexdigest()}` |"


if __name__ == "__main__":
    for made in make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent):
        print(describe(made))  # noqa: T201 -- the table is this program's output
