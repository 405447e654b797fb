"""Operational tests of a cluster, one module a family; stages/operational.py says what they are and runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

BLANK = pl.DataFrame(schema={"kind": pl.String, "family": pl.String, "family_cap_micro_bits": pl.Int64, "cap_micro_bits": pl.Int64, "min_support": pl.Int64})
"""No kinds of shared values."""


SHOWN_P = 1e-3
"""An operational test is a finding up to this p-value. Five are asked of a network and none is weighed: a night of a hundred networks shows a false one in two nights."""


@dataclass(frozen=True)
class Outcome:
    """What one test found in one cluster."""

    supports: str
    """coordination, benign"""
    unit: str = ""
    statistic: float | None = None
    expected: float | None = None
    """of the statistic, under the null"""
    p_value: float | None = None
    null_count: int = 0
    """random groups or draws behind p; 0 if it is analytic"""
    sample_size: int = 0
    null_model: str = ""
    status: str = "not_run"
    reason: str = ""
    behind: Callable[[], pl.DataFrame] | None = None
    """gives what shows it: strength, and account_key with prompt_key or model, or account (position) alone: its first request"""

    @property
    def is_shown(self) -> bool:
        """Whether chance hardly gives it, so that it becomes a finding with its requests."""
        return self.status == "ran" and self.p_value is not None and round(self.p_value, 6) <= SHOWN_P

    def row(self) -> tuple[object, ...]:
        """Its columns of operational_tests, from `supports` on."""
        numbers = tuple(None if value is None else round(value, 6) for value in (self.statistic, self.expected, self.p_value))
        return (self.supports, numbers[0], self.unit, numbers[1], numbers[2], self.null_count, self.sample_size, self.null_model, self.status, self.reason)
