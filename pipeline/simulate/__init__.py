"""Worlds with known truth: request logs whose every account is known to be innocent or one operator's.

`write_world` writes a named scenario (`SCENARIOS`, the rungs of `RUNGS` as `ladder-L3`, the public cases of `PRESETS` as `preset:NAME`); `write_dials` writes any world
that `compose` or the dials describe. Everything is drawn from a seed.
"""

from pipeline.simulate.campaign import Campaign
from pipeline.simulate.cases import PRESETS
from pipeline.simulate.dials import Sharing, World
from pipeline.simulate.ladder import RUNGS, STEPS
from pipeline.simulate.lookalikes import EVERYONE
from pipeline.simulate.personas import PERSONAS
from pipeline.simulate.scenarios import HEAVY_SHARING, SCENARIOS, USUAL_SHARING, compose, innocents, world_of
from pipeline.simulate.world import TEXTS, write_dials, write_world

__all__ = [
    "EVERYONE",
    "HEAVY_SHARING",
    "PERSONAS",
    "PRESETS",
    "RUNGS",
    "SCENARIOS",
    "STEPS",
    "TEXTS",
    "USUAL_SHARING",
    "Campaign",
    "Sharing",
    "World",
    "compose",
    "innocents",
    "world_of",
    "write_dials",
    "write_world",
]
