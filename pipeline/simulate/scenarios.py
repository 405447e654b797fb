"""Named worlds, as data: which populations and campaigns, in what shares.

Besides the plain names there are families of names: `ladder-L3` (also `rung:3`) is one rung amid the full population, `ladder:0,4,9` several, `ladder` all
twelve, `preset:NAME` a public case.
"""

from __future__ import annotations

import dataclasses
import difflib
import re

import numpy as np

from pipeline.errors import UsageError
from pipeline.simulate.campaign import Campaign
from pipeline.simulate.campaigns import CAMPAIGNS, population_of
from pipeline.simulate.cases import PRESETS
from pipeline.simulate.dials import Population, Sharing, World
from pipeline.simulate.ladder import RUNGS
from pipeline.simulate.lookalikes import EVERYONE
from pipeline.simulate.personas import PERSONAS, Persona

SCENARIOS = {
    "quiet": "innocent accounts only: a night on which nothing should be referred",
    "demo": "three campaigns of rising difficulty (naive, synchronised, pathways) among innocent look-alikes",
    "planted": "one naive campaign among innocents who ask little, small enough for a sample file",
    "mixed": "six rungs of evasion from naive to unlinked, the last of which ought to be missed",
    "ladder": "the twelve rungs of the evasion ladder amid the full population; ladder-L3 or rung:3 is one of them, ladder:0,4,9 some",
    "lookalike": "no campaign: the full population, with cards, devices, addresses and session ids shared heavily among innocents",
    "preset": "a public case by its published numbers amid the full population, as preset:NAME",
}
_OLD = {"quiet": (), "demo": ("naive", "synchronised", "pathways"), "planted": ("naive",), "mixed": ("naive", "synchronised", "pathways", "hydra", "slow", "unlinked")}
_CASE = re.compile(r"preset[-: ](.+)")
MIN_CAMPAIGN = 8
LIGHT_VOLUME = 0.33  # of the usual requests, so that a few hundred accounts of one night fit a sample file
RELEASE_DAY, POLYGLOT = 6, 0.5
USUAL_SHARING = Sharing(
    disposable_mail=0.05,
    prepaid_card=0.1,
    agency_card=0.02,
    lab_device=0.02,
    colliding_session=0.02,
    handed_over=0.05,
    address_churn=0.05,
    second_account=0.01,
    inspected=0.02,
    inspected_groups=0.05,
)
HEAVY_SHARING = Sharing(
    household_card=0.12,
    shared_device=0.12,
    placeholder_device=0.12,
    literal_session=0.08,
    shared_line=0.25,
    closed=0.03,
    disposable_mail=0.15,
    prepaid_card=0.2,
    agency_card=0.08,
    lab_device=0.08,
    colliding_session=0.08,
    handed_over=0.15,
    address_churn=0.12,
    second_account=0.05,
    inspected=0.04,
    inspected_groups=0.15,
)


def world_of(scenario: str, accounts: int, share: float) -> World:
    """The dials of a scenario. Campaigns get `share` of the accounts, split as their presets are, at least MIN_CAMPAIGN each; a public case never more than it had.

    Raises UsageError.
    """
    campaigns = _sized(campaigns_of(scenario), accounts, share)
    if _CASE.fullmatch(scenario):
        campaigns = tuple(dataclasses.replace(entry, accounts=min(entry.accounts, PRESETS[entry.name].campaign.accounts)) for entry in campaigns)
    people = PERSONAS if scenario in _OLD else EVERYONE
    innocent = accounts - sum(entry.accounts for entry in campaigns)
    if innocent < accounts // 2 or innocent < len(people):
        raise UsageError(f"--accounts {accounts} with --share {share} leaves {innocent} innocent accounts. Ask for more accounts or a smaller share.")
    crowd = innocents(innocent, LIGHT_VOLUME if scenario == "planted" else 1.0, people)
    if scenario in _OLD:
        return compose(crowd, campaigns)
    world = compose(crowd, campaigns, HEAVY_SHARING if scenario == "lookalike" else USUAL_SHARING)
    return dataclasses.replace(world, release_day=RELEASE_DAY, polyglot=POLYGLOT)


def campaigns_of(scenario: str) -> tuple[Campaign, ...]:
    """The campaigns of a scenario before they are sized. Raises UsageError for a name that is none, with the nearest that is."""
    if scenario in _OLD:
        return tuple(CAMPAIGNS[name] for name in _OLD[scenario])
    if scenario == "lookalike":
        return ()
    if scenario == "ladder":
        return tuple(RUNGS.values())
    asked = re.fullmatch(r"(?:ladder|rung)[-: ](L?\d+(?:,L?\d+)*)", scenario)
    names = [f"L{part.removeprefix('L')}" for part in asked[1].split(",")] if asked else [scenario.removeprefix("ladder-").removeprefix("rung:")]
    if asked and set(names) <= set(RUNGS) and len(set(names)) == len(names):
        return tuple(RUNGS[name] for name in names)
    case = _CASE.fullmatch(scenario)
    if case and case[1] in PRESETS:
        return (PRESETS[case[1]].campaign,)
    raise UsageError(_unknown(scenario))


def published(scenario: str) -> dict[str, object]:
    """What was published about a public case, for scenario.json; nothing for any other scenario."""
    case = _CASE.fullmatch(scenario)
    return {"published": dataclasses.asdict(PRESETS[case[1]].published)} if case and case[1] in PRESETS else {}


def _unknown(scenario: str) -> str:
    every = [*(name for name in SCENARIOS if name != "preset"), *(f"ladder-{name}" for name in RUNGS), *(f"preset:{name}" for name in PRESETS)]
    near = difflib.get_close_matches(scenario, every, n=1, cutoff=0.0)
    return f"'{scenario}' is not a scenario. Did you mean '{near[0]}'? There are {', '.join(every)}."


def compose(people: tuple[Population, ...], campaigns: tuple[Campaign, ...], sharing: Sharing | None = None) -> World:
    """A world of these innocents and these campaigns; without `sharing`, innocent sharing at the default rates."""
    return World(people + tuple(population_of(entry) for entry in campaigns), sharing or Sharing(), campaigns)


def innocents(count: int, volume: float = 1.0, personas: tuple[Persona, ...] = PERSONAS) -> tuple[Population, ...]:
    """The personas with `count` accounts between them, split by their shares (largest remainder), at `volume` times their usual requests. `EVERYONE` is the full population."""
    exact = np.array([entry.share for entry in personas])
    exact = exact / exact.sum() * count
    sizes = np.floor(exact).astype(int)
    for place in np.argsort(sizes - exact, kind="stable")[: count - int(sizes.sum())]:
        sizes[place] += 1
    return tuple(dataclasses.replace(_at_volume(entry.population, volume), size=int(size)) for entry, size in zip(personas, sizes, strict=True))


def _at_volume(population: Population, volume: float) -> Population:
    activities = (dataclasses.replace(entry, share=entry.share * volume) for entry in population.activities)
    return dataclasses.replace(population, activities=tuple(activities))


def _sized(presets: tuple[Campaign, ...], accounts: int, share: float) -> tuple[Campaign, ...]:
    total = sum(entry.accounts for entry in presets)
    return tuple(dataclasses.replace(entry, accounts=max(MIN_CAMPAIGN, round(entry.accounts / total * accounts * share))) for entry in presets)
