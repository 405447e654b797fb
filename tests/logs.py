"""Small request logs that tests write themselves: innocent accounts, and one network that is plain to see.

Times are in May 2026, UTC. Every value is a function of the account, the day and the number of the request.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

START = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
WORDS = (
    "river stone window garden market letter bridge winter summer paper silver number engine forest valley mirror pocket ribbon candle harbour meadow copper saddle thunder".split()
)
REQUESTS = pa.schema(
    [
        ("request_id", pa.string()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("account_id", pa.string()),
        ("model", pa.string()),
        ("prompt", pa.string()),
        ("output_tokens", pa.int64()),
        ("input_tokens", pa.int64()),
        ("max_tokens", pa.int64()),
        ("status_code", pa.int16()),
        ("client_ip", pa.string()),
        ("user_agent", pa.string()),
        ("ja4", pa.string()),
    ]
)
INNOCENT, PLANTED = 150, 8


def _token(text: str) -> str:
    """A fingerprint such as a payment provider would give."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _request(account: str, day: int, number: int, prompt: str, address: str, tokens: int) -> dict[str, Any]:
    draw = random.Random(f"{account} {day} {number} when")
    return {
        "request_id": f"{account}-{day}-{number}",
        "timestamp": START + dt.timedelta(days=day, seconds=draw.randrange(86_400), microseconds=draw.randrange(1_000_000)),
        "account_id": account,
        "model": "large-1",
        "prompt": prompt,
        "output_tokens": tokens,
        "input_tokens": 20 + len(prompt) // 4,
        "max_tokens": 4096,
        "status_code": 200,
        "client_ip": address,
        "user_agent": f"client/{draw.randrange(40)}",
        "ja4": f"t13d{draw.randrange(40):04d}",
    }


def _innocent(number: int, day: int) -> list[dict[str, Any]]:
    account = f"person-{number:03d}"
    draw = random.Random(f"{account} {day}")
    prompts = (" ".join(draw.choices(WORDS, k=draw.randrange(5, 25))) for _ in range(draw.randrange(2, 8)))
    return [_request(account, day, index, prompt, f"10.{number}.0.{draw.randrange(1, 4)}", draw.randrange(50, 400)) for index, prompt in enumerate(prompts)]


def _planted(number: int, day: int) -> list[dict[str, Any]]:
    account = f"pool-{number:03d}"
    draw = random.Random(f"{account} {day}")
    prompts = (f"Solve exercise {draw.randrange(10**6)} step by step, show all reasoning, then grade your own answer from one to ten: {draw.choice(WORDS)}" for _ in range(30))
    return [_request(account, day, index, prompt, f"203.0.113.{1 + (number + index) % 3}", 3000 + draw.randrange(500)) for index, prompt in enumerate(prompts)]


def write_rows(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = REQUESTS) -> Path:
    """Write rows as one Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def write_log(folder: Path, days: int = 3, first: int = 0) -> Path:
    """Write folder/date=D/part-0.parquet for some days; gives the folder."""
    for day in range(first, first + days):
        rows = [row for number in range(INNOCENT) for row in _innocent(number, day)] + [row for number in range(PLANTED) for row in _planted(number, day)]
        write_rows(folder / f"date={(START + dt.timedelta(days=day)).date()}" / "part-0.parquet", rows)
    return folder


def write_accounts(path: Path) -> Path:
    """Write the accounts table: everybody has a card of their own, the planted pool shares two."""
    people = [
        {"account_id": f"person-{number:03d}", "payment_fingerprint": _token(f"card {number}"), "created_at": START - dt.timedelta(days=30 + 3 * number)}
        for number in range(INNOCENT)
    ]
    pool = [{"account_id": f"pool-{number:03d}", "payment_fingerprint": _token(f"shared {number % 2}"), "created_at": START - dt.timedelta(days=3)} for number in range(PLANTED)]
    schema = pa.schema([("account_id", pa.string()), ("payment_fingerprint", pa.string()), ("created_at", pa.timestamp("us", tz="UTC"))])
    return write_rows(path, people + pool, schema)
