"""Writes a world: request logs by day, the accounts table, the truth, and the dials it was drawn from.

A day is drawn as numbers, sorted, and turned into text in chunks, so memory holds one day's numbers and one chunk's
text. The same arguments give the same bytes in every process. Nothing that a pipeline may read says who is who: truth.parquet is for scoring only.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError
from pipeline.simulate import careers, clients, holders, inspection, requests, tables, wording, work
from pipeline.simulate.careers import DAY_US
from pipeline.simulate.dials import World
from pipeline.simulate.holders import Holders
from pipeline.simulate.ladder import RUNGS
from pipeline.simulate.scenarios import published, world_of
from pipeline.simulate.seeds import Ints, Keys, key_of, stream
from pipeline.simulate.sources import Source

CHUNK_ROWS = 20_000
TEXTS = ("full", "cheap")
FULL_FILE: dict[str, Any] = {"compression": "zstd", "compression_level": 3}
DISTINCT = {"request_id", "timestamp", "session_id", "latency_ms"}  # columns that a dictionary would only slow down
CHEAP_FILE: dict[str, Any] = {"compression": "lz4", "use_dictionary": [field.name for field in tables.REQUESTS if field.name not in DISTINCT]}
CLIENT_SYSTEM_SENTENCES = 30
TRUTH = pa.schema([("account_id", pa.string()), ("truth", pa.string()), ("network", pa.string()), ("malicious", pa.bool_()), ("active", pa.bool_()), ("rung", pa.string())])


@dataclass(frozen=True)
class _Cast:
    """Everyone in a world, and what they keep from day to day."""

    people: list[Holders]
    payment: list[Keys]
    device: list[Keys]
    sources: list[Source]
    phrases: work.Phrases
    clients: clients.Clients
    ids: pa.StringArray
    organizations: pa.StringArray


def write_world(out: Path, scenario: str, accounts: int, days: int, seed: int, share: float, text: str = "full") -> None:
    """Writes OUT/requests/date=D/part-0.parquet for each day, OUT/accounts.parquet, OUT/truth.parquet and OUT/scenario.json.

    OUT/context/ holds releases.csv and bans.csv if the world has any. `share` (0..0.5) is the campaigns' share of the accounts; a scenario without campaigns ignores it.
    An earlier world in OUT is replaced; a folder with other people's requests is refused. `text` is one of TEXTS: cheap takes prompts from a small stock, for work on scale.
    Raises UsageError.
    """
    if accounts < 40 or days < 1 or not 0.0 <= share <= 0.5 or seed < 0:
        raise UsageError(f"A world needs at least 40 accounts, 1 day, a share within 0..0.5 and a seed from 0 up (got {accounts}, {days}, {share}, {seed}).")
    write_dials(out, world_of(scenario, accounts, share), days, seed, {"scenario": scenario, "accounts": accounts, "share": share, **published(scenario)}, text)


def write_dials(out: Path, world: World, days: int, seed: int, asked: dict[str, object], text: str = "full") -> None:
    """Writes the world that the dials describe, as `write_world` does; `asked` goes into scenario.json as it is. Raises UsageError."""
    if text not in TEXTS:
        raise UsageError(f"'{text}' is not a kind of text. There are {', '.join(TEXTS)}.")
    start = date.fromisoformat(world.start)
    start_us = (start - date(1970, 1, 1)).days * DAY_US
    _clear(out)
    cast = _cast(world, seed, start_us, days)
    sent, own = np.zeros(len(cast.ids), np.int64), np.zeros(len(cast.ids), np.int64)
    for day in range(days):
        folder = out / "requests" / f"date={start + timedelta(days=day)}"
        made, as_itself = _write_day(folder, world, cast, seed, day, start_us + day * DAY_US, text == "cheap")
        sent, own = sent + made, own + as_itself
    as_of = _as_of(cast.people, start_us, days)
    records = [tables.accounts(part, payment, device, seed, start_us, as_of) for part, payment, device in zip(cast.people, cast.payment, cast.device, strict=True)]
    _write(out / "accounts.parquet", pa.concat_tables(records).sort_by("account_id"))
    _write(out / "truth.parquet", _truth(cast, own))
    _write_context(out / "context", world, cast, start_us)
    facts = {**asked, "days": days, "seed": seed, "text": text, "requests": int(sent.sum()), "world": dataclasses.asdict(world)}
    (out / "scenario.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _as_of(people: list[Holders], start_us: int, days: int) -> int:
    """The day of the accounts' snapshot: the first, unless the log's days saw a sign-up or a ban, which only a later one can tell."""
    late = any(bool((part.created_us >= start_us).any()) or bool(part.service.banned.any()) for part in people)
    return start_us // DAY_US + (days if late else 0)


def _clear(out: Path) -> None:
    if (out / "requests").exists():
        if not (out / "scenario.json").is_file():
            raise UsageError(f"{out} holds requests that this command did not write. Choose another folder.")
        shutil.rmtree(out / "requests")
    out.mkdir(parents=True, exist_ok=True)


def _cast(world: World, seed: int, start_us: int, days: int) -> _Cast:
    people = [holders.build(population, world.sharing, seed, start_us, days) for population in world.populations if population.size]
    payment, device = holders.share_between_strangers(people, world.sharing, seed)
    boxes = inspection.build(people, world.sharing, seed)
    harnesses = tuple(int(key_of(seed, p.population.name, "harness") >> np.uint64(8)) for p in people)
    book = work.WordBook.empty()
    client_systems = book.add_systems(wording.versions(stream(seed, "client_system"), CLIENT_SYSTEM_SENTENCES, len(clients.CODING_VERSIONS)))
    sources, first = [], 0
    for number, part in enumerate(people):
        for place, activity in enumerate(part.population.activities):
            names = (part.population.name, place)
            habit = work.habits(part, activity.work, names, seed, book, client_systems)
            own, nameless, disguised = clients.own_clients(number, len(people))
            sources.append(Source(part, activity, names, habit, own, disguised, nameless, first, boxes.before(number, activity)))
        first += len(part)
    ids, organizations = (pa.concat_arrays([made(p) for p in people]) for made in (tables.account_ids, tables.organization_ids))
    return _Cast(people, payment, device, sources, book.frozen(), clients.catalogue(harnesses, boxes.fingerprints), ids, organizations)


def _write_day(folder: Path, world: World, cast: _Cast, seed: int, day: int, day_us: int, cheap: bool) -> tuple[Ints, Ints]:
    """Writes one day's file; returns how many requests each account sent, and how many of them not as a bought account's former holder."""
    parts = [requests.draw_day(world, source, seed, day, day_us, len(clients.CODING_VERSIONS)) for source in cast.sources]
    former = [part.account for part, source in zip(parts, cast.sources, strict=True) if source.holders.population.malicious and source.activity.rhythm.phase == "before"]
    rows = requests.concat(parts)
    del parts
    order, schema = requests.time_order(rows), tables.REQUESTS.append(tables.END_USER) if world.end_users else tables.REQUESTS
    folder.mkdir(parents=True)
    with pq.ParquetWriter(folder / "part-0.parquet", schema, version="2.6", **(CHEAP_FILE if cheap else FULL_FILE)) as writer:
        for begin in range(0, len(rows), CHUNK_ROWS):
            chunk = requests.take(rows, order[begin : begin + CHUNK_ROWS])
            writer.write_table(tables.requests(chunk, day_us, cast.ids, cast.organizations, cast.clients, cast.phrases, schema, cheap))
    sent = np.bincount(rows.account, minlength=len(cast.ids))
    return sent, sent - np.bincount(np.concatenate([np.empty(0, np.int64), *former]), minlength=len(cast.ids))


def _write_context(folder: Path, world: World, cast: _Cast, start_us: int) -> None:
    """What only the provider knows: when models appeared, and which accounts it banned. A world without either has no folder."""
    until = np.concatenate([part.service.until_us for part in cast.people])
    bans = sorted((_iso(int(until[row])), cast.ids[row].as_py()) for row in np.flatnonzero(until < careers.NEVER).tolist())
    shutil.rmtree(folder, ignore_errors=True)
    if world.release_day >= 0 or bans:
        folder.mkdir(parents=True)
    if world.release_day >= 0:
        older = "".join(f"{model},{_iso(start_us - 120 * DAY_US)}\n" for model in requests.MODELS[: requests.OLD_MODELS])
        new = f"{requests.MODELS[requests.NEW_MODEL]},{_iso(start_us + world.release_day * DAY_US)}\n"
        (folder / "releases.csv").write_text("model,released_at\n" + older + new, encoding="utf-8")
    if bans:
        (folder / "bans.csv").write_text("account_id,banned_at\n" + "".join(f"{account},{moment}\n" for moment, account in bans), encoding="utf-8")


def _iso(moment_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)).isoformat()


def _truth(cast: _Cast, own: Ints) -> pa.Table:
    """Who is who. An account is active if it sent a request as what it is: one that was bought and only ever used by its former holder is not."""
    names, networks, bad = [], [], []
    for part in cast.people:
        population = part.population
        grouped = bool(population.group_size)
        names += [population.name] * len(part)
        networks += [population.name if population.one_group else f"{population.name}:{number}" if grouped else None for number in part.group.tolist()]
        bad += [population.malicious] * len(part)
    rungs = [name.removeprefix("campaign:") if name.removeprefix("campaign:") in RUNGS else None for name in names]
    columns = [cast.ids, pa.array(names, pa.string()), pa.array(networks, pa.string()), pa.array(bad, pa.bool_()), pa.array(own > 0), pa.array(rungs, pa.string())]
    return pa.Table.from_arrays(columns, schema=TRUTH).sort_by("account_id")


def _write(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=3, version="2.6")
