"""Section 11, F15: what the calibrated ratios do for networks of known truth, each weighed by a scale that its own kind did not help to make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.pages import numbers
from pipeline.pages.incident import judging
from pipeline.pages.incident.blocks import Block, missing, text
from pipeline.pages.incident.records import Incident
from pipeline.pages.incident.wording import of, say, share
from pipeline.pages.ratios import KINDS, LEVELS
from pipeline.pages.records import Cell
from pipeline.pages.tippett import tippett

if TYPE_CHECKING:
    from markupsafe import Markup


def ratio_pictures(incident: Incident, anchor: str) -> list[tuple[str, Markup]]:
    """The Tippett plot; none without a scale."""
    scale = judging.scale(incident)
    if scale is None:
        return []
    curves = [(f"{kind}, n = {numbers.count(scale.total(operated=operated))}", scale.curve(operated=operated)) for operated, kind in KINDS]
    return [("Share of groups with a ratio at least so large", tippett([curve for curve in curves if curve[1]], f"{anchor}-c", ratio_answer(incident)))]


def ratio_answer(incident: Incident) -> str:
    """How far the two kinds lie apart, in a sentence; '' without a scale."""
    scale = judging.scale(incident)
    if scale is None:
        return ""
    operated, innocent = (of(scale.above(10, operated=kind), scale.total(operated=kind), noun) for kind, noun in KINDS)
    return f"Weighed without their own kind, {operated} and {innocent} got a ratio of 10 or more."


def ratio_rows(incident: Incident) -> list[list[Cell | str]]:
    """Rows of F15's data: of either kind the share with a ratio of each level or more."""
    scale = judging.scale(incident)
    if scale is None:
        return []
    rows: list[list[Cell | str]] = []
    for operated, kind in KINDS:
        total = scale.total(operated=operated)
        rows += [
            [
                "ratio, own kind left out",
                f"{kind}, {numbers.count(level)} or more",
                "none stated",
                share(scale.above(level, operated=operated) / total),
                "none",
                numbers.count(total),
            ]
            for level in LEVELS
        ]
    return rows


def cost(incident: Incident) -> Block:
    """Cllr, or why there is none."""
    scale = judging.scale(incident)
    if scale is None or scale.cost is None:
        return missing(say("s11", "cllr"))
    counted = {"operated": numbers.counted(scale.operated, "networks"), "innocent": numbers.counted(scale.innocent, "innocent groups")}
    return text(say("s11", "cllr_value", cost=numbers.decimal(scale.cost, 2), kinds=numbers.count(scale.archetypes), **counted))
