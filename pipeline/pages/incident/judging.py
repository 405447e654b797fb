"""From numbers to words by rule: likelihood of a judgement, level of confidence, weight of evidence. The rules are printed in annex B and section 2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.kinds import FAMILIES, GATE_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.error_rates import scale_that_fits
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.wording import say, shared, words
from pipeline.pages.ratios import Scale, Weight
from pipeline.pages.weighing import basis_values, finding, ratio_values, speaks
from pipeline.pages.words import families as family_words

REFER = "refer"


def figure_row(incident: Incident, measure: str, stratum: str = "all") -> Row | None:
    """A row of the validation's figures."""
    rows = incident.validation["figures"] if incident.validation else ()
    return next((row for row in rows if row["measure"] == measure and row["stratum"] == stratum), None)


def validation_fits(incident: Incident) -> bool:
    """Whether the quoted error rates are of this version and these settings."""
    quoted = incident.validation_summary
    return bool(quoted and quoted["same_code"] and not quoted["stale"] and quoted["version"] == incident.run.version)


def no_false_network(incident: Incident) -> bool:
    """Whether the validation referred networks and none of them was false."""
    row = figure_row(incident, "networks_false")
    return bool(row and row["n"] and row["value"] == 0)


def opens_the_gate(row: Row) -> bool:
    """Whether a family of a network opened the gate: it covers enough of the group, and is one of those that can. Another that covers as much opens nothing."""
    return bool(row["admitted"]) and row["family"] in GATE_FAMILIES


def admitted(sheet: NetworkSheet) -> list[str]:
    """Gate families that cover the network."""
    return [row["family"] for row in sheet.families if opens_the_gate(row)]


def covering(sheet: NetworkSheet) -> list[Row]:
    """Families of shared values that cover at least half of the network or admit it, or that tie the median pair. Likeness of pairs counts for none."""
    shared = [row for row in sheet.families if row["family"] in FAMILIES]
    return [row for row in shared if row["admitted"] or (row["coverage_share"] or 0.0) >= 0.5 or (row["median_bits"] or 0.0) > 0]


def control_word(incident: Incident, sheet: NetworkSheet) -> str:
    """The likelihood of common control, as a name of incident.toml's table."""
    if sheet.row["tier"] == REFER:
        return "very_likely" if validation_fits(incident) and no_false_network(incident) else "likely"
    return "even" if admitted(sheet) and sheet.row["tier"] != "explained" else "unlikely"


def confidence_level(incident: Incident, sheet: NetworkSheet) -> str:
    """low, moderate or high: by families, test, validation, calibration and blind spots."""
    blind = [row for row in incident.run.blind_spots if row["status"] != "ran"]
    if len(covering(sheet)) < 2 or sheet.row["q_value"] is None or incident.validation is None:
        return "low"
    adjudicated = scale(incident) is not None and not incident.validation["is_simulated"]
    return "high" if adjudicated and not blind else "moderate"


COMPLEMENT = {"very_likely": "very_unlikely", "likely": "unlikely", "even": "even", "unlikely": "likely"}
"""How likely an innocent explanation is where common control is so likely: the two are judged as the only ones."""


def because(incident: Incident, sheets: Sequence[NetworkSheet]) -> list[str]:
    """The grounds of that level, common to these networks."""
    if len(sheets) == 1:
        names = [row["family"] for row in covering(sheets[0])]
        parts = [say("because", "families", families=family_words(shared(), names), network=sheets[0].network_id)] if names else []
    else:
        parts = [say("because", "families_each", count=numbers.counted(min(len(covering(sheet)) for sheet in sheets), "families"))]
    known = [sheet.row["q_value"] for sheet in sheets if sheet.row["q_value"] is not None]
    parts.append(say("because", "tested", q=numbers.probability(max(known))) if len(known) == len(sheets) else say("because", "untested"))
    simulated = incident.validation is not None and incident.validation["is_simulated"]
    parts.append(say("because", "uncalibrated" if scale(incident) is None else "calibrated_simulated" if simulated else "calibrated"))
    if incident.validation is None:
        parts.append(say("because", "unmeasured"))
    else:
        parts.append(say("because", "simulated" if incident.validation["is_simulated"] else "fields"))
    blind = sum(row["status"] != "ran" for row in incident.run.blind_spots)
    return [*parts, say("because", "blind", count=numbers.counted(blind, "families"))] if blind else parts


@dataclass(frozen=True)
class Likelihood:
    """A word of ICD 203 with its range."""

    word: str
    range: str


def likelihood(name: str) -> Likelihood:
    """The word and the range of a name in incident.toml."""
    entry = words()["likelihood"][name]
    return Likelihood(entry["word"], entry["range"])


def scale(incident: Incident) -> Scale | None:
    """The ratios calibrated on known truth that hold for this run; None if none was measured with its version, code and settings."""
    return scale_that_fits(incident.validation_summary, incident.run.version)


def weight_sentence(incident: Incident, sheet: NetworkSheet) -> str:
    """The weight of evidence: a calibrated ratio with its word and what it is calibrated on; else the rarity in bits and no ratio."""
    bits = sheet.row["coordination_bits"]
    unweighed = not bits and not sheet.families
    if unweighed or bits is None or not math.isfinite(bits):
        return say("s2", "weight_none", network=sheet.network_id, why=shared().line("unweighed", "one_entity" if sheet.row["entity_count"] == 1 else "one_fact"))
    known, quoted = scale(incident), incident.validation_summary
    if known is None or quoted is None:
        return say("s2", "weight_rarity", network=sheet.network_id, bits=numbers.bits(bits))
    weight = weight_of(known, sheet)
    side = "neither" if not speaks(weight) else "operator" if weight.ratio > 1 else "innocent"
    found = finding(shared(), sheet.row)
    accounts = numbers.counted(sheet.row["account_count"], "accounts")
    said = say("s2", f"weight_{side}", network=sheet.network_id, accounts=accounts, finding=found, **ratio_values(shared(), weight))
    return f"{said} {say('s2', 'weight_basis', bits=numbers.bits(bits), **basis_values(known, quoted))}"


def weight_of(known: Scale, sheet: NetworkSheet) -> Weight:
    """What the finding on a network weighs."""
    return known.weigh(sheet.row["tier"], sheet.row["extraction_bits"])


def named(names: Sequence[str]) -> str:
    """`N-1`, or `N-1, N-2 and N-3`."""
    return numbers.listed(list(names))
