"""Account holders: who exists before the first request, and the accounts table that the provider would have.

Each aspect of sign-up (payment, device, domain, time, place) is drawn from a stream of its own, so that changing one dial leaves
the others' values as they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulate import careers, places
from pipeline.simulate.careers import DAY_US, Service
from pipeline.simulate.dials import Identity, Population, Sharing
from pipeline.simulate.seeds import Flags, Ints, Keys, key_of, keys_of, mix, stream, unit

PLACEHOLDERS = ("unknown", "0000", "")
NO_KEY = np.uint64(0)
AGENCY_ACCOUNTS, LAB_ACCOUNTS = 7, 9  # accounts to an agency's card and to a laboratory's machine


@dataclass(frozen=True)
class Holders:
    """The accounts of one population, one row each. Keys are 64-bit; 0 means that the value is missing."""

    population: Population
    key: Keys
    group: Ints  # number of the group within the population; strangers each have their own
    group_key: Keys
    country: Ints  # number in places.COUNTRIES
    line: Ints  # network of the holder's own line, number in places.ASNS
    created_us: Ints
    payment: Keys
    device: Keys  # values below len(PLACEHOLDERS) + 1 are placeholders, counted from 1
    pathway: Ints
    shares_line: Flags
    literal_session: Flags
    status: Ints  # 0 active, 1 suspended, 2 closed, 3 banned
    place: Ints  # within the group
    service: Service
    handed_over: Flags  # at the turning point, to a colleague
    churns: Flags  # another address for each conversation
    colliding_session: Flags
    throwaway: Flags  # mailboxes
    prepaid: Flags
    second: Ints  # row of the other account of the same owner; its own row: there is none

    def __len__(self) -> int:
        return len(self.key)

    def persons(self, rows: Ints, moment_us: Ints) -> Keys:
        """The key of whoever uses each account at its moment: another person's after a hand-over, the account's own otherwise."""
        moved = self.handed_over[rows] & (moment_us >= self.service.turning_us[rows])
        return np.where(moved, mix(self.key[rows] + np.uint64(161)), self.key[rows])

    def group_first(self) -> Ints:
        """The row of the first account of each account's group."""
        _, first, place = np.unique(self.group, return_index=True, return_inverse=True)
        return np.asarray(first[place], dtype=np.int64)


def build(population: Population, sharing: Sharing, seed: int, start_us: int, days: int) -> Holders:
    """The population's accounts for a log of `days` days. Household cards and shared devices are dealt later, across populations (`share_between_strangers`)."""
    name, count, identity = population.name, population.size, population.identity
    key = keys_of(key_of(seed, name, "account"), np.arange(count))
    group = _groups(population, seed)
    group_key = keys_of(key_of(seed, name, "group"), group)
    country = _countries(population, seed, group)
    created = _created(population, seed, group, country, start_us, days)
    innocent = np.full(count, not population.malicious)
    can_move = not population.malicious and not population.turns and (identity.organization or identity.domain == "corporate")
    handed_over = (unit(mix(key + np.uint64(24))) < sharing.handed_over) & can_move
    service = careers.service(population, key, group, created, handed_over, seed, start_us, days)
    place = _place(group)
    created = _opened_late(population, service, created, place, key)
    return Holders(
        population,
        key,
        group,
        group_key,
        country,
        places.consumer_network(country, mix(key + np.uint64(11))),
        created,
        np.where(service.purchased, mix(key + np.uint64(25)), _grouped_key(seed, name, "payment", group, identity.payment_group)),
        np.where(service.purchased, mix(key + np.uint64(26)), _devices(population, sharing, seed, group)),
        _pathways(identity, seed, name, count),
        unit(mix(key + np.uint64(21))) < sharing.shared_line,
        unit(mix(key + np.uint64(22))) < sharing.literal_session,
        np.where(service.banned, 3, _status(sharing, key)),
        place,
        service,
        handed_over,
        unit(mix(key + np.uint64(27))) < sharing.address_churn,
        unit(mix(key + np.uint64(28))) < sharing.colliding_session,
        innocent & (unit(mix(key + np.uint64(34))) < sharing.disposable_mail),
        innocent & (unit(mix(key + np.uint64(35))) < sharing.prepaid_card),
        _second_accounts(population, sharing.second_account, key, country),
    )


def share_between_strangers(parts: list[Holders], sharing: Sharing, seed: int) -> tuple[list[Keys], list[Keys]]:
    """Payment and device keys of every population after households and shared machines: two or three accounts of strangers take the value of one of them."""
    open_to = np.concatenate([np.full(len(p), p.population.identity.innocent_sharing and not p.population.malicious) for p in parts])
    bounds = np.cumsum([len(p) for p in parts])[:-1]
    pays = np.concatenate([np.full(len(p), p.population.identity.payment_type != "credits") for p in parts])
    payment = _paired(np.concatenate([p.payment for p in parts]), open_to & pays, sharing.household_card, stream(seed, "household_card"))
    device = _paired(np.concatenate([p.device for p in parts]), open_to, sharing.shared_device, stream(seed, "shared_device"))
    payment = _clumped(payment, open_to & pays, sharing.agency_card, AGENCY_ACCOUNTS, stream(seed, "agency_card"))
    device = _clumped(device, open_to, sharing.lab_device, LAB_ACCOUNTS, stream(seed, "lab_device"))
    return np.split(payment, bounds), np.split(device, bounds)


def _second_accounts(population: Population, rate: float, key: Keys, country: Ints) -> Ints:
    """Innocent strangers of one country in random pairs, a share of which belong to one owner each: the row of the other one, the account's own row where there is none."""
    second = np.arange(len(key))
    if population.malicious or population.group_size or population.turns or not population.identity.innocent_sharing:
        return second
    order = np.lexsort((mix(key + np.uint64(36)), country))
    lands = country[order]
    place = np.arange(len(key)) - np.searchsorted(lands, lands)
    starts = np.flatnonzero((place[:-1] % 2 == 0) & (lands[1:] == lands[:-1]))
    starts = starts[unit(mix(key[order[starts]] + np.uint64(37))) < rate]
    one, other = order[starts], order[starts + 1]
    second[one], second[other] = other, one
    return second


def _paired(values: Keys, open_to: Flags, rate: float, rng: np.random.Generator) -> Keys:
    return _clumped(values, open_to, rate, 2, rng)


def _clumped(values: Keys, open_to: Flags, rate: float, size: int, rng: np.random.Generator) -> Keys:
    """A share of the accounts in random clumps of `size`, each with the value of its first; placeholders and missing values stay."""
    drawn = np.flatnonzero(open_to & (rng.random(len(values)) < rate) & (values > np.uint64(len(PLACEHOLDERS))))
    order = drawn[rng.permutation(len(drawn))]
    shared = values.copy()
    shared[order] = values[order[np.arange(len(order)) // size * size]]
    return shared


def _groups(population: Population, seed: int) -> Ints:
    count = population.size
    if population.one_group:
        return np.zeros(count, np.int64)
    if not population.group_size:
        return np.arange(count)
    sizes = np.maximum(2, np.rint(population.group_size * np.exp(0.35 * stream(seed, population.name, "groups").standard_normal(count + 1)))).astype(np.int64)
    return np.asarray(np.searchsorted(np.cumsum(sizes), np.arange(count), side="right"), dtype=np.int64)


def _countries(population: Population, seed: int, group: Ints) -> Ints:
    """Groups of people live in one country; campaigns hold lines wherever they are sold."""
    rng = stream(seed, population.name, "country")
    count = population.size
    drawn = rng.choice(len(places.COUNTRIES), size=count, p=places.WEIGHTS)
    return np.asarray(drawn if population.malicious else drawn[group], dtype=np.int64)


def _created(population: Population, seed: int, group: Ints, country: Ints, start_us: int, days: int) -> Ints:
    if population.identity.signup in careers.IN_LOG:
        return careers.signup_in_log(population, seed, group, places.HOURS[country], start_us, days)
    rng, count = stream(seed, population.name, "signup"), population.size
    age = 0.5 - 200.0 * np.log(1.0 - 0.989 * rng.random(count))  # exponential, cut at 900 days
    if population.identity.signup == "burst":
        group_age = (rng.exponential(60.0, count) + 1.0)[group] if not population.malicious else np.full(count, rng.uniform(2.0, 20.0))
        age = group_age + rng.random(count) * population.identity.signup_days
    if population.identity.signup == "drip":
        age = 2.0 + population.identity.signup_days * (1.0 - (np.arange(count) + 0.5) / count)
    return np.asarray(start_us - np.rint((age + population.identity.ageing_days) * DAY_US), dtype=np.int64)


def _opened_late(population: Population, service: Service, created: Ints, place: Ints, key: Keys) -> Ints:
    """Bought accounts are as old as anybody's; whoever follows a predecessor signed up within the day before."""
    age = 20.0 - 200.0 * np.log(1.0 - 0.95 * unit(mix(key + np.uint64(29))))
    organic = service.turning_us - np.rint(np.minimum(age, 900.0) * DAY_US).astype(np.int64)
    created = np.where(service.purchased, organic, created)
    follows = any(activity.rhythm.members == "others" for activity in population.activities)
    return np.where((place > 0) & follows, service.turning_us - np.rint(unit(mix(key + np.uint64(30))) * DAY_US).astype(np.int64), created)


def _place(group: Ints) -> Ints:
    """Each account's place within its group, from 0."""
    _, first, place = np.unique(group, return_index=True, return_inverse=True)
    return np.asarray(np.arange(len(group)) - first[place], dtype=np.int64)


def _grouped_key(seed: int, name: str, aspect: str, group: Ints, size: int) -> Keys:
    """One key for `size` accounts of a group in turn (0: the whole group)."""
    base = key_of(seed, name, aspect)
    if size == 0:
        return keys_of(base, group)
    return keys_of(base, group * 1_000_000 + _place(group) // size)


def _devices(population: Population, sharing: Sharing, seed: int, group: Ints) -> Keys:
    rng = stream(seed, population.name, "device")
    keys = _grouped_key(seed, population.name, "device", group, population.identity.device_group)
    chance, which = rng.random(population.size), rng.integers(1, len(PLACEHOLDERS) + 1, population.size).astype(np.uint64)
    keys = np.where(chance < sharing.placeholder_device, which, keys)
    return np.where(chance > 1.0 - sharing.missing_device, NO_KEY, keys)


def _pathways(identity: Identity, seed: int, name: str, count: int) -> Ints:
    weights = np.array([weight for _, weight in identity.pathways])
    return np.asarray(stream(seed, name, "pathway").choice(len(weights), size=count, p=weights / weights.sum()), dtype=np.int64)


def _status(sharing: Sharing, key: Keys) -> Ints:
    chance = unit(mix(key + np.uint64(23)))
    return np.where(chance < sharing.closed / 2, 1, np.where(chance < sharing.closed, 2, 0))
