"""One day's requests of one population as columns of numbers; nothing is text yet, so a day of millions of rows stays small."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from pipeline.simulate import clients, connections, documents, rhythms, work
from pipeline.simulate.careers import DAY_US
from pipeline.simulate.dials import World
from pipeline.simulate.documents import Documents
from pipeline.simulate.rhythms import Events
from pipeline.simulate.seeds import Flags, Ints, Keys, key_of, mix, normal, stream, unit
from pipeline.simulate.sources import Source

MODELS = ("quill-3-large", "quill-3-medium", "quill-3-small", "quill-2-large", "quill-4-large")
NEW_MODEL = 4
OLD_MODELS = 4
ADOPTION_DAYS = 6.0  # mean days until an account takes up a new model
CURIOUS = 0.15  # accounts that try it on the first day
ANSWER_HABIT = 0.5  # sigma of the log of one holder's usual answer, against others of the population
STATUSES = (200, 429, 400, 500, 529)
FINISHES = ("stop", "length", "tool_calls")


@dataclass(frozen=True)
class Rows:
    """One row a request. `account` counts through all populations; session 0 means none, below 10 a literal, then COUNTED_SESSIONS counters; -1 in a setting means not sent."""

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
    box: Ints
    api_key: Keys
    end_user: Keys
    documents: Documents

    def __len__(self) -> int:
        return len(self.account)


_COLUMNS = tuple(entry.name for entry in dataclasses.fields(Rows) if entry.name != "documents")


def concat(parts: list[Rows]) -> Rows:
    """All parts' rows, in order. Needs at least one part."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    return Rows(**columns, documents=documents.concat([part.documents for part in parts]))


def time_order(rows: Rows) -> Ints:
    """The places of the rows in the order of their time, ties by key."""
    return np.lexsort((rows.tie, rows.offset_us))


def take(rows: Rows, order: Ints) -> Rows:
    """The rows at the given places."""
    columns: dict[str, Any] = {name: getattr(rows, name)[order] for name in _COLUMNS}
    return Rows(**columns, documents=rows.documents.take(order))


def draw_day(world: World, source: Source, seed: int, day: int, day_us: int, client_system_count: int) -> Rows:
    """The requests that this source sends on a day (0 is the first), which begins at `day_us`."""
    holders, activity, names = source.holders, source.activity, source.names
    happened = rhythms.events(holders, activity, names, seed, day, day_us, source.next_job)
    source.next_job += int(happened.job.max() - source.next_job + 1) if len(happened) else 0
    status = np.array([0, 1, 2, 3, 4])[np.searchsorted((0.985, 0.993, 0.997, 0.999), stream(seed, *names, day, "status").random(len(happened)))]
    if activity.pool is not None and activity.pool.failover:
        again = rhythms.retried(holders, activity, happened, status == 1, day_us)
        happened, status = rhythms.concat([happened, again]), np.concatenate([status, np.zeros(len(again), np.int64)])
    persons = holders.persons(happened.holder, day_us + happened.offset_us)
    writers = holders.persons(happened.origin, day_us + happened.offset_us)
    sent_with = rhythms.on_second_accounts(holders, activity, happened, day_us)
    docs = work.documents(world, holders, writers, activity, _listed(source, happened), names, seed, day)
    client = connections.clients_of(source, happened, persons, day)
    caps, temperatures, streams = _settings(source, happened, seed)
    output, finish = _answers(source, happened, caps, status, stream(seed, *names, day, "output"))
    address, network = connections.addresses_of(source, happened, persons, seed, day)
    latency = 350_000 + output * 11_000 * np.exp(0.25 * stream(seed, *names, day, "latency").standard_normal(len(happened)))
    return Rows(
        happened.offset_us,
        source.first_account + sent_with.holder,
        _ties(happened),
        connections.sessions_of(source, happened),
        happened.turn,
        _models(world, source, happened, day_us),
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
        connections.boxes_of(source, happened),
        connections.api_keys_of(source, sent_with),
        connections.end_users_of(source, happened),
        docs,
    )


def _ties(happened: Events) -> Keys:
    """A key of its own for every request."""
    first = mix(happened.conversation + mix(happened.turn.astype(np.uint64)))
    return np.where(happened.again > 0, mix(first + happened.again.astype(np.uint64)), first)


def _listed(source: Source, happened: Events) -> Events:
    """With a sharded work-list the job number counts within the account's own part of it."""
    if not source.activity.work.sharded or not len(happened):
        return happened
    sent = np.zeros(len(source.holders), np.int64) if source.sent is None else source.sent
    order = np.lexsort((happened.conversation, happened.offset_us, happened.origin))
    fresh = (happened.turn == 0) & (happened.again == 0)
    begun = np.cumsum(fresh[order])
    before = begun - fresh[order] - (begun - fresh[order])[np.searchsorted(happened.origin[order], happened.origin[order])]
    job = np.empty(len(happened), np.int64)
    job[order] = sent[happened.origin[order]] + before
    source.sent = sent + np.bincount(happened.origin[fresh], minlength=len(sent))
    _, first, place = np.unique(happened.conversation, return_index=True, return_inverse=True)
    return dataclasses.replace(happened, job=job[first[place]])


def _settings(source: Source, happened: Events, seed: int) -> tuple[Ints, Ints, Ints]:
    """Caps, temperatures and streaming, kept by the holder, by the group, or by the client's defaults."""
    holders, kind = source.holders, source.activity.work.settings
    family = source.access.clients
    if kind == "client" and family in clients.DEFAULTS:
        return _default_settings(family, len(happened))
    base = key_of(seed, *source.names, "settings")
    owner = mix((holders.group_key if kind == "group" else holders.key) ^ base)
    cap = np.array(clients.CAPS)[(unit(owner) * len(clients.CAPS)).astype(np.int64)]
    temperature = np.array(clients.TEMPERATURES)[(unit(mix(owner)) * len(clients.TEMPERATURES)).astype(np.int64)]
    streams = (unit(mix(mix(owner))) < 0.3).astype(np.int64)
    cap = np.where((cap > 0) & (cap < 1.5 * source.activity.work.output_tokens), 4096, cap)
    if kind == "client" and family == "rewritten":
        claimed = clients.claimed_client(mix(holders.key + np.uint64(61)))
        for name, mask in (("browser", claimed < clients.FIRST_SDK), ("coding", claimed >= clients.FIRST_CODING)):
            usual = clients.DEFAULTS[name]
            cap, temperature, streams = np.where(mask, usual[0], cap), np.where(mask, usual[1], temperature), np.where(mask, int(usual[2]), streams)
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


def _models(world: World, source: Source, happened: Events, day_us: int) -> Ints:
    taste = unit(mix(source.holders.key + np.uint64(81)))[happened.origin]
    whim = unit(mix(happened.conversation + np.uint64(82)))
    usual = np.searchsorted((0.45, 0.75, 0.93), taste)
    chosen = np.where(whim < 0.85, usual, (whim * 1000).astype(np.int64) % OLD_MODELS)
    return chosen if world.release_day < 0 else np.where(_takes_new_model(world, source, happened, day_us), NEW_MODEL, chosen)


def _takes_new_model(world: World, source: Source, happened: Events, day_us: int) -> Flags:
    """After its release some try a new model at once, most take it up over weeks, and an operator who pivots moves that share of the traffic within a day."""
    holders, career = source.holders, source.holders.population.career
    days = (day_us + happened.offset_us) / DAY_US - (date.fromisoformat(world.start) - date(1970, 1, 1)).days - world.release_day
    whim = unit(mix(happened.conversation + np.uint64(83)))
    if career.pivot_share:
        return np.asarray(whim < career.pivot_share * np.clip((days - 0.1) / 0.7, 0.0, 1.0), dtype=np.bool_)
    taste = unit(mix(holders.key + np.uint64(84)))[happened.origin]
    tries = (days >= 0.0) & (days < 1.0) & (taste < CURIOUS) & (whim < 0.4)
    adopted = days > -ADOPTION_DAYS * np.log(1.0 - unit(mix(holders.key + np.uint64(85))))[happened.origin]
    return np.asarray(tries | ((days >= 0.0) & adopted & (whim < 0.7)), dtype=np.bool_)


def _wordings(source: Source, happened: Events) -> Ints:
    first, law = source.habits.wordings[happened.holder], source.activity.work
    variant = (mix(happened.conversation + np.uint64(91)) % np.uint64(work.VARIANTS.get(law.template, 1))).astype(np.int64)
    carried = unit(mix(happened.conversation + np.uint64(92))) < law.template_share
    return np.where((first > 0) & carried & ((happened.turn == 0) | (law.template == "injected")), first + variant, 0)


def _systems(source: Source, happened: Events, client: Ints, count: int) -> Ints:
    first = source.habits.systems[happened.holder]
    if source.activity.work.system != "client":
        return first
    version = clients.version_of(client) if source.access.clients == "coding" else np.full(len(happened), count // 2)
    return np.asarray(first + np.clip(version, 0, count - 1), dtype=np.int64)
