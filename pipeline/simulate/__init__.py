"""Worlds with known truth: request logs whose every account is known to be innocent or one operator's.

`write_world` writes a named scenario (`SCENARIOS`), `write_dials` any world that `compose` or the dials describe. Everything is
drawn from a seed.
"""

from pipeline.simulate.scenarios import SCENARIOS, compose, innocents
from pipeline.simulate.world import write_dials, write_world

__all__ = ["SCENARIOS", "compose", "innocents", "write_dials", "write_world"]
