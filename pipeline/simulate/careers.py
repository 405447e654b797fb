"""When each account serves: from sign-up or purchase, around its turning point, until it is banned or falls silent.

All times are microseconds since 1970. An account without a limit serves from `EVER` to `NEVER`, and then no filter changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulate.dials import Population
from pipeline.simulate.seeds import Flags, Ints, Keys, key_of, mix, stream, unit

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
EVER, NEVER = -(1 << 62), 1 << 62
IN_LOG = ("morning", "launch")  # sign-ups that fall into the days of the log
OPENING_HOURS = (8.0, 3.0)  # a morning's sign-ups: from, hours


@dataclass(frozen=True)
class Service:
    """One row an account. `turning_us`: when it was bought, stolen, moved or handed over; EVER and NEVER for none. `spare`: held back for a ban wave."""

    from_us: Ints
    until_us: Ints
    turning_us: Ints
    spare: Flags
    purchased: Flags

    @property
    def banned(self) -> Flags:
        """Accounts that a wave closes."""
        return self.until_us < NEVER


def signup_in_log(population: Population, seed: int, group: Ints, hours_from_utc: Ints, start_us: int, days: int) -> Ints:
    """When the accounts of a morning (a group's own) or of a launch (one day of the whole population) signed up."""
    rng, count = stream(seed, population.name, "signup"), population.size
    chance = rng.random(count)
    day = np.floor(chance[group] * days) if population.identity.signup == "morning" else np.full(count, days // 3)
    opened, hours = OPENING_HOURS if population.identity.signup == "morning" else (0.0, 24.0)
    local = opened + hours * rng.random(count) - (hours_from_utc if population.identity.signup == "morning" else 0)
    return np.asarray(start_us + day.astype(np.int64) * DAY_US + np.rint(local * HOUR_US).astype(np.int64), dtype=np.int64)


def service(population: Population, key: Keys, group: Ints, created_us: Ints, handed_over: Flags, seed: int, start_us: int, days: int) -> Service:
    """The accounts' times. `handed_over` are those that pass to another employee."""
    count, career = population.size, population.career
    born = created_us if population.identity.signup in IN_LOG else np.full(count, EVER)
    chance = unit(mix(key + np.uint64(141)))
    if population.malicious:
        purchased = unit(mix(key + np.uint64(142))) < career.purchased_share
        bought = start_us + np.ceil(chance * min(career.purchase_days, days / 2 - 0.5)).astype(np.int64) * DAY_US  # in rotation from a midnight on
        spare = unit(mix(key + np.uint64(143))) < career.spare_share
        begins, until = _waves(population, key, spare, start_us, days, seed)
        return Service(np.maximum(born, begins), until, np.where(purchased, bought, EVER), spare, purchased)
    none = np.zeros(count, np.bool_)
    shared = unit(mix((group.astype(np.uint64) + np.uint64(1)) ^ key_of(seed, population.name, "turning"))) if population.turns else chance
    moment = start_us + np.rint((0.15 + 0.6 * shared) * days * DAY_US).astype(np.int64)
    return Service(born, np.full(count, NEVER), moment if population.turns else np.where(handed_over, moment, NEVER), none, none)


def _waves(population: Population, key: Keys, spare: Flags, start_us: int, days: int, seed: int) -> tuple[Ints, Ints]:
    """From when each account serves and until when: each wave closes a share of those who serve, and as many spare accounts follow after a while.

    Waves after the log are not known in it.
    """
    career = population.career
    begins = np.where(spare, NEVER, EVER)
    until = np.full(len(key), NEVER)
    waiting = np.flatnonzero(spare)[np.argsort(mix(key[spare] + np.uint64(144)), kind="stable")]
    for number, day in enumerate(day for day in career.ban_days if day < days):
        rng = stream(seed, population.name, "wave", number)
        wave = start_us + day * DAY_US + int(rng.uniform(6.0, 18.0) * HOUR_US)
        serving = np.flatnonzero((begins < wave) & (until == NEVER))
        closed = serving[rng.random(len(serving)) < career.ban_share]
        until[closed] = wave
        begins[waiting[: len(closed)]] = wave + int(career.succession_hours * HOUR_US)
        waiting = waiting[len(closed) :]
    return begins, until


def in_service(at: Service, accounts: Ints, moment_us: Ints, phase: str) -> Flags:
    """Whether each account serves at its moment, in the given phase."""
    turned = moment_us >= at.turning_us[accounts]
    wanted = {"all": np.ones(len(accounts), np.bool_), "after": turned, "before": ~turned}[phase]
    return np.asarray(wanted & (moment_us >= at.from_us[accounts]) & (moment_us < at.until_us[accounts]), dtype=np.bool_)
