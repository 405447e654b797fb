"""Section 11: how often a method like this is wrong, with intervals, as far as the validation at hand says."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.pages import numbers, validation_charts
from pipeline.pages.error_rates import sentences
from pipeline.pages.incident.blocks import Block, Plot, Section, bullets, figure, left_out, missing, table, text
from pipeline.pages.incident.drawings import weights
from pipeline.pages.incident.exhibits import Exhibits
from pipeline.pages.incident.judging import figure_row
from pipeline.pages.incident.records import Incident, Row
from pipeline.pages.incident.sections.ratios import cost, ratio_answer, ratio_pictures, ratio_rows
from pipeline.pages.incident.wording import of, say, share, words
from pipeline.pages.records import Cell
from pipeline.pages.validation_charts import Point
from pipeline.pages.validation_words import bounds_text, measure_name, stratum_name, value_text
from pipeline.pages.words import joined, spaced

ACCOUNT_LEVEL = ("account_recall", "account_precision", "innocent_accounts_flagged", "false_accusations", "innocent_groups_flagged", "worlds_with_a_false_accusation")
NETWORK_LEVEL = (
    "campaigns_found",
    "campaigns_whole",
    "campaigns_missed",
    "campaigns_split",
    "campaigns_merged",
    "networks_referred",
    "networks_false",
    "worlds_with_a_false_network",
)
LADDER_ROWS = 30


def reliability(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 11."""
    blocks: list[Block] = [text(say("s11", "lead"))]
    if incident.validation is None:
        blocks.append(missing(say("s11", "none")))
    else:
        blocks += [
            text(say("s11", "simulated" if incident.validation["is_simulated"] else "given")),
            bullets(_plain(sentence) for sentence in sentences(incident.validation_summary)),
        ]
        blocks += [_confusion(incident, exhibits), _lookalikes(incident)]
    blocks += [_calibration(incident), cost(incident), *_sensitivity(incident), _mitigation(), text(_sources(incident))]
    return Section("11", "s11", words()["section"]["s11"], tuple(blocks))


def _plain(sentence: str) -> str:
    return sentence.replace("100\u202f%", "all")


def _value(row: Row, value: float | None) -> str:
    return share(value) if value is not None and row["unit"] == "share" else value_text(row, value)


def _bounds(row: Row) -> str:
    """The interval in words; a small upper bound with the digits that it has."""
    if row["bound"] == "upper" and row["unit"] == "share" and 0 < row["high"] < 0.001:
        return f"at most {numbers.percent(row['high'], 3)}"
    return _plain(bounds_text(row))


def _line(row: Row, label: str) -> list[Cell | str]:
    bounds = _bounds(row)
    return [label, _value(row, row["value"]), Cell(bounds, tone="quiet" if row["bound"] == "none" else ""), f"{numbers.count(row['n'])} {spaced(row['cases'])}"]


def _confusion(incident: Incident, exhibits: Exhibits) -> Block:
    """T14."""
    rows: list[list[Cell | str]] = []
    for level, measures in (("Accounts", ACCOUNT_LEVEL), ("Networks", NETWORK_LEVEL)):
        for measure in measures:
            row = figure_row(incident, measure)
            if row is not None:
                rows.append([level, *_line(row, measure_name(measure))])
    rows += [["Campaigns", *_line(row, f"found: {stratum_name(row['stratum'])}")] for row in _strata(incident, "campaigns_found")][:LADDER_ROWS]
    left = say("t14", "left")
    caption = f"Error rates at account and network level, 95 % intervals (exhibit {exhibits.validation})"
    return table("T14", caption, "Level | Measure | Value # | 95 % interval # | Independent cases", rows, empty="the validation holds no such figure.", left_out=left)


def _lookalikes(incident: Incident) -> Block:
    rows = [_line(row, stratum_name(row["stratum"])) for row in _strata(incident, "innocent_groups_flagged")]
    return table(
        "T14a",
        "Innocent groups with a referred account, by kind of look-alike",
        "Kind of group | Value # | 95 % interval # | Independent cases",
        rows,
        empty="no innocent group was judged.",
    )


def _strata(incident: Incident, measure: str) -> list[Row]:
    """Figures of a measure by stratum, without the whole."""
    rows = incident.validation["figures"] if incident.validation else ()
    return [row for row in rows if row["measure"] == measure and row["stratum"] != "all"]


def _calibration(incident: Incident) -> Block:
    """F15."""
    plot = Plot("F15", "")
    observed = {row["stratum"]: row for row in _strata(incident, "membership_observed")}
    stated = {row["stratum"]: row["value"] for row in _strata(incident, "membership_stated")}
    pairs = [(stated[name], _point(row)) for name, row in observed.items() if row["value"] is not None and stated.get(name) is not None]
    levels = [(float(row["stratum"].rsplit(" ", 1)[-1]), _point(row)) for row in _strata(incident, "chance_networks_at_q") if row["value"] is not None]
    pictures = []
    if pairs:
        pictures.append(
            ("Membership, stated and observed", validation_charts.against_diagonal(pairs, f"{plot.anchor}-a", "Membership", "On the dashed line what was stated came out."))
        )
    if levels:
        top = 0.25 if max(point.high or point.value for _, point in levels) <= 0.25 else 1.0
        pictures.append(
            ("Share of chance groupings at q", validation_charts.against_diagonal(levels, f"{plot.anchor}-b", "q-value", "Below the dashed line is better than promised.", top=top))
        )
    rows = [["membership", stratum, share(stated.get(stratum)), share(row["value"]), bounds_text(row), numbers.count(row["n"])] for stratum, row in observed.items()]
    rows += [
        ["q-value", row["stratum"], share(float(row["stratum"].rsplit(" ", 1)[-1])), share(row["value"]), _plain(bounds_text(row)), numbers.count(row["n"])]
        for row in _strata(incident, "chance_networks_at_q")
    ]
    pictures += ratio_pictures(incident, plot.anchor)
    rows += ratio_rows(incident)
    members, candidates = sum(row["n"] for row in observed.values()), sum(row["n"] for row in _strata(incident, "chance_networks_at_q"))
    judged = f"{numbers.counted(members, 'members')} and {numbers.counted(candidates, 'candidate networks')}"
    return figure(
        plot,
        joined([_calibration_answer(pairs, levels), ratio_answer(incident)]),
        counted=f"n = {judged} of simulated or labelled logs.",
        left_out=left_out(plot),
        columns="Figure | Band | Stated # | Came out # | 95 % interval # | n #",
        rows=rows,
        pictures=pictures,
        absent="" if pictures else "No figure: no validation at hand says what came out (measures membership_observed, chance_networks_at_q).",
    )


def _point(row: Row) -> Point:
    return Point(stratum_name(row["stratum"]), row["value"], row["low"], row["high"])


def _calibration_answer(pairs: Sequence[tuple[float, Point]], levels: Sequence[tuple[float, Point]]) -> str:
    if not pairs and not levels:
        return "Whether stated figures mean what they say was not measured."
    said = []
    if levels:
        worse = sum(1 for stated, point in levels if point.value > stated)
        said.append(f"q-values kept their promise at {of(len(levels) - worse, len(levels), 'levels')}")
    if pairs:
        far = max(abs(stated - point.value) for stated, point in pairs)
        said.append(f"stated memberships are off by {share(far)} at most")
    return f"On logs of known truth {numbers.listed(said)}."


def _sensitivity(incident: Incident) -> list[Block]:
    """F16 and the tries behind it."""
    plot = Plot("F16", "")
    curves = [(sheet.network_id, sheet.membership) for sheet in incident.networks if sheet.membership]
    edge = next((sheet.edge_bits for sheet in incident.networks if sheet.edge_bits is not None), None)
    thresholds = [("link in use", edge)] if edge is not None else []
    weighed = sum(curve[0][1] for _, curve in curves)
    tries = [row for row in _strata(incident, "try_agreement") if row["stratum"].startswith(("seed", "threshold")) and row["value"] is not None]
    points = [Point(row["stratum"].split(": ", 1)[-1], row["value"], row["low"], row["high"]) for row in tries]
    pictures = (
        [("Members of these networks that reach so many bits in the median", weights.sizes(curves, thresholds, f"{plot.anchor}-a", "Members by median bits."))] if curves else []
    )
    if points:
        worst = ", ".join(f"{point.label} {share(point.value)}" for point in points[:3])
        pictures.append(
            (
                "Accounts referred both times, of those referred either time, on logs of known truth",
                validation_charts.intervals(points, f"{plot.anchor}-b", "Agreement", f"{worst}."),
            )
        )
    rows = [[network, f"{numbers.decimal(level, 0)} bits or more", f"{numbers.counted(count, 'members')}"] for network, curve in curves for level, count in curve]
    rows += [["logs of known truth", row["stratum"].split(": ", 1)[-1], f"{share(row['value'])} of accounts referred both times"] for row in tries]
    return [
        figure(
            plot,
            _sensitivity_answer(curves, tries, edge),
            counted=f"n = {numbers.counted(weighed, 'members')} with a weight; {numbers.counted(len(tries), 'other settings')} tried on logs of known truth.",
            left_out=left_out(plot),
            columns="Of | Setting | Outcome",
            rows=rows,
            pictures=pictures,
            absent="" if pictures else "No figure: no member carries a weight, and no validation tried other settings.",
        )
    ]


def _sensitivity_answer(curves: Sequence[tuple[str, Sequence[tuple[float, int]]]], tries: Sequence[Row], edge: float | None) -> str:
    said = []
    if curves and edge is not None:
        whole = sum(curve[0][1] for _, curve in curves)
        kept = sum(next((count for level, count in curve if level >= edge), 0) for _, curve in curves)
        said.append(f"{of(kept, whole, 'members')} reach in the median what a single link needs")
    if tries:
        worst = min(tries, key=lambda row: (row["value"], row["stratum"]))
        said.append(
            f"on logs of known truth the setting that changes most ({worst['stratum'].split(': ', 1)[-1]}) leaves {share(worst['value'])} of the referred accounts the same"
        )
    text_ = numbers.listed(said)
    return f"{text_[:1].upper()}{text_[1:]}." if said else "It was not measured."


def _mitigation() -> Block:
    """T15."""
    rows = [(entry["source"], entry["control"], entry["residual"]) for entry in words()["mitigation"].values()]
    return table("T15", "Sources of error, what is done about them, and what remains", "Source of error | Control | What remains", rows)


def _sources(incident: Incident) -> str:
    have = [] if incident.validation is None else ["planted networks and innocent look-alikes in simulated worlds"] if incident.validation["is_simulated"] else ["labelled logs"]
    missing_ = ["adjudicated past cases held out by time"] if incident.validation is None or incident.validation["is_simulated"] else ["simulated worlds of known truth"]
    return say("s11", "recipe", have=numbers.listed([*have, "random groups as a null for each test"]), missing=numbers.listed(missing_))
