"""Every SQL or streaming stage gives equal bytes with 1 and 4 threads, and whatever order its input rows come in, on enough rows for threads to matter."""

import io
from datetime import date

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline import schema
from pipeline.config import load_config
from pipeline.engines.duckdb import DuckEngine, arrow_schema
from pipeline.engines.sqlfile import load
from pipeline.kinds import kind_table
from pipeline.run.execute import Bench, flat_settings
from pipeline.stages import STAGES
from tests.packing import as_bytes

TABLES = {table.name: table for table in vars(schema).values() if isinstance(table, schema.Table)}
ROWS, ACCOUNTS, SAMPLES = 150_000, 900, 20_000
START = 1_777_766_400_000_000


def typed(columns, table):
    frame = pl.DataFrame(columns)
    wanted = pl.from_arrow(arrow_schema(table).empty_table()).schema
    return frame.select((pl.col(name) if name in frame.columns else pl.lit(None, dtype=kind)).cast(kind).alias(name) for name, kind in wanted.items())


def sources():
    draw = np.random.default_rng(11)
    some = {column.name: draw.integers(0, 400, ROWS) for column in schema.REQUESTS.columns if column.name.endswith("_key")}
    some |= {name: draw.integers(0, 5000, ROWS) for name in ("input_tokens", "output_tokens", "max_tokens", "prompt_chars", "temperature_milli", "cost_micro_usd")}
    requests = some | {
        "account_key": draw.integers(0, ACCOUNTS, ROWS),
        "ts_us": START + draw.integers(0, 86_400_000, ROWS) * 1000,
        "request_id": [f"r{i}" for i in range(ROWS)],
        "source_file": ["f"] * ROWS,
        "source_row": np.arange(ROWS),
        "agent_product_key": draw.integers(0, 2, ROWS),
        "model": draw.choice(["a", "b", "c"], ROWS),
        "country": draw.choice(["DE", "FR"], ROWS),
    }
    requests["ja4_key"] = requests["account_key"] % 150  # six accounts share a client
    requests["gap_us"] = _gaps(requests["account_key"], requests["ts_us"])
    requests |= _conversations(requests["ts_us"], np.random.default_rng(12))
    samples = {
        "account_key": draw.integers(0, ACCOUNTS, SAMPLES),
        "prompt_key": draw.integers(0, 3000, SAMPLES),
        "request_count": draw.integers(1, 5, SAMPLES),
        "output_tokens": draw.integers(1, 500, SAMPLES),
        "first_us": START + draw.permutation(SAMPLES),  # no two days share a time
        "request_id": [f"r{i}" for i in range(SAMPLES)],
        "source_file": ["f"] * SAMPLES,
        "source_row": np.arange(SAMPLES),
        "prompt_chars": draw.integers(1, 500, SAMPLES),
        "shingles": [as_bytes("shingles", sorted({*row, *range(100, 105)})) for row in draw.integers(0, 60, (SAMPLES, 6)).tolist()],
        "shingle_count": np.full(SAMPLES, 11),
        "prompt_words": draw.integers(16, 40, SAMPLES),
        "prefixes": [as_bytes("prefixes", [first, 10 * first + 10 + second]) for first, second in draw.integers(0, 6, (SAMPLES, 2)).tolist()],
        "tokens": [as_bytes("tokens", sorted(set(row))) for row in (7_919 * draw.integers(0, 4_000, (SAMPLES, 4))).tolist()],
    }
    samples["request_count"] = np.where(samples["prompt_key"] % 4 > 0, 1, samples["request_count"])  # most prompts are sent once, so that some are sent at once
    records = {
        "account_key": np.arange(ACCOUNTS),
        "account_id": [f"acct-{i}" for i in range(ACCOUNTS)],
        "is_vouched": np.arange(ACCOUNTS) % 9 == 0,
        "organization_key": np.arange(ACCOUNTS) % 60,
        "payment_key": draw.integers(0, 300, ACCOUNTS),
        "device_key": np.arange(ACCOUNTS) // 100,  # a few that many hold
        "email_domain_key": draw.integers(0, 9, ACCOUNTS),
        "created_us": START - draw.integers(0, 10**12, ACCOUNTS),
    }
    clients = {"product": [0, 1], "is_public": [True, True], "levels": [64, 64]}
    clusters = {"cluster": np.arange(90) // 9, "account_key": np.arange(90), "origin": ["network"] * 90}
    families = {"cluster": range(10), "family": ["identity"] * 10, "admitted": [True, False] * 5}
    leads = {"prefix_key": range(5), "opening_key": range(5), "words": [8] * 5, "is_client": [True] * 5}
    return {
        "requests": typed(requests, schema.REQUESTS),
        "prompt_samples": typed(samples, schema.PROMPT_SAMPLES),
        "account_records": typed(records, schema.ACCOUNT_RECORDS),
        "public_clients": typed(clients, schema.PUBLIC_CLIENTS),
        "preambles": typed(leads, schema.PREAMBLES),
        "clusters": typed(clusters, schema.CLUSTERS),
        "cluster_families": typed(families, schema.CLUSTER_FAMILIES),
        "cluster_controls": typed({"cluster": np.arange(60) // 20, "account_key": np.arange(100, 160)}, schema.CLUSTER_CONTROLS),
        "cluster_ids": typed({"cluster": range(3), "network_id": ["P-1", "P-2", "P-3"]}, schema.CLUSTER_IDS),
        "pair_likeness": typed({"account_a": [0, 1], "account_b": [1, 2], "kind": ["topic"] * 2, "family": ["topic"] * 2, "bits": [4.0] * 2}, schema.PAIR_LIKENESS),
    }


def _gaps(account, ts_us):
    """Microseconds since the account's request before, None for its first: a day of an account is checked to be as long as its gaps allow."""
    return pl.DataFrame({"account": account, "ts": ts_us}).select(pl.col("ts") - pl.col("ts").shift(1).over("account", order_by="ts")).to_series().to_list()


def _conversations(ts_us, draw):
    """Sessions of a few requests within half an hour, so that some are handed on; turns are counted in some requests and some ids read as random."""
    return {
        "session_key": (ts_us // 1_800_000_000) * 1000 + draw.integers(0, 1000, ROWS),
        "message_count": [int(count) if count else None for count in draw.integers(0, 5, ROWS)],
        "is_opaque_session": draw.random(ROWS) < 0.9,
    }


BETWEEN = ("link_rarity",)
"""Tables that a function makes of tables that SQL makes, and that SQL reads on."""


def run_all(given, folder, threads, config):
    """Every SQL stage whose inputs are there, in the order of STAGES; the bytes of each table."""
    made = {}
    settings = flat_settings(config) | {"day": date(2026, 5, 3), "rewritten_min_products": 2}
    folder.mkdir()
    with DuckEngine(threads=threads, memory_bytes=2 * 10**9, temp_dir=folder / "spill") as engine:
        for name, frame in given.items():
            engine.register(name, frame)
        engine.register("kinds", kind_table(config.links))
        for stage in STAGES:
            (name, *_) = stage.writes
            path = folder / f"{name}.parquet"
            if stage.is_sql and set(stage.reads) <= {*given, *made, "kinds"}:
                engine.write(stage.source, {key: settings[key] for key, _ in load(stage.source).params}, path, TABLES[name])
            elif stage.streams:
                bench = Bench(engine, config, folder)
                bench.tables = {read: [folder / f"{read}.parquet"] for read in stage.reads}
                for read in set(stage.reads) & set(given):
                    bench.put(read, given[read])
                bench.run_stream(stage)
            elif name in BETWEEN:
                bench = Bench(engine, config, folder)
                bench.tables = {read: [folder / f"{read}.parquet"] for read in stage.reads}
                bench.run_python(stage)
            else:
                continue
            engine.view(name, [path], TABLES[name])
            made[name] = path.read_bytes()
    return made


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder, config, given = tmp_path_factory.mktemp("determinism"), load_config(), sources()
    backwards = {name: frame.reverse() for name, frame in given.items()}
    return [run_all(given, folder / "one", 1, config), run_all(backwards, folder / "four", 4, config)]


ELSEWHERE = {"cluster_values", "context_events", "members"}
"""Tables that these sources do not make; what reads them is asked below or in cases."""
SQL_STAGES = [stage for stage in STAGES if (stage.is_sql or stage.streams or stage.writes == BETWEEN) and not ELSEWHERE & set(stage.reads)]


@pytest.mark.parametrize("name", [stage.writes[0] for stage in SQL_STAGES])
def test_bytes_do_not_depend_on_threads_or_on_the_order_of_rows(runs, name):
    one, four = runs
    assert pq.read_metadata(io.BytesIO(one[name])).num_rows > 1
    assert one[name] == four[name]


def test_moves_to_a_new_model_do_not_depend_on_threads_or_on_the_order_of_rows(tmp_path):
    """The log of the other tests, stretched to eight days; one of its models appears on the sixth."""
    release = START + 5 * 86_400_000_000
    requests = sources()["requests"].with_columns((START + (pl.col("ts_us") - START) * 8).alias("ts_us"))
    requests = requests.with_columns(pl.when(pl.col("ts_us") < release).then(pl.lit("a")).otherwise("model").alias("model"))
    events = typed({"kind": ["release"], "at_us": [release], "model": ["c"], "account_key": [0]}, schema.CONTEXT_EVENTS)
    found = []
    for threads, turned in ((1, False), (4, True)):
        path = tmp_path / f"{threads}.parquet"
        with DuckEngine(threads=threads, memory_bytes=2 * 10**9, temp_dir=tmp_path / "spill") as engine:
            engine.register("requests", requests.reverse() if turned else requests)
            engine.register("context_events", events)
            engine.write("61_release_moves.sql", {}, path, TABLES["release_moves"])
        found.append(path.read_bytes())
    assert pq.read_metadata(io.BytesIO(found[0])).num_rows > 100
    assert found[0] == found[1]
