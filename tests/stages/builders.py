"""Small worlds for the detection stages: accounts described in a line, their requests, samples and records as the frames that stages read.

Every value is a function of names and numbers, so a world is the same wherever it is built. `run` walks the stages of
the product from the days on, each on exactly the tables that it declares.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipeline.config import Config, load_config
from pipeline.engines.duckdb import DuckEngine, arrow_schema
from pipeline.engines.sqlfile import load
from pipeline.kinds import kind_table
from pipeline.schema import Table
from pipeline.stages import STAGES, TABLES, Stage
from pipeline.stages.days import DayReader
from tests.packing import as_bytes

CONFIG = load_config()
START = date(2026, 5, 1)
DAYS = 8
DAY_US = 86_400_000_000
START_US = (START - date(1970, 1, 1)).days * DAY_US
Frames = dict[str, pl.DataFrame]


@lru_cache(maxsize=100_000)
def key(*parts: object) -> int:
    """A 62-bit key of a value, even or odd by chance."""
    return int(hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:16], 16) >> 2


@dataclass(frozen=True)
class Account:
    """One account: what it holds and how it works. A field left empty is a value of its own."""

    name: str
    requests: int = 40
    wording: str = ""
    """name of the template in its prompts; none: every prompt is new"""
    preamble: str = ""
    """name of the text that its client puts in front of every prompt"""
    topic: str = ""
    """name of the pool of work its prompts are about; none: of those with its template the template's, of others its own"""
    templated_share: float = 1.0
    output: tuple[int, int] = (20, 600)
    addresses: tuple[str, ...] = ()
    stack: str = ""
    product: str = ""
    system: str = ""
    payment: str = ""
    device: str = ""
    signup: str = ""
    organization: str = ""
    vouched: bool = False
    pathway: str = "self_serve"
    created_day: int = -1

    @property
    def key(self) -> int:
        """Its account_key."""
        return key("account", self.name)


def empty(name: str) -> pl.DataFrame:
    """A table of schema.py without rows."""
    found = pl.from_arrow(arrow_schema(TABLES[name]).empty_table())
    assert isinstance(found, pl.DataFrame)
    return found


def frame(name: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """Rows as a table of schema.py; columns that no row names are null, lists are packed where the table has them so."""
    schema = empty(name).schema
    rows = list(rows)
    return pl.DataFrame({column: [as_bytes(column, row.get(column)) if kind == pl.Binary else row.get(column) for row in rows] for column, kind in schema.items()}, schema=schema)


def world(accounts: Sequence[Account]) -> Frames:
    """What ingest would hand on: requests, prompt_samples (one a prompt) and account_records."""
    requests = [row for account in accounts for row in _requests(account)]
    samples = frame("prompt_samples", ({**row, "request_count": 1, "max_message_count": 1, "first_us": row["ts_us"]} for row in requests))
    return {"requests": frame("requests", requests), "prompt_samples": samples, "account_records": frame("account_records", map(_record, accounts))}


def _requests(account: Account) -> list[dict[str, object]]:
    return [_request(account, number, random.Random(f"{account.name} {number}")) for number in range(account.requests)]


def _request(account: Account, number: int, draw: random.Random) -> dict[str, object]:
    address = account.addresses[number % len(account.addresses)] if account.addresses else account.name
    product = account.product or f"product-{draw.randrange(6)}"
    own = account.wording if account.wording and draw.random() < account.templated_share else ""
    texts = [text for text in (account.preamble, own) if text]
    fixed = [key("wording", text, n) for text in texts for n in range(14)]
    shingles = sorted([shingle >> 31 for shingle in fixed] + [draw.getrandbits(31) for _ in range(10)])
    return {
        "account_key": account.key,
        "ts_us": START_US + draw.randrange(DAYS) * DAY_US + draw.randrange(DAY_US),
        "request_id": f"{account.name}-{number}",
        "source_file": f"part-{number % 3}.parquet",
        "source_row": key(account.name, number) % 1_000_000_007,
        "source_system": "gateway",
        "model": "large-1",
        "operation": "chat",
        "input_tokens": 120,
        "output_tokens": draw.randint(*account.output),
        "max_tokens": 1024 * (1 + key(account.stack or account.name) % 4),
        "stream": bool(key(account.stack or account.name) % 3),
        "status_code": 200,
        "ip_key": key("ip", address),
        "agent_key": key("agent", account.stack or product),
        "agent_product_key": key("product", product),
        "stack_key": key("stack", account.stack or product),
        "system_key": key("system", account.system) if account.system else None,
        "prompt_key": key("prompt", account.name, number),
        "skeleton_key": key("skeleton", account.wording or f"{account.name} {number}"),
        "prompt_chars": 400,
        "prompt_words": 70,
        "message_count": 1,
        "shingles": shingles,
        "shingle_count": len(shingles),
        "tokens": _tokens(account, texts, own, number),
        "prefixes": [
            *(key("prefix", texts[0], words) for words in (8, 16, 32) if texts),
            *(key("prefix", account.name, number, words) for words in (8, 16, 32, 64)[3 * bool(texts) :]),
        ],
    }


def _tokens(account: Account, texts: Sequence[str], own: str, number: int) -> list[int]:
    """Words in the sampled eighth: of the texts that recur, of the pool of work and of everybody's speech."""
    draw = random.Random(f"words {account.name} {number}")
    topic = account.topic or own or account.name
    words = [f"{text} {n}" for text in texts for n in range(3)] + [f"{topic} {draw.randrange(60)}" for _ in range(6)] + [f"any {draw.randrange(200)}" for _ in range(3)]
    return sorted({key("word", word) % 2**28 for word in words})


def _record(account: Account) -> dict[str, object]:
    def own(kind: str, value: str) -> int:
        return key(kind, value or account.name)

    created = account.created_day if account.created_day >= 0 else key("created", account.name) % 700
    return {
        "account_key": account.key,
        "account_id": account.name,
        "has_record": True,
        "organization_key": key("organization", account.organization) if account.organization else None,
        "is_vouched": account.vouched,
        "created_us": START_US - (800 - created) * DAY_US,
        "signup_ip_key": own("signup", account.signup),
        "email_key": key("email", account.name),
        "payment_key": own("payment", account.payment),
        "device_key": own("device", account.device),
        "access_pathway": account.pathway,
        "status": "active",
    }


def engine(folder: Path | None = None) -> DuckEngine:
    """DuckDB as a run would open it, on one thread."""
    return DuckEngine(threads=1, memory_bytes=2_000_000_000, temp_dir=folder or Path(tempfile.gettempdir()) / "stillhunt-tests")


def settings_of(config: Config) -> dict[str, object]:
    """Every setting by its name, as SQL parameters."""
    return {name: value for section in dataclasses.asdict(config).values() for name, value in section.items()}


def sql(name: str, tables: Mapping[str, pl.DataFrame], config: Config = CONFIG, **params: object) -> pl.DataFrame:
    """The result of one SQL file on frames; parameters come from the configuration unless they are named."""
    with engine() as duck:
        return _sql(duck, name, tables, settings_of(config) | params)


def _sql(duck: DuckEngine, name: str, tables: Mapping[str, pl.DataFrame], params: Mapping[str, object]) -> pl.DataFrame:
    file = load(name)
    for table in file.reads:
        duck.register(table, tables[table])
    found = pl.from_arrow(duck.select(name, {param: params[param] for param, _ in file.params}))
    assert isinstance(found, pl.DataFrame)
    return found


def run(given: Mapping[str, pl.DataFrame], config: Config = CONFIG, skip: Sequence[str] = ("lineage", "network_ids", "known_networks")) -> Frames:
    """Every table of the run, from requests, samples and records on. Tables that nobody gives or makes are empty."""
    tables: Frames = {"kinds": kind_table(config.links), **given}
    with engine() as duck:
        for stage in STAGES:
            if stage.is_edge or set(stage.writes) & set(skip):
                continue
            tables |= _stage(duck, stage, {name: tables[name] if name in tables else empty(name) for name in stage.reads}, config)
    return tables


def _stage(duck: DuckEngine, stage: Stage, reads: Frames, config: Config) -> Frames:
    if not stage.is_sql:
        return python_stage(stage, reads, config)
    params = settings_of(config) | {"night": START + timedelta(days=DAYS - 1), "first_day": START}
    return {stage.writes[0]: _sql(duck, stage.source, reads, params)}


def python_stage(stage: Stage, reads: Mapping[str, pl.DataFrame], config: Config = CONFIG) -> Frames:
    """The tables that one Python stage makes."""
    module, _, name = stage.source.partition(":")
    if stage.streams:
        return {stage.writes[0]: streamed(stage, reads[stage.reads[0]], config, **{table: reads[table] for table in stage.reads[1:]})}
    made: Frames = getattr(importlib.import_module(module), name)(reads, config)
    assert set(made) == set(stage.writes)
    return made


def streamed(stage: Stage, read: pl.DataFrame, config: Config = CONFIG, rows: int = 100, **others: pl.DataFrame) -> pl.DataFrame:
    """The table that a stage makes of batches of at most `rows` rows of the first table it reads, sorted as its file is (a day table: of each day), and of the others."""
    rule = importlib.import_module(stage.source.partition(":")[0])
    table = TABLES[stage.reads[0]]
    given = day_readers(table, read, rows) if table.per_day else iter(plain(table, read).select(rule.COLUMNS).to_batches(max_chunksize=rows))
    schema = arrow_schema(TABLES[stage.writes[0]])
    made = [pa.Table.from_batches([batch]).cast(schema) for batch in getattr(rule, stage.source.partition(":")[2])(given, config, **others)]
    found = pl.from_arrow(pa.concat_tables([schema.empty_table(), *made]))
    assert isinstance(found, pl.DataFrame)
    return found


def plain(table: Table, read: pl.DataFrame) -> pa.Table:
    """The rows as the table's file has them: sorted by grain, of the types of schema.py."""
    return read.select(table.column_names).sort(table.grain).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow_schema(table))


def day_readers(table: Table, read: pl.DataFrame, rows: int) -> list[DayReader]:
    """A reader for each UTC day, of batches of at most `rows` rows, with kinds as a dictionary."""
    days = (read["day"] if "day" in read.columns else read["ts_us" if "ts_us" in read.columns else "first_us"] // DAY_US).rename("of")
    return [functools.partial(_day_rows, plain(table, read.filter(days == day)), rows) for day in days.unique().sort()]


def _day_rows(day: pa.Table, most: int, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    for batch in day.select(list(columns)).to_batches(max_chunksize=min(most, rows)):
        yield batch if "kind" not in columns else batch.set_column(list(columns).index("kind"), "kind", batch.column("kind").dictionary_encode())


def shuffled(tables: Mapping[str, pl.DataFrame], seed: int) -> Frames:
    """The same tables with their rows in another order."""
    return {name: table.sample(fraction=1.0, shuffle=True, seed=seed + len(name)) for name, table in tables.items()}


def stage_named(source: str) -> Stage:
    """The stage whose rule stands at `source`."""
    (found,) = [stage for stage in STAGES if stage.source == source]
    return found
