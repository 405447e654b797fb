"""When requests happen: conversations of one population's activity on one day, with their turns, as columns of equal length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulate import places
from pipeline.simulate.dials import Activity, Rhythm
from pipeline.simulate.holders import DAY_US, Holders
from pipeline.simulate.seeds import Floats, Ints, Keys, key_of, keys_of, mix, normal, stream, unit

HOUR_US = 3_600_000_000
TURN_GAP_S = 75.0
RUN_GAP_S = 22.0
MAX_TURNS = 60
DEPTH = 0.7  # sigma of the log of how long one holder goes on talking
STICKY_US = HOUR_US
BATCH_WINDOWS = 3
LESSON_HOURS = (9, 11, 14, 16)


@dataclass(frozen=True)
class Events:
    """One row a request: holder (row in Holders), microseconds into the day, conversation key, turn (0 is the first), number of the job in the population's work-list."""

    holder: Ints
    offset_us: Ints
    conversation: Keys
    turn: Ints
    job: Ints

    def __len__(self) -> int:
        return len(self.holder)


@dataclass(frozen=True)
class _Clock:
    """What a schedule draws hours from: the holder of each conversation, ascending, and `clock`, the schedule's key."""

    holders: Holders
    starters: Ints
    rng: np.random.Generator
    clock: np.uint64
    day: int


def events(holders: Holders, activity: Activity, names: tuple[object, ...], seed: int, day: int, first_job: int) -> Events:
    """The requests of a day. `names` is the activity's namespace; `first_job` counts the jobs of earlier days."""
    rhythm = activity.rhythm
    starters = _starters(holders, activity, names, seed, day)
    times = _times(holders, rhythm, starters, names, seed, day)
    if activity.pooled:
        order = np.argsort(times, kind="stable")
        times, starters = times[order], _deal(holders, activity, starters[order], times[order], names, seed, day)
    jobs = first_job + np.arange(len(starters))
    conversation = keys_of(key_of(seed, *names, "conversation"), jobs)
    first = Events(starters, times, conversation, np.zeros(len(jobs), np.int64), jobs)
    depth = np.zeros(len(holders)) if activity.pooled else normal(holders.key + np.uint64(47))
    return _with_turns(first, 1.0 + (rhythm.turns - 1.0) * np.exp(DEPTH * depth[starters]), stream(seed, *names, day, "turns"))


def _starters(holders: Holders, activity: Activity, names: tuple[object, ...], seed: int, day: int) -> Ints:
    """The holder of each conversation of the day, ascending."""
    rhythm = activity.rhythm
    own = stream(seed, *names, "rate").standard_normal(len(holders))
    rng = stream(seed, *names, day, "volume")
    mean = rhythm.per_day * np.exp(rhythm.spread * own) * activity.share
    awake = rng.random(len(holders)) < rhythm.active_share * (rhythm.weekend if day % 7 >= 5 else 1.0)
    counts = rng.poisson(mean * awake * np.exp(0.2 * rng.standard_normal(len(holders))))
    return np.repeat(np.arange(len(holders)), counts)


def _times(holders: Holders, rhythm: Rhythm, starters: Ints, names: tuple[object, ...], seed: int, day: int) -> Ints:
    rng = stream(seed, *names, day, "times")
    draw = {"human": _human, "office": _office, "lesson": _lesson, "cron": _cron, "batch": _batch, "always": _always}[rhythm.schedule]
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


def _deal(holders: Holders, activity: Activity, starters: Ints, times: Ints, names: tuple[object, ...], seed: int, day: int) -> Ints:
    """Who sends each job of a pool. Jobs that keep the hours of a country stay among its accounts; the policy decides within."""
    lane = holders.country if activity.rhythm.schedule == "human" else np.zeros(len(holders), np.int64)
    rng = stream(seed, *names, day, "policy")
    dealt = starters.copy()
    for number in np.unique(lane[starters]):
        jobs, members = np.flatnonzero(lane[starters] == number), np.flatnonzero(lane == number)
        dealt[jobs] = members[_choice(activity.policy, len(members), times[jobs], rng)]
    return dealt


def _choice(policy: str, members: int, times: Ints, rng: np.random.Generator) -> Ints:
    count = len(times)
    if policy == "round_robin":
        return np.asarray((int(rng.integers(members)) + np.arange(count)) % members, dtype=np.int64)
    if policy == "random":
        return rng.integers(0, members, count)
    worker, hour = rng.integers(0, members, count).astype(np.uint64), (times // STICKY_US).astype(np.uint64)
    salt = np.uint64(int(rng.integers(2**62)))
    return np.asarray(mix(worker * np.uint64(64) + hour + salt) % np.uint64(members), dtype=np.int64)


def _with_turns(first: Events, mean: Floats, rng: np.random.Generator) -> Events:
    """Each conversation goes on for a geometric number of turns, a minute or so apart; turns past midnight are not sent."""
    turns = np.minimum(rng.geometric(1.0 / mean), MAX_TURNS)
    row = np.repeat(np.arange(len(first)), turns)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(turns) - turns, turns)
    gap = np.where(turn == 0, 0.0, rng.lognormal(np.log(TURN_GAP_S), 0.9, len(row)))
    elapsed = np.cumsum(gap)
    since = elapsed - elapsed[np.searchsorted(row, row)]
    offset = first.offset_us[row] + np.rint(since * 1e6).astype(np.int64)
    kept = offset < DAY_US
    return Events(first.holder[row][kept], offset[kept], first.conversation[row][kept], turn[kept], first.job[row][kept])
