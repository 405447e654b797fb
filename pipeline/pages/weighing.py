"""What a finding weighs, in words: the ratio calibrated on known truth, its word on the published scale, and what it rests on. Never without the last."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.ratios import Scale, Weight
from pipeline.pages.words import Wording, joined


def weight_sentences(wording: Wording, scale: Scale, quoted: Mapping[str, Any], network: Mapping[str, Any]) -> str:
    """How many times more probable the finding is under one proposition, and what that is calibrated on.

    In: a validation's `summary` and a row of networks.
    """
    weight = scale.weigh(network["tier"], network["extraction_bits"])
    side = "neither" if not speaks(weight) else "operator" if weight.ratio > 1 else "innocent"
    said = {"finding": finding(wording, network), **ratio_values(wording, weight)}
    return joined([wording.line("weight", side, **said), wording.line("weight", "basis", **basis_values(scale, quoted))])


def speaks(weight: Weight) -> bool:
    """Whether the scale has a word for it: two times or more, either way."""
    return max(weight.ratio, 1 / weight.ratio) >= 2


def finding(wording: Wording, network: Mapping[str, Any]) -> str:
    """What was found, as far as the scale tells findings apart."""
    return wording.line("weight", "finding", tier=wording.word("tier", network["tier"]).lower(), bits=numbers.bits(network["extraction_bits"] or 0.0))


def ratio_values(wording: Wording, weight: Weight) -> dict[str, str]:
    """bound, ratio and word of the side that the weight speaks for."""
    ratio = max(weight.ratio, 1 / weight.ratio)
    return {"bound": "at least" if weight.is_bound else "about", "ratio": rounded(ratio, cut=weight.is_bound), "word": wording.support(ratio)}


def basis_values(scale: Scale, quoted: Mapping[str, Any]) -> dict[str, str]:
    """What the ratio rests on: operated, innocent, worlds, suite, date, cap and origin."""
    return {
        "operated": numbers.counted(scale.operated, "networks"),
        "innocent": numbers.counted(scale.innocent, "innocent groups"),
        "worlds": numbers.counted(quoted["worlds"], "simulated worlds" if quoted["is_simulated"] else "labelled logs"),
        "suite": redact.for_html(quoted["suite"], 40),
        "date": redact.for_html(quoted["date"], 20),
        "cap": numbers.count(scale.innocent + 1),
        "origin": "A ratio of simulated worlds is as good as these are like this log." if quoted["is_simulated"] else "The ratio is as good as the labels of those logs.",
    }


def rounded(ratio: float, *, cut: bool = False) -> str:
    """A ratio of 1 or more with the two digits that it carries; cut, not rounded, where it is stated as a least one."""
    digits = math.floor(math.log10(ratio)) - 1
    unit = 10.0**digits
    kept = (math.floor(ratio / unit + 1e-9) if cut else round(ratio / unit)) * unit
    return numbers.decimal(kept) if kept < 10 else f"{kept:,.0f}"
