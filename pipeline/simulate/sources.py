"""A source of requests: one population's activity, with what it keeps from day to day."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulate.dials import Access, Activity
from pipeline.simulate.holders import Holders
from pipeline.simulate.seeds import Ints
from pipeline.simulate.work import Habits


@dataclass
class Source:
    """One population's activity with what it keeps from day to day; `next_job` moves on as days are drawn."""

    holders: Holders
    activity: Activity
    names: tuple[object, ...]
    habits: Habits
    harness_client: int
    rewritten_clients: int
    stripped_client: int
    first_account: int
    boxes: Ints  # number of the box before each account; 0: none
    next_job: int = 0
    sent: Ints | None = None  # conversations that each holder of a sharded work-list has begun

    @property
    def access(self) -> Access:
        """From where and with what this activity connects."""
        return self.activity.access or self.holders.population.access
