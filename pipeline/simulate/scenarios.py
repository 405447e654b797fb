"""Named worlds, as data: which populations and campaigns, in what shares."""

from __future__ import annotations

import dataclasses
import difflib

import numpy as np

from pipeline.errors import UsageError
from pipeline.simulate.campaigns import CAMPAIGNS, population_of
from pipeline.simulate.dials import Campaign, Population, Sharing, World
from pipeline.simulate.personas import PERSONAS

SCENARIOS = {
    "quiet": "innocent accounts only: a night on which nothing should be referred",
    "demo": "three campaigns of rising difficulty (naive, synchronised, pathways) among innocent look-alikes",
    "planted": "one naive campaign among innocents who ask little, small enough for a sample file",
    "mixed": "six rungs of evasion from naive to unlinked, the last of which ought to be missed",
}
_RUNGS = {"quiet": (), "demo": ("naive", "synchronised", "pathways"), "planted": ("naive",), "mixed": ("naive", "synchronised", "pathways", "hydra", "slow", "unlinked")}
MIN_CAMPAIGN = 8
LIGHT_VOLUME = 0.33  # of the usual requests, so that a few hundred accounts of one night fit a sample file


def world_of(scenario: str, accounts: int, share: float) -> World:
    """The dials of a scenario. Campaigns get `share` of the accounts, split as their presets are, at least MIN_CAMPAIGN each. Raises UsageError."""
    if scenario not in SCENARIOS:
        near = difflib.get_close_matches(scenario, SCENARIOS, n=1, cutoff=0.0)
        raise UsageError(f"'{scenario}' is not a scenario. Did you mean '{near[0]}'? There are {', '.join(SCENARIOS)}.")
    campaigns = _sized([CAMPAIGNS[name] for name in _RUNGS[scenario]], accounts, share)
    innocent = accounts - sum(entry.accounts for entry in campaigns)
    if innocent < accounts // 2 or innocent < len(PERSONAS):
        raise UsageError(f"--accounts {accounts} with --share {share} leaves {innocent} innocent accounts. Ask for more accounts or a smaller share.")
    return compose(innocents(innocent, LIGHT_VOLUME if scenario == "planted" else 1.0), campaigns)


def compose(people: tuple[Population, ...], campaigns: tuple[Campaign, ...], sharing: Sharing | None = None) -> World:
    """A world of these innocents and these campaigns; without `sharing`, innocent sharing at the default rates."""
    return World(people + tuple(population_of(entry) for entry in campaigns), sharing or Sharing(), campaigns)


def innocents(count: int, volume: float = 1.0) -> tuple[Population, ...]:
    """The personas with `count` accounts between them, split by their shares (largest remainder), at `volume` times their usual requests."""
    exact = np.array([entry.share for entry in PERSONAS])
    exact = exact / exact.sum() * count
    sizes = np.floor(exact).astype(int)
    for place in np.argsort(sizes - exact, kind="stable")[: count - int(sizes.sum())]:
        sizes[place] += 1
    return tuple(dataclasses.replace(_at_volume(entry.population, volume), size=int(size)) for entry, size in zip(PERSONAS, sizes, strict=True))


def _at_volume(population: Population, volume: float) -> Population:
    activities = (dataclasses.replace(entry, share=entry.share * volume) for entry in population.activities)
    return dataclasses.replace(population, activities=tuple(activities))


def _sized(presets: list[Campaign], accounts: int, share: float) -> tuple[Campaign, ...]:
    total = sum(entry.accounts for entry in presets)
    return tuple(dataclasses.replace(entry, accounts=max(MIN_CAMPAIGN, round(entry.accounts / total * accounts * share))) for entry in presets)
