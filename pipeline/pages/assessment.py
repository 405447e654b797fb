"""How strongly, how surely and how far: three statements about a network that are never made in one sentence.

Strength is the ratio 2^bits in the words of a published scale, held to what the number of comparison groups can check. Confidence is
low, moderate or high by a rule of counts (see default.toml, [pages]). Attribution is the level that the verdict stage gave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.pages import numbers
from pipeline.pages.source import Row, Source
from pipeline.pages.words import joined


def likelihood(source: Source, network: Row, families: Sequence[Row]) -> str:
    """The sentence of strength: how many times more probable under one proposition than under the other, and the word for it."""
    bits = network["coordination_bits"]
    if bits is None or not math.isfinite(bits):
        return source.wording.line("likelihood", "unknown")
    groups = max((row["control_count"] or 0 for row in families), default=0)
    calibrated = network["network_id"] in source.calibrated
    if not calibrated and groups < 1:
        return source.wording.line("likelihood", "unchecked", bits=numbers.bits(bits))
    ratio, cap = 2.0 ** abs(bits), groups + 1.0
    key = "calibrated" if calibrated else "within" if ratio <= cap else "capped"
    ratio = ratio if calibrated else min(ratio, cap)
    which, side = ("first", "one operator") if bits >= 0 else ("second", "independent customers")
    values = {"bits": numbers.bits(bits), "ratio": _ratio(ratio), "cap": numbers.count(cap), "groups": numbers.counted(groups, "comparison groups")}
    return source.wording.line("likelihood", key, **values, which=which, side=side, word=source.wording.support(ratio))


def confidence(source: Source, network: Row, families: Sequence[Row]) -> str:
    """The sentence of confidence with its reasons."""
    admitted = sum(bool(row["admitted"]) for row in families)
    tested = network["q_value"] is not None
    compared = any(row["control_percentile"] is not None for row in families)
    calibrated = network["network_id"] in source.calibrated
    blind = [row["family"] for row in source.blind_spots if row["status"] != "ran"]
    pages = source.config.pages
    level = "moderate"
    if admitted < pages.moderate_families or not tested or not compared:
        level = "low"
    elif admitted >= pages.high_families and calibrated and not blind:
        level = "high"
    because = _because(source, network, admitted, tested=tested, compared=compared, calibrated=calibrated, blind=blind)
    return source.wording.text("confidence", level, "sentence").format(because=numbers.listed(because))


def _because(source: Source, network: Row, admitted: int, *, tested: bool, compared: bool, calibrated: bool, blind: list[str]) -> list[str]:
    line = source.wording.line
    parts = [line("confidence_because", "families", families=numbers.counted(admitted, "families")) if admitted else line("confidence_because", "no_families")]
    parts.append(line("confidence_because", "tested", q=numbers.probability(network["q_value"])) if tested else line("confidence_because", "no_test"))
    if not compared:
        parts.append(line("confidence_because", "no_control"))
    if not calibrated:
        parts.append(line("confidence_because", "uncalibrated"))
    if blind:
        parts.append(line("confidence_because", "blind", families=numbers.counted(len(blind), "families")))
    return parts


def alternative(source: Source, network: Row) -> str:
    """The sentence about the best innocent explanation and its margin."""
    name, margin = network["best_alternative"], network["alternative_margin_bits"]
    if not name or name == "none":
        return source.wording.line("margin", "none" if name else "not_recorded")
    word = source.wording.word("alternative", name).lower()
    if margin is None or not math.isfinite(margin):
        return source.wording.line("margin", "unknown", name=word)
    key = "worse" if margin > 0 else "better" if margin < 0 else "equal"
    return source.wording.line("margin", key, name=word, bits=numbers.bits(abs(margin)))


def decisive(source: Source, network: Row) -> str:
    """What would decide it: for every tier but a referral, where the decision is a person's anyway."""
    text = source.wording.decisive(network["reason"])
    name = network["best_alternative"]
    asks = source.wording.text("alternative", name, "decide") if name and name != "none" else ""
    return joined([f"What would decide it: {text[:1].lower()}{text[1:]}", f"To settle the innocent explanation, establish {asks}." if asks else ""])


def _ratio(value: float) -> str:
    """Two digits are all that such a figure carries."""
    if value < 10:
        return numbers.decimal(value)
    digits = math.floor(math.log10(value)) - 1
    rounded = round(value / 10**digits) * 10**digits
    return f"{rounded:,.0f}" if rounded < 1e6 else numbers.compact(rounded)
