"""A log of many nights: innocent accounts, a pool that is banned and comes back under other accounts, cards, devices and addresses, and two unrelated groups with one popular client.

Small on purpose: a night has some two hundred requests. Every value is a function of the account, the day and the number of the request.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.logs import START, WORDS, _innocent, _request, _token, write_rows

PEOPLE, FANS, SIZE = 60, 30, 7
POPULAR = "You are the helpful desk companion of the public harbour library and you answer in three short sentences only please"
CLIENT = {"user_agent": "deskmate/4.2", "ja4": "t13d1516h2_deskmate"}
STACK = {"user_agent": "python-relay/0.3.1 (custom)", "ja4": "t13d9999h1_relay", "max_tokens": 7777}


def pool(name: str, day: int, size: int = SIZE, **changes: Any) -> list[dict[str, Any]]:
    """A day of a pool that harvests with one template, one client and addresses of its own."""
    rows = []
    for number in range(size):
        account = f"{name}-{number:02d}"
        draw = random.Random(f"{account} {day}")
        for index in range(20):
            prompt = f"Solve exercise {draw.randrange(10**6)} step by step, show all reasoning, then grade your own answer from one to ten: {draw.choice(WORDS)}"
            rows.append(_request(account, day, index, prompt, f"203.0.{sum(map(ord, name)) % 250}.{1 + number % 3}", 3000 + draw.randrange(500)) | STACK | changes)
    return rows


def group(name: str, day: int, size: int = SIZE) -> list[dict[str, Any]]:
    """A day of friends who use the popular client."""
    rows = []
    for number in range(size):
        account = f"{name}-{number:02d}"
        draw = random.Random(f"{account} {day}")
        for index in range(8):
            rows.append(_request(account, day, index, f"{POPULAR}. {' '.join(draw.choices(WORDS, k=12))}", f"198.51.{sum(map(ord, name)) % 250}.{1 + number % 2}", 80) | CLIENT)
    return rows


def people(day: int) -> list[dict[str, Any]]:
    """A day of everybody else, thirty of them with the popular client."""
    return [row for number in range(PEOPLE) for row in _innocent(number, day)] + [row for number in range(FANS) for row in group(f"fan{number:02d}", day, 1)]


def write_day(folder: Path, day: int, rows: Iterable[dict[str, Any]], name: str = "part-0.parquet") -> Path:
    """Write folder/date=D/name; gives the file."""
    return write_rows(folder / f"date={(START + dt.timedelta(days=day)).date()}" / name, sorted(rows, key=lambda row: row["request_id"]))


def write_records(path: Path, shared: Iterable[str], size: int = SIZE) -> Path:
    """The accounts table: everybody has a card of their own, the accounts of each named pool or group share one card of theirs."""
    own = [f"person-{number:03d}" for number in range(PEOPLE)] + [f"fan{number:02d}-00" for number in range(FANS)]
    rows = [{"account_id": name, "payment_fingerprint": _token(f"card {name}"), "created_at": START - dt.timedelta(days=40)} for name in own]
    rows += [
        {"account_id": f"{name}-{number:02d}", "payment_fingerprint": _token(f"card of {name} {number % 2}"), "created_at": START - dt.timedelta(days=3)}
        for name in shared
        for number in range(size)
    ]
    schema = pa.schema([("account_id", pa.string()), ("payment_fingerprint", pa.string()), ("created_at", pa.timestamp("us", tz="UTC"))])
    return write_rows(path, rows, schema)


