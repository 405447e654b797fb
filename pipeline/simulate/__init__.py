"""Worlds with known truth: request logs whose every account is known to be innocent or one operator's.

`write_world` writes one; `SCENARIOS` names those that exist. Everything is drawn from a seed.
"""

from pipeline.simulate.scenarios import SCENARIOS
from pipeline.simulate.world import write_dials, write_world

__all__ = ["SCENARIOS", "write_dials", "write_world"]
