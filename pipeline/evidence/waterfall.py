"""An explanation as a waterfall: from what chance takes away, family by family, to what is left above or below the threshold.

A pair counts as linked when its bits pay for the number of possible partners, log2(entities), and for a margin. So the fall begins at 0, goes down by both, and
each family adds what it is worth: where it ends above 0, the evidence is more than the threshold asks for. The sum is that of `explain` less the edge.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.evidence.explanation import Explanation


@dataclass(frozen=True)
class Step:
    """One step: what it is, the bits that it adds, and where the sum stands behind it."""

    step: str
    kind: str
    """prior, margin, family or total"""
    bits: float
    sum_bits: float


def waterfall(found: Explanation, margin_bits: float) -> tuple[Step, ...]:
    """Prior, margin, each family that adds something (most first), and the total, whose bits are its sum: mean bits less edge bits."""
    parts = [("possible partners", "prior", margin_bits - found.edge_bits), ("margin asked for", "margin", -margin_bits)]
    parts += [(bar.family, "family", bar.mean_bits) for bar in found.bars if bar.mean_bits]
    steps, total = [], 0.0
    for name, kind, bits in parts:
        total += bits
        steps.append(Step(name, kind, round(bits, 6), round(total, 6)))
    return (*steps, Step("above the threshold" if total >= 0 else "below the threshold", "total", round(total, 6), round(total, 6)))
