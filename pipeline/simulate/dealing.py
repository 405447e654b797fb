"""Load balancing: which account of a pool sends each job, and who goes on when a conversation or a throttled request moves.

Policies: round_robin; random; sticky (a worker keeps its account for a while); headroom (whoever was used least, for its weight). Within a pool that spans countries,
jobs that keep the hours of one stay among its accounts; if none of them serves, they go to the country whose clock is nearest. Groups of innocents are a pool each: nothing
passes from one to another.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.simulate import places
from pipeline.simulate.careers import DAY_US, in_service
from pipeline.simulate.dials import Activity, Pool
from pipeline.simulate.holders import Holders
from pipeline.simulate.seeds import Flags, Floats, Ints, Keys, key_of, keys_of, mix, normal, stream, unit

MINUTE_US = 60_000_000
PLAIN = Pool()


def deal(holders: Holders, activity: Activity, starters: Ints, times: Ints, names: tuple[object, ...], seed: int, day: int, day_us: int) -> Ints:
    """The account of each job, -1 where nobody serves. `times` ascend; `starters` says in whose hours a job falls."""
    whole = holders.population.one_group
    lane = holders.group if not whole else holders.country if activity.rhythm.schedule == "human" else np.zeros(len(holders), np.int64)
    rng = stream(seed, *names, day, "policy")
    dealt = np.full(len(starters), -1, dtype=np.int64)
    everyone, rest = np.arange(len(holders)), _resting(holders, activity.pool or PLAIN, day)
    cuts = _cuts(holders, day_us)
    for begin, end in pairwise(cuts):
        serving = in_service(holders.service, everyone, np.full(len(holders), day_us + begin), activity.rhythm.phase) & ~rest
        here = (times >= begin) & (times < end)
        for number in np.unique(lane[starters]):
            jobs = np.flatnonzero(here & (lane[starters] == number))
            members = _nearest(lane, serving, int(number)) if whole else np.flatnonzero(serving & (lane == number))
            if len(members):
                dealt[jobs] = members[_choice(activity, _weights(holders, activity.pool or PLAIN)[members], times[jobs], rng)]
    return dealt


def _nearest(lane: Ints, serving: Flags, number: int) -> Ints:
    """The serving members of a lane, or, if it has none, those of the lane whose clock is nearest. No member serves: none."""
    members = np.flatnonzero(serving & (lane == number))
    if len(members) or not serving.any():
        return members
    apart = np.abs((places.HOURS[lane] - places.HOURS[number] + 12) % 24 - 12)
    return np.flatnonzero(serving & (apart == apart[serving].min()))


def _cuts(holders: Holders, day_us: int) -> list[int]:
    """The moments of the day at which the set of serving accounts changes, with both ends of the day."""
    moments = np.concatenate([holders.service.from_us, holders.service.until_us, holders.service.turning_us])
    inside = moments[(moments > day_us) & (moments < day_us + DAY_US)] - day_us
    return [0, *np.unique(inside).tolist(), DAY_US]


def _resting(holders: Holders, pool: Pool, day: int) -> Flags:
    """Accounts out of rotation on the day."""
    return np.asarray(unit(keys_of(key_of(0, "duty", day), (holders.key >> np.uint64(1)).astype(np.int64))) >= pool.duty, dtype=np.bool_)


def _weights(holders: Holders, pool: Pool) -> Floats:
    return np.exp(pool.weight_spread * normal(holders.key + np.uint64(151)))


def _choice(activity: Activity, weights: Floats, times: Ints, rng: np.random.Generator) -> Ints:
    """The place of the member that takes each job."""
    count, members, pool = len(times), len(weights), activity.pool or PLAIN
    even = pool.weight_spread == 0.0
    if activity.policy == "headroom" or (activity.policy == "round_robin" and not even):
        return _least_used(count, weights, activity.policy == "headroom", rng)
    if activity.policy == "round_robin":
        return np.asarray((int(rng.integers(members)) + np.arange(count)) % members, dtype=np.int64)
    if activity.policy == "random":
        return rng.integers(0, members, count) if even else _by_weight(weights, rng.random(count))
    worker, hour = rng.integers(0, max(1, round(members * pool.workers)), count).astype(np.uint64), (times // int(pool.sticky_minutes * MINUTE_US)).astype(np.uint64)
    salt = np.uint64(int(rng.integers(2**62)))
    hashed = mix(worker * np.uint64(64) + hour + salt)
    return np.asarray(hashed % np.uint64(members), dtype=np.int64) if even else _by_weight(weights, unit(hashed))


def _by_weight(weights: Floats, draw: Floats) -> Ints:
    return np.asarray(np.searchsorted(np.cumsum(weights / weights.sum()), draw, side="right").clip(0, len(weights) - 1), dtype=np.int64)


def _least_used(count: int, weights: Floats, jitter: bool, rng: np.random.Generator) -> Ints:
    """Weighted fair queueing: each member's k-th turn is due at (k + its offset) / weight; `jitter` draws each turn's offset anew."""
    turns = np.ceil(count * weights / weights.sum()).astype(np.int64) + 1
    member = np.repeat(np.arange(len(weights)), turns)
    turn = np.arange(len(member)) - np.repeat(np.cumsum(turns) - turns, turns)
    offset = rng.random(len(member)) if jitter else np.repeat(rng.random(len(weights)), turns)
    return np.asarray(member[np.argsort((turn + offset) / weights[member], kind="stable")[:count]], dtype=np.int64)


def someone_else(holders: Holders, activity: Activity, accounts: Ints, moment_us: Ints, keys: Keys) -> Ints:
    """For each account another one of its pool that serves at the moment, by key; the account itself if there is no other. Members that serve all day are preferred."""
    other, group = accounts.copy(), holders.group[accounts]
    for number in np.unique(group).tolist():
        rows = np.flatnonzero(group == number)
        other[rows] = _other_member(holders, activity, np.flatnonzero(holders.group == number), accounts[rows], moment_us[rows], keys[rows])
    return other


def _other_member(holders: Holders, activity: Activity, members: Ints, accounts: Ints, moment_us: Ints, keys: Keys) -> Ints:
    """The same within one pool; there is at least one account to answer for."""
    low, high = np.full(len(members), int(moment_us.min())), np.full(len(members), int(moment_us.max()))
    phase = activity.rhythm.phase
    others = members[in_service(holders.service, members, low, phase) & in_service(holders.service, members, high, phase)]
    if len(others) < 2:
        return accounts
    place = np.minimum(np.searchsorted(others, accounts), len(others) - 1)
    is_member = others[place] == accounts
    step = 1 + (mix(keys) % np.uint64(len(others) - 1)).astype(np.int64)
    return np.asarray(others[np.where(is_member, place + step, step) % len(others)], dtype=np.int64)
