"""A log of many nights, small on purpose: innocent accounts, and pools and what becomes of them.

`old` harvests on the first days and is banned; `back` is the same operator under other accounts, cards and addresses; `other` is another operator,
whose client is one that many innocent accounts use. Every value is a function of the account, the day and the number of the request.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.logs import START, WORDS, _innocent, _request, _token, write_rows

Rows = list[dict[str, Any]]
PEOPLE, FANS, SIZE = 60, 30, 7
POPULAR = {"user_agent": "deskmate/4.2", "ja4": "t13d1516h2_deskmate"}
OWN = {"user_agent": "python-relay/0.3.1 (custom)", "ja4": "t13d9999h1_relay", "max_tokens": 7777}
EXERCISES = "Solve exercise {} step by step, show all reasoning, then grade your own answer from one to ten: {}"
CLAUSES = "Rewrite harbour contract number {} as a table of clauses with duties, deadlines and penalties, and explain every row at length: {}"


def pool(name: str, day: int, template: str = EXERCISES, client: Mapping[str, Any] = OWN) -> Rows:
    """A day of a pool that harvests with one template, one client and addresses of its own."""
    rows = []
    for number in range(SIZE):
        account = f"{name}-{number:02d}"
        draw = random.Random(f"{account} {day}")
        for index in range(20):
            prompt = template.format(draw.randrange(10**6), draw.choice(WORDS))
            rows.append(_request(account, day, index, prompt, f"203.0.{sum(map(ord, name)) % 250}.{1 + number % 3}", 3000 + draw.randrange(500)) | client)
    return rows


def _fan(number: int, day: int) -> Rows:
    account = f"fan-{number:03d}"
    draw = random.Random(f"{account} {day}")
    return [_request(account, day, index, " ".join(draw.choices(WORDS, k=12)), f"10.200.{number}.1", 80) | POPULAR for index in range(3)]


def people(day: int) -> Rows:
    """A day of everybody else, thirty of them with the popular client."""
    return [row for number in range(PEOPLE) for row in _innocent(number, day)] + [row for number in range(FANS) for row in _fan(number, day)]


def date_of(day: int) -> dt.date:
    """The UTC day of a number."""
    return (START + dt.timedelta(days=day)).date()


def write_day(folder: Path, day: int, rows: Iterable[dict[str, Any]], name: str = "part-0.parquet") -> Path:
    """Write folder/date=D/name; gives the file."""
    return write_rows(folder / f"date={date_of(day)}" / name, sorted(rows, key=lambda row: row["request_id"]))


def write_records(path: Path, pools: Iterable[str]) -> Path:
    """The accounts table: everybody has a card of their own, the accounts of a pool share two."""
    cards = {f"person-{number:03d}": f"card {number}" for number in range(PEOPLE)} | {f"fan-{number:03d}": f"card of fan {number}" for number in range(FANS)}
    cards |= {f"{name}-{number:02d}": f"card of {name} {number % 2}" for name in pools for number in range(SIZE)}
    rows = [{"account_id": account, "payment_fingerprint": _token(card), "created_at": START - dt.timedelta(days=3 + len(card))} for account, card in cards.items()]
    schema = pa.schema([("account_id", pa.string()), ("payment_fingerprint", pa.string()), ("created_at", pa.timestamp("us", tz="UTC"))])
    return write_rows(path, rows, schema)
