"""Boxes between innocents and the service: company TLS inspection, antivirus and small LLM gateways that strangers install.

A box ends the TLS connection and opens its own. The provider then sees one rare fingerprint behind whatever client each account really uses: the sight of a campaign whose
program takes on the names of popular clients, and innocent. A box stands before strangers who have nothing else in common, or before one group and all that it runs. An
operator's accounts stand behind none. Everything is drawn from streams and salts of its own: only the fingerprint of whoever stands behind a box is another one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulate import clients
from pipeline.simulate.dials import Activity, Sharing
from pipeline.simulate.holders import Holders
from pipeline.simulate.seeds import Flags, Floats, Ints, Keys, key_of, keys_of, mix, stream, unit

SET_ACCOUNTS, SET_SPREAD, SMALLEST_SET = 12, 0.5, 3  # strangers to a box: median, sigma of the log; one in twenty has 5 or fewer, one in thirty 30 or more
LEAST_SHARE = 0.7  # of the conversations go through the box; half of the accounts send all that way


@dataclass(frozen=True)
class Boxes:
    """The boxes of a world, numbered from 1. The first `strangers` of them stand before strangers, the others before a group each."""

    accounts: tuple[Ints, ...]  # of each population in turn: the box that each account stands behind; 0: none
    strangers: int
    fingerprints: tuple[str | None, ...]  # the first is nobody's

    def before(self, number: int, activity: Activity) -> Ints:
        """The box before each account of a population in this activity: what connects from elsewhere (a thief, a gateway of the group's) passes no box but the group's own."""
        own = self.accounts[number]
        return own if activity.access is None else np.where(own > self.strangers, own, 0)


def build(parts: list[Holders], sharing: Sharing, seed: int) -> Boxes:
    """The boxes before these populations: a share of the groups of innocents have one of their own, a share of all other innocent accounts one that strangers share.

    `inspected_groups` and `inspected` of `sharing` are those shares. Needs at least one population.
    """
    groups, group_keys = _groups(parts, sharing.inspected_groups, seed)
    strangers = _strangers(parts, groups > 0, sharing.inspected, seed)
    count = int(strangers.max(initial=0))
    keys = (*keys_of(key_of(seed, "box"), np.arange(count)).tolist(), *group_keys.tolist())
    numbers = np.where(groups > 0, count + groups, strangers)
    bounds = np.cumsum([len(part) for part in parts])[:-1]
    return Boxes(tuple(np.split(numbers, bounds)), count, (None, *(clients.ja4(f"box{key}") for key in keys)))


def _groups(parts: list[Holders], rate: float, seed: int) -> tuple[Ints, Keys]:
    """Each account's group among those with a box, from 1 (0: none), and the keys of those groups in turn."""
    key = np.concatenate([part.group_key for part in parts])
    grouped = _flags(parts, [not part.population.malicious and part.population.group_size > 0 for part in parts])
    drawn = grouped & (unit(mix(key ^ key_of(seed, "inspected_group"))) < rate)
    found, place = np.unique(key[drawn], return_inverse=True)
    numbers = np.zeros(len(key), np.int64)
    numbers[drawn] = 1 + place
    return numbers, found


def _strangers(parts: list[Holders], taken: Flags, rate: float, seed: int) -> Ints:
    """Each account's set of strangers, from 1 (0: none). Two accounts of one owner are on one machine."""
    key = np.concatenate([part.key for part in parts])
    salt = key_of(seed, "inspected")
    open_to = _flags(parts, [not part.population.malicious for part in parts]) & ~taken
    drawn = np.flatnonzero(open_to & (unit(mix(key ^ salt)) < rate))
    order = drawn[np.argsort(mix(mix(key[drawn] ^ salt)), kind="stable")]
    numbers = np.zeros(len(key), np.int64)
    numbers[order] = 1 + np.searchsorted(np.cumsum(_sizes(len(order), seed)), np.arange(len(order)), side="right")
    first = np.cumsum([0, *(len(part) for part in parts)])
    owners = np.concatenate([begin + np.minimum(part.second, np.arange(len(part))) for begin, part in zip(first, parts, strict=False)])
    return np.asarray(numbers[owners], dtype=np.int64)


def _sizes(count: int, seed: int) -> Ints:
    """Sizes of enough sets for `count` accounts."""
    drawn = SET_ACCOUNTS * np.exp(SET_SPREAD * stream(seed, "box_sizes").standard_normal(count // SMALLEST_SET + 1))
    return np.asarray(np.maximum(SMALLEST_SET, np.rint(drawn)), dtype=np.int64)


def _flags(parts: list[Holders], values: list[bool]) -> Flags:
    return np.repeat(np.array(values, np.bool_), [len(part) for part in parts])


def shares(key: Keys) -> Floats:
    """The share of each account's conversations that pass the box: all for half of the accounts, LEAST_SHARE to all for the others."""
    return np.minimum(1.0, LEAST_SHARE + 2.0 * (1.0 - LEAST_SHARE) * unit(mix(key + np.uint64(181))))
