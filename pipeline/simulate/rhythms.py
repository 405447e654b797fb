"""When requests happen: conversations of one population's activity on one day, with their turns, as columns of equal length."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from pipeline.simulate import dealing, places
from pipeline.simulate.careers import DAY_US, HOUR_US, in_service
from pipeline.simulate.dials import Activity, Rhythm
from pipeline.simulate.holders import Holders
from pipeline.simulate.seeds import Flags, Floats, Ints, Keys, key_of, keys_of, mix, normal, stream, unit

RUN_GAP_S = 22.0
MAX_TURNS = 60
RETRY = 64
DEPTH = 0.7  # sigma of the log of how long one holder goes on talking
BATCH_WINDOWS = 3
LESSON_HOURS = (9, 11, 14, 16)
COPY_GAP_S = 8.0  # between the samples of one item
GOES_ON = 0.2  # conversations of several turns that the owner of two accounts takes from one to the other
EVENT_HOURS = (9.5, 13.5)  # a day at full tilt: from, hours


@dataclass(frozen=True)
class Events:
    """One row a request: holder (row in Holders), microseconds into the day, conversation key, turn (0 is the first), number of the job in the population's work-list.

    `origin` is the holder that the conversation began with, `again` counts further samples of one request (from 1) and `RETRY` marks a throttled one that is sent once more.
    """

    holder: Ints
    offset_us: Ints
    conversation: Keys
    turn: Ints
    job: Ints
    origin: Ints
    again: Ints

    def __len__(self) -> int:
        return len(self.holder)

    def take(self, rows: Ints | Flags) -> Events:
        """The events at the given rows."""
        return Events(*(getattr(self, entry.name)[rows] for entry in dataclasses.fields(self)))


def concat(parts: list[Events]) -> Events:
    """All parts' events, in order."""
    return Events(*(np.concatenate([getattr(part, entry.name) for part in parts]) for entry in dataclasses.fields(Events)))


@dataclass(frozen=True)
class _Clock:
    """What a schedule draws hours from: the holder of each conversation, ascending, and `clock`, the schedule's key."""

    holders: Holders
    starters: Ints
    rng: np.random.Generator
    clock: np.uint64
    day: int


def events(holders: Holders, activity: Activity, names: tuple[object, ...], seed: int, day: int, day_us: int, first_job: int) -> Events:
    """The requests of a day that begins at `day_us`. `names` is the activity's namespace; `first_job` counts the jobs of earlier days."""
    rhythm = activity.rhythm
    starters = _starters(holders, activity, names, seed, day, day_us)
    times = _times(holders, rhythm, starters, names, seed, day)
    if activity.pooled:
        order = np.argsort(times, kind="stable")
        times, starters = times[order], dealing.deal(holders, activity, starters[order], times[order], names, seed, day, day_us)
        kept = starters >= 0
    else:
        kept = _alive(holders, rhythm, starters, day_us + times)
    times, starters = times[kept], starters[kept]
    jobs = first_job + np.arange(len(starters))
    conversation = keys_of(key_of(seed, *names, "conversation"), jobs)
    zero = np.zeros(len(jobs), np.int64)
    first = Events(starters, times, conversation, zero, jobs, starters, zero)
    depth = np.zeros(len(holders)) if activity.pooled else normal(holders.key + np.uint64(47))
    mean = 1.0 + (rhythm.turns - 1.0) * np.exp(DEPTH * depth[starters])
    talked = _with_turns(first, mean, rhythm.turn_gap_s, stream(seed, *names, day, "turns"))
    talked = _moved(holders, activity, talked, day_us)
    return talked.take(day_us + talked.offset_us < holders.service.until_us[talked.holder])


def _alive(holders: Holders, rhythm: Rhythm, starters: Ints, moment_us: Ints) -> Flags:
    """Whether each conversation falls into its holder's service, phase and lifetime."""
    kept = in_service(holders.service, starters, moment_us, rhythm.phase)
    if rhythm.lifetime_days:
        since = holders.service.turning_us if rhythm.phase == "after" else holders.created_us
        kept &= moment_us - since[starters] < rhythm.lifetime_days * DAY_US
    return kept


def _moved(holders: Holders, activity: Activity, talked: Events, day_us: int) -> Events:
    """Conversations that go on on another account, and the further samples of each request."""
    pool = activity.pool
    if pool is None or not len(talked):
        return talked
    key = mix(talked.conversation + np.uint64(171))
    switches = (unit(key) < pool.handoff) & (talked.turn >= 1 + (mix(key) % np.uint64(2)).astype(np.int64))
    if switches.any():
        holder = talked.holder.copy()
        holder[switches] = dealing.someone_else(holders, activity, talked.origin[switches], day_us + talked.offset_us[switches], key[switches])
        talked = dataclasses.replace(talked, holder=holder)
    return concat([talked, *(_sampled(holders, activity, talked, number, day_us) for number in range(1, pool.best_of))])


def _sampled(holders: Holders, activity: Activity, talked: Events, number: int, day_us: int) -> Events:
    """The requests once more, each from another account a few seconds later."""
    key = mix(talked.conversation + np.uint64(180 + number))
    offset = np.minimum(talked.offset_us + 1 + np.rint(unit(key) * 2e6 * COPY_GAP_S * number).astype(np.int64), DAY_US - 1)
    holder = dealing.someone_else(holders, activity, talked.holder, day_us + talked.offset_us, key)
    return dataclasses.replace(talked, holder=holder, offset_us=offset, again=np.full(len(talked), number))


def retried(holders: Holders, activity: Activity, happened: Events, throttled: Flags, day_us: int) -> Events:
    """The throttled requests once more, a second or three later, from another account of the pool."""
    first = happened.take(np.flatnonzero(throttled))
    key = mix(first.conversation + mix(first.turn.astype(np.uint64) + np.uint64(191)))
    offset = np.minimum(first.offset_us + np.rint((1.0 + 2.0 * unit(key)) * 1e6).astype(np.int64), DAY_US - 1)
    holder = dealing.someone_else(holders, activity, first.holder, day_us + first.offset_us, key)
    return dataclasses.replace(first, holder=holder, offset_us=offset, again=first.again + RETRY)


def on_second_accounts(holders: Holders, activity: Activity, happened: Events, day_us: int) -> Events:
    """The same events with the account that each is sent with: some conversations of several turns go on on their owner's other account, and stay there.

    The owner, the machine and the words are those of the account that the conversation began with. Pooled work is not touched.
    """
    rows = np.flatnonzero(holders.second[happened.holder] != happened.holder)
    if activity.pooled or not len(rows):
        return happened
    key, other = mix(happened.conversation[rows] + np.uint64(201)), holders.second[happened.holder[rows]]
    moves = (unit(key) < GOES_ON) & (happened.turn[rows] >= 1 + (mix(key) % np.uint64(2)).astype(np.int64))
    moves &= _alive(holders, activity.rhythm, other, day_us + happened.offset_us[rows])
    holder = happened.holder.copy()
    holder[rows[moves]] = other[moves]
    return dataclasses.replace(happened, holder=holder)


def _starters(holders: Holders, activity: Activity, names: tuple[object, ...], seed: int, day: int, day_us: int) -> Ints:
    """The holder of each conversation of the day, ascending. A pool's demand is that of the accounts that it has, spare ones not counted, whoever may be banned."""
    rhythm = activity.rhythm
    own = stream(seed, *names, "rate").standard_normal(len(holders))
    rng = stream(seed, *names, day, "volume")
    mean = rhythm.per_day * np.exp(rhythm.spread * own) * activity.share
    awake = rng.random(len(holders)) < rhythm.active_share * (rhythm.weekend if day % 7 >= 5 else 1.0)
    if rhythm.members != "all":
        awake &= (holders.place == 0) == (rhythm.members == "first")
    if activity.pooled:
        awake &= ~holders.service.spare & (~holders.service.purchased | (holders.service.turning_us <= day_us))
    counts = rng.poisson(mean * awake * np.exp(0.2 * rng.standard_normal(len(holders))))
    return np.repeat(np.arange(len(holders)), counts)


def _times(holders: Holders, rhythm: Rhythm, starters: Ints, names: tuple[object, ...], seed: int, day: int) -> Ints:
    rng = stream(seed, *names, day, "times")
    draw = {"human": _human, "office": _office, "lesson": _lesson, "cron": _cron, "batch": _batch, "always": _always, "event": _event, "spike": _spike}[rhythm.schedule]
    hours = draw(_Clock(holders, starters, rng, key_of(seed, *names, "clock"), day))
    return np.asarray(np.rint((hours % 24.0) * HOUR_US), dtype=np.int64) % DAY_US


def _human(at: _Clock) -> Floats:
    """Evenings and middays of the holder's own country, each with a habit of their own."""
    habit = unit(mix(at.holders.key ^ at.clock))[at.starters]
    peak = np.where(at.rng.random(len(at.starters)) < 0.35 + 0.3 * habit, 20.0, 13.0) + 4.0 * (habit - 0.5)
    return np.asarray(peak + at.rng.standard_normal(len(at.starters)) * 2.3 - places.HOURS[at.holders.country[at.starters]], dtype=np.float64)


def _office(at: _Clock) -> Floats:
    morning = at.rng.random(len(at.starters)) < 0.48
    local = np.where(morning, 10.4, 15.0) + at.rng.standard_normal(len(at.starters)) * 1.3
    return np.asarray(local - places.HOURS[at.holders.country[at.starters]], dtype=np.float64)


def _lesson(at: _Clock) -> Floats:
    """Half in the group's lesson of the at.day, half on the evening before it is due."""
    lesson = keys_of(at.clock, at.holders.group * 1000 + at.day) % np.uint64(len(LESSON_HOURS))
    hour = np.array(LESSON_HOURS)[lesson.astype(np.int64)][at.starters]
    local = np.where(at.rng.random(len(at.starters)) < 0.55, hour + at.rng.random(len(at.starters)) * 0.9, 20.0 + at.rng.standard_normal(len(at.starters)) * 1.6)
    return np.asarray(local - places.HOURS[at.holders.country[at.starters]], dtype=np.float64)


def _cron(at: _Clock) -> Floats:
    """One run at the holder's own hour and minute, a request after the other; a third of at.holders run it by hand in the evening."""
    draw = unit(mix(at.holders.key ^ at.clock))
    by_hand = unit(mix(mix(at.holders.key ^ at.clock))) < 0.35
    start = np.where(by_hand, 19.0 + 3.0 * at.rng.random(len(at.holders)) - places.HOURS[at.holders.country], np.floor(draw * 96.0) / 4.0)
    place = np.arange(len(at.starters)) - np.searchsorted(at.starters, at.starters)
    gap = at.rng.lognormal(np.log(RUN_GAP_S), 0.6, len(at.starters)) / 3600.0
    run = start[at.starters] + place * RUN_GAP_S / 3600.0 * (0.5 + draw[at.starters]) + gap
    all_day = (unit(mix(at.holders.key + at.clock)) < 0.33)[at.starters]
    return np.where(all_day, at.rng.random(len(gap)) * 24.0, run)


def _batch(at: _Clock) -> Floats:
    """A few windows a at.day that a whole group keeps."""
    window = keys_of(at.clock, at.holders.group[at.starters] * 1000 + at.rng.integers(0, BATCH_WINDOWS, len(at.starters)) + 10 * at.day)
    return np.asarray(np.floor(unit(window) * 24.0) + at.rng.random(len(at.starters)) * 0.7, dtype=np.float64)


def _always(at: _Clock) -> Floats:
    return np.asarray(at.rng.random(len(at.starters)) * 24.0, dtype=np.float64)


def _event(at: _Clock) -> Floats:
    """The whole day of the place where it is held, till late."""
    local = EVENT_HOURS[0] + EVENT_HOURS[1] * at.rng.random(len(at.starters))
    return np.asarray(local - places.HOURS[at.holders.country[at.starters]], dtype=np.float64)


def _spike(at: _Clock) -> Floats:
    """One hour of the group's own."""
    start = unit(keys_of(at.clock, at.holders.group))[at.starters] * 23.0
    return np.asarray(start + at.rng.random(len(at.starters)), dtype=np.float64)


def _with_turns(first: Events, mean: Floats, gap_s: float, rng: np.random.Generator) -> Events:
    """Each conversation goes on for a geometric number of turns, some `gap_s` seconds apart; turns past midnight are not sent."""
    turns = np.minimum(rng.geometric(1.0 / mean), MAX_TURNS)
    row = np.repeat(np.arange(len(first)), turns)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(turns) - turns, turns)
    gap = np.where(turn == 0, 0.0, rng.lognormal(np.log(gap_s), 0.9, len(row)))
    elapsed = np.cumsum(gap)
    since = elapsed - elapsed[np.searchsorted(row, row)]
    offset = first.offset_us[row] + np.rint(since * 1e6).astype(np.int64)
    kept = offset < DAY_US
    return dataclasses.replace(first.take(row), offset_us=offset, turn=turn).take(kept)
