"""One day's requests of one population as columns of numbers; nothing is text yet, so a day of millions of rows stays small."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.simulate import clients, documents, places, rhythms, work
from pipeline.simulate.dials import Activity, World
from pipeline.simulate.documents import Documents
from pipeline.simulate.holders import Holders
from pipeline.simulate.rhythms import Events
from pipeline.simulate.seeds import Ints, Keys, key_of, keys_of, mix, normal, stream, unit
from pipeline.simulate.work import Habits

MODELS = ("quill-3-large", "quill-3-medium", "quill-3-small", "quill-2-large")
LITERAL_SESSIONS = ("default", "session-1", "test", "my_session")
ANSWER_HABIT = 0.5  # sigma of the log of one holder's usual answer, against others of the population
STATUSES = (200, 429, 400, 500, 529)
FINISHES = ("stop", "length", "tool_calls")


@dataclass(frozen=True)
class Rows:
    """One row a request. `account` counts through all populations; session 0 means none, below 10 a literal; -1 in a setting means not sent."""

    offset_us: Ints
    account: Ints
    tie: Keys
    session: Keys
    turn: Ints
    model: Ints
    wording: Ints
    system: Ints
    history_tokens: Ints
    output_tokens: Ints
    max_tokens: Ints
    temperature_milli: Ints
    stream: Ints
    finish: Ints
    latency_us: Ints
    status: Ints
    address: Keys
    network: Ints
    client: Ints
    api_key: Keys
    documents: Documents

    def __len__(self) -> int:
        return len(self.account)


_COLUMNS = tuple(entry.name for entry in dataclasses.fields(Rows) if entry.name != "documents")


@dataclass
class Source:
    """One population's activity with what it keeps from day to day; `next_job` moves on as days are drawn."""

    holders: Holders
    activity: Activity
    names: tuple[object, ...]
    habits: Habits
    harness_client: int
    first_account: int
    next_job: int = 0


def concat(parts: list[Rows]) -> Rows:
    """All parts' rows in the order of their time, ties by key. Needs at least one part."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    merged = Rows(**columns, documents=documents.concat([part.documents for part in parts]))
    return take(merged, np.lexsort((merged.tie, merged.offset_us)))


def take(rows: Rows, order: Ints) -> Rows:
    """The rows at the given places."""
    columns: dict[str, Any] = {name: getattr(rows, name)[order] for name in _COLUMNS}
    return Rows(**columns, documents=rows.documents.take(order))


def draw_day(world: World, source: Source, seed: int, day: int, client_system_count: int) -> Rows:
    """The requests that this source sends on a day (0 is the first)."""
    holders, activity, names = source.holders, source.activity, source.names
    happened = rhythms.events(holders, activity, names, seed, day, source.next_job)
    source.next_job += int(happened.job.max() - source.next_job + 1) if len(happened) else 0
    docs = work.documents(world, holders, activity, happened, names, seed, day)
    client = _clients(source, happened, day)
    caps, temperatures, streams = _settings(source, happened, seed)
    status = np.array([0, 1, 2, 3, 4])[np.searchsorted((0.985, 0.993, 0.997, 0.999), stream(seed, *names, day, "status").random(len(happened)))]
    output, finish = _answers(source, happened, caps, status, stream(seed, *names, day, "output"))
    address, network = _addresses(source, happened, seed, day)
    latency = 350_000 + output * 11_000 * np.exp(0.25 * stream(seed, *names, day, "latency").standard_normal(len(happened)))
    return Rows(
        happened.offset_us,
        source.first_account + happened.holder,
        mix(happened.conversation + mix(happened.turn.astype(np.uint64))),
        _sessions(source, happened),
        happened.turn,
        _models(source, happened),
        _wordings(source, happened),
        _systems(source, happened, client, client_system_count),
        happened.turn * (60 + int(activity.work.output_tokens)),
        output,
        caps,
        temperatures,
        streams,
        finish,
        np.asarray(np.rint(latency), dtype=np.int64),
        status,
        address,
        network,
        client,
        _api_keys(holders, happened),
        docs,
    )


def _clients(source: Source, happened: Events, day: int) -> Ints:
    family = source.holders.population.access.clients
    if family == "harness":
        return np.full(len(happened), source.harness_client)
    keys = mix(source.holders.key + np.uint64(61))
    if family == "coding":
        return clients.coding_client(keys, day)[happened.holder]
    return clients.popular_client(family, keys)[happened.holder]


def _settings(source: Source, happened: Events, seed: int) -> tuple[Ints, Ints, Ints]:
    """Caps, temperatures and streaming, kept by the holder, by the group, or by the client's defaults."""
    holders, kind = source.holders, source.activity.work.settings
    family = source.holders.population.access.clients
    if kind == "client" and family in clients.DEFAULTS:
        return _default_settings(family, len(happened))
    base = key_of(seed, *source.names, "settings")
    owner = mix((holders.group_key if kind == "group" else holders.key) ^ base)
    cap = np.array(clients.CAPS)[(unit(owner) * len(clients.CAPS)).astype(np.int64)]
    temperature = np.array(clients.TEMPERATURES)[(unit(mix(owner)) * len(clients.TEMPERATURES)).astype(np.int64)]
    streams = (unit(mix(mix(owner))) < 0.3).astype(np.int64)
    cap = np.where((cap > 0) & (cap < 1.5 * source.activity.work.output_tokens), 4096, cap)
    return cap[happened.holder], temperature[happened.holder], streams[happened.holder]


def _default_settings(family: str, count: int) -> tuple[Ints, Ints, Ints]:
    cap, temperature, streams = clients.DEFAULTS[family]
    return np.full(count, cap), np.full(count, temperature), np.full(count, int(streams))


def _answers(source: Source, happened: Events, caps: Ints, status: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Output tokens (0 where the request failed) and finish reasons. A holder's own work draws answers of the holder's own usual length."""
    law = source.activity.work
    usual = np.zeros(len(source.holders)) if source.activity.pooled else normal(source.holders.key + np.uint64(121))
    scale = law.output_tokens * np.exp(ANSWER_HABIT * usual[happened.holder])
    wanted = np.maximum(1, np.rint(scale * np.exp(law.output_spread * rng.standard_normal(len(happened))))).astype(np.int64)
    limit = np.where(caps > 0, caps, 64_000)
    cut = wanted > limit
    tools = (law.system == "client") & (rng.random(len(happened)) < 0.4)
    return np.where(status == 0, np.minimum(wanted, limit), 0), np.where(status > 0, -1, np.where(cut, 1, np.where(tools, 2, 0)))


def _sessions(source: Source, happened: Events) -> Keys:
    """Chat clients send the conversation; scripts send none, one a request, or a literal that others send too."""
    holders = source.holders
    own = np.maximum(mix(happened.conversation), np.uint64(10))
    if source.activity.rhythm.turns <= 1.0:
        silent = (unit(mix(holders.key + np.uint64(71))) < 0.5)[happened.holder]
        own = np.where(silent, np.uint64(0), own)
    literal = np.uint64(1) + mix(holders.key) % np.uint64(len(LITERAL_SESSIONS))
    return np.where(holders.literal_session[happened.holder], literal[happened.holder], own)


def _models(source: Source, happened: Events) -> Ints:
    taste = unit(mix(source.holders.key + np.uint64(81)))[happened.holder]
    whim = unit(mix(happened.conversation + np.uint64(82)))
    usual = np.searchsorted((0.45, 0.75, 0.93), taste)
    return np.where(whim < 0.85, usual, (whim * 1000).astype(np.int64) % len(MODELS))


def _wordings(source: Source, happened: Events) -> Ints:
    first, law = source.habits.wordings[happened.holder], source.activity.work
    variant = (mix(happened.conversation + np.uint64(91)) % np.uint64(work.FAMILY_SIZE)).astype(np.int64) if law.template == "family" else np.zeros(len(happened), np.int64)
    carried = unit(mix(happened.conversation + np.uint64(92))) < law.template_share
    return np.where((first > 0) & carried & (happened.turn == 0), first + variant, 0)


def _systems(source: Source, happened: Events, client: Ints, count: int) -> Ints:
    first = source.habits.systems[happened.holder]
    if source.activity.work.system != "client":
        return first
    version = clients.version_of(client) if source.holders.population.access.clients == "coding" else np.full(len(happened), count // 2)
    return np.asarray(first + np.clip(version, 0, count - 1), dtype=np.int64)


def _api_keys(holders: Holders, happened: Events) -> Keys:
    """One credential, or up to three (a service's stages) for organisations."""
    many = 3 if holders.population.identity.organization else 1
    return keys_of(key_of(0, "api_key"), (mix(holders.key) >> np.uint64(2)).astype(np.int64)[happened.holder] + (mix(happened.conversation) % np.uint64(many)).astype(np.int64))


def _addresses(source: Source, happened: Events, seed: int, day: int) -> tuple[Keys, Ints]:
    """Client address and network of each request, by the population's way of connecting."""
    holders, access = source.holders, source.holders.population.access
    line = holders.line
    moves = np.where(unit(mix(holders.key + np.uint64(101))) < 0.3, day, -1)  # three lines in ten get a new address every day
    home = places.address(line, keys_of(key_of(seed, "line"), (holders.key >> np.uint64(8)).astype(np.int64) + moves), allow_v6=True)
    home = np.where(holders.shares_line, places.carrier_address(line, holders.key), home)[happened.holder]
    if access.addresses == "home":
        return home, line[happened.holder]
    shared, network = _shared_address(source, happened)
    chosen = stream(seed, *source.names, day, "address").random(len(happened)) < access.pool_share
    return np.where(chosen, shared, home), np.where(chosen, network, line[happened.holder])


def _shared_address(source: Source, happened: Events) -> tuple[Keys, Ints]:
    holders, access = source.holders, source.holders.population.access
    slot = mix(happened.conversation + np.uint64(111))
    if access.addresses == "per_request":
        country = (mix(slot) % np.uint64(len(places.COUNTRIES))).astype(np.int64)
        network = places.consumer_network(country, slot)
        return places.address(network, slot, allow_v6=False), network
    if access.addresses == "residential":
        network = holders.line[happened.holder]
        return places.address(network, holders.key[happened.holder] + slot % np.uint64(2), allow_v6=False), network
    owner = holders.group_key[happened.holder]
    hosted = access.addresses in ("pool", "cloud")
    place = places.cloud_network(owner) if hosted else places.consumer_network(holders.country[holders.group_first()][happened.holder], owner)
    return places.address(place, owner + slot % np.uint64(access.pool_addresses), allow_v6=False), place
