"""How strongly, how surely and how far: three statements about a network that are never made in one sentence.

Strength is a ratio calibrated on networks of known truth in the words of a published scale (weighing.py); where none fits, bits stand alone. Confidence is
low, moderate or high by a rule of counts (see default.toml, [pages]). Attribution is the level that the verdict stage gave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.kinds import LIKENESS_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.source import Row, Source
from pipeline.pages.weighing import weight_sentences
from pipeline.pages.words import Wording, joined

_NOTHING_BITS = 0.05
"""Below this, bits would be shown as 0.0."""
WORDING_FAMILY = "template and near-duplicate prompts"
"""The family of the input contract without which accounts are linked by shape only: confidence is then low at most."""


def likelihood(source: Source, network: Row, families: Sequence[Row]) -> str:
    """The sentences of strength: what the links weigh, and how many times more probable the whole finding is under one proposition, if that was measured on known truth."""
    bits, unweighed = network["coordination_bits"], unweighed_sentence(source, network)
    if unweighed:
        return unweighed
    if bits is None or not math.isfinite(bits):
        return source.wording.line("likelihood", "unknown")
    groups = max((row["control_count"] or 0 for row in families), default=0)
    line, shown, beside = source.wording.line, numbers.bits(bits), numbers.counted(groups, "comparison groups")
    if source.scale is None or source.facts.error_rates is None:
        said = [line("likelihood", "rarity", bits=shown, groups=beside) if groups else line("likelihood", "unchecked", bits=shown)]
    else:
        said = [line("likelihood", "weighed", bits=shown), line("likelihood", "beside", groups=beside) if groups else ""]
        said.append(weight_sentences(source.wording, source.scale, source.facts.error_rates, network))
    return joined([*said, line("likelihood", "explained") if _explanation(source, network) in ("everything", "enough") else ""])


def unweighed_sentence(source: Source, network: Row) -> str:
    """Why the links of a group were not weighed; '' for a network whose links were."""
    if network["coordination_bits"] != 0 or source.of_network("network_families", network["network_id"]).height:
        return ""
    kind = "small" if network["network_id"] not in source.paged else "one_entity" if network["entity_count"] == 1 else "one_fact"
    return source.wording.line("unweighed", kind)


def cut_again_sentence(wording: Wording, network: Row, judged: Sequence[Row]) -> str:
    """Why bits judged again are not to be held against the run's figure; '' where they may, or nothing was judged again. In: rows of networks and of network_ablations."""
    whole = next((row for row in judged if row["family"] in LIKENESS_FAMILIES), None)  # they join nobody, so the group and its bits are those with no family struck out
    if whole is None:
        return ""
    run, size = numbers.bits(network["coordination_bits"]), numbers.count(network["account_count"])
    if not whole["piece_count"]:
        return wording.line("cut_again", "apart", run=run)
    cut, held = numbers.bits(whole["coordination_bits"]), numbers.count(whole["held_count"])
    return "" if (cut, held) == (run, size) else wording.line("cut_again", "differs", run=run, cut=cut, held=held, size=size)


def confidence(source: Source, network: Row, families: Sequence[Row]) -> str:
    """The sentence of confidence with its reasons."""
    admitted = sum(bool(row["admitted"]) for row in families)
    tested = network["q_value"] is not None
    compared = any(row["control_percentile"] is not None for row in families)
    adjudicated = source.scale is not None and not (source.facts.error_rates or {"is_simulated": True})["is_simulated"]
    blind = [row["family"] for row in source.blind_spots if row["status"] != "ran"]
    pages = source.config.pages
    level = "moderate"
    if admitted < pages.moderate_families or not tested or not compared or _uncheckable(source, network):
        level = "low"
    elif admitted >= pages.high_families and adjudicated and not blind:
        level = "high"
    because = _because(source, network, admitted, tested=tested, compared=compared, adjudicated=adjudicated, blind=blind)
    return source.wording.text("confidence", level, "sentence").format(because=numbers.listed(because))


def _because(source: Source, network: Row, admitted: int, *, tested: bool, compared: bool, adjudicated: bool, blind: list[str]) -> list[str]:
    line = source.wording.line
    covered = "families" if admitted else "unweighed" if unweighed_sentence(source, network) else "no_families"
    parts = [line("confidence_because", covered, families=numbers.counted(admitted, "families"))]
    parts.append(line("confidence_because", "tested", q=numbers.probability(network["q_value"])) if tested else line("confidence_because", "no_test"))
    if not compared:
        parts.append(line("confidence_because", "no_control"))
    if not adjudicated:
        parts.append(line("confidence_because", "simulated" if source.scale else "uncalibrated"))
    parts += [line("confidence_because", lacking) for lacking in _uncheckable(source, network)]
    if blind:
        parts.append(line("confidence_because", "blind", families=numbers.counted(len(blind), "families")))
    return parts


def _uncheckable(source: Source, network: Row) -> list[str]:
    """What the log lacks that keeps confidence low, as names of lines in wording.toml: what would tell who fits an innocent explanation, or any trace of prompts."""
    traceless = any(row["family"] == WORDING_FAMILY and row["status"] == "not_run" for row in source.blind_spots)
    return [*(["unchecked"] if _is_unchecked(network) else []), *(["no_prompts"] if traceless else [])]


def _is_unchecked(network: Row) -> bool:
    """Whether an innocent explanation that the log cannot rule out keeps it from being referred (stage 65)."""
    return str(network["reason"] or "").startswith("unchecked_")


def alternative(source: Source, network: Row) -> str:
    """The sentence about the best innocent explanation and what it leaves unexplained."""
    return _about_alternative(source, network, "margin")


def alternative_note(source: Source, network: Row) -> str:
    """The same in a few words."""
    return _about_alternative(source, network, "margin_note")


def unexplained(source: Source, margin_bits: float | None) -> str:
    """What an explanation with this margin leaves, in bits; the margin is that less what one link needs."""
    left = _left(source, margin_bits)
    return numbers.UNKNOWN if left is None else "nothing" if left < _NOTHING_BITS else numbers.bits(left)


def _about_alternative(source: Source, network: Row, table: str) -> str:
    margin, name = network["alternative_margin_bits"], source.wording.word("alternative", network["best_alternative"]).lower()
    values = {"left": unexplained(source, margin), "edge": numbers.bits(source.config.networks.edge_margin_bits)}
    return source.wording.line(table, _explanation(source, network), **values, name=name)


def _explanation(source: Source, network: Row) -> str:
    """How far the best innocent explanation goes, as the name of a line in wording.toml. A margin at or below zero is enough (stage 62)."""
    name, margin = network["best_alternative"], network["alternative_margin_bits"]
    left = _left(source, margin)
    if not name or name == "none":
        return "not_recorded" if not name else "unchecked" if _is_unchecked(network) else "none"
    if left is None:
        return "unknown"
    return "everything" if left < _NOTHING_BITS else "enough" if margin <= 0 else "short"


def _left(source: Source, margin_bits: float | None) -> float | None:
    return None if margin_bits is None or not math.isfinite(margin_bits) else max(0.0, margin_bits + source.config.networks.edge_margin_bits)


def decisive(source: Source, network: Row) -> str:
    """What would decide it: for every tier but a referral, where the decision is a person's anyway."""
    text = source.wording.decisive(network["reason"])
    name = network["best_alternative"]
    asks = source.wording.text("alternative", name, "decide") if name and name != "none" else ""
    return joined([f"What would decide it: {text[:1].lower()}{text[1:]}", f"To settle the innocent explanation, establish {asks}." if asks else ""])
