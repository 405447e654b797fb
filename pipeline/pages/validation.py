"""validation.html: error rates with their bounds, how they were measured, and what they do not cover, out of validation.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import redact
from pipeline.pages import numbers, validation_charts
from pipeline.pages.pieces import Numbering, table, unnumbered_table
from pipeline.pages.records import Cell, Fact, Figure, Picture, Table, Verdict
from pipeline.pages.render import _rendered
from pipeline.pages.validation_charts import Point
from pipeline.pages.validation_ratios import TEXT as RATIO_TEXT
from pipeline.pages.validation_ratios import ratio_parts
from pipeline.pages.validation_words import Row, bounds_text, measure_name, stratum_name, value_text, words
from pipeline.pages.words import spaced

EVERYONE = "all"


@dataclass(frozen=True)
class Section:
    """A heading with a sentence, drawings and tables."""

    anchor: str
    title: str
    text: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class ValidationPage:
    """Everything validation.html says."""

    title: str
    lead: str
    suite: str
    date: str
    command: str
    version: str
    config_sha256: str
    code_sha256: str
    verdict: Verdict
    sections: tuple[Section, ...]
    bounds: str
    facts: tuple[Fact, ...]
    worlds: Table


def validation_page(document: Mapping[str, Any]) -> bytes:
    """UTF-8 HTML of one validation.json (schema stillhunt.validation/1). A measure without a figure leaves its part out, and says so."""
    page = _page(document)
    return _rendered("validation.html", page, root="")  # type: ignore[arg-type]  # the template decides what it reads; this one reads a ValidationPage


def _page(document: Mapping[str, Any]) -> ValidationPage:
    numbering, texts = Numbering(), words()["text"]
    rows = _Rows(document["figures"])
    sections = (
        _ladder(rows, numbering),
        _innocents(rows, numbering),
        _calibration(rows, numbering),
        _weights(document, numbering),
        _delay(rows, numbering),
        _changes(rows, numbering),
    )
    return ValidationPage(
        title=texts["title"],
        lead=texts["lead_simulated"] if document["is_simulated"] else texts["lead_given"],
        suite=redact.for_html(document["suite"], 40),
        date=redact.for_html(document["date"], 20),
        command=redact.for_html(document["command"], 300),
        version=redact.for_html(document["version"], 40),
        config_sha256=document["config_sha256"],
        code_sha256=document["code_sha256"],
        verdict=_verdict(rows, document),
        sections=sections,
        bounds=texts["bounds"],
        facts=_facts(document),
        worlds=table(numbering, "Worlds judged", "World", [[redact.for_html(world, 120)] for world in document["worlds"]], empty="none"),
    )


class _Rows:
    """The figures by measure and stratum."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def of(self, measure: str) -> list[Row]:
        return [row for row in self._rows if row["measure"] == measure]

    def one(self, measure: str, stratum: str = EVERYONE) -> Row | None:
        return next((row for row in self._rows if row["measure"] == measure and row["stratum"] == stratum), None)

    def strata(self, measure: str) -> list[str]:
        """Strata of a measure, the whole first."""
        return [row["stratum"] for row in self.of(measure)]


def _line(row: Row, label: str) -> list[Cell | str]:
    return [label, value_text(row, row["value"]), Cell(bounds_text(row), tone="quiet" if row["bound"] == "none" else ""), f"{numbers.count(row['n'])} {spaced(row['cases'])}"]


def _rows_table(rows: Sequence[Row], numbering: Numbering, caption: str) -> Table:
    """One measure, one row a stratum."""
    lines = [_line(row, stratum_name(row["stratum"])) for row in rows]
    return table(numbering, caption, "Of | Value # | 95 % interval # | Independent cases", lines, empty="was not measured in this suite")


def _data(figure: tuple[str, str], rows: Sequence[tuple[str, Row]]) -> Table:
    lines = [_line(row, label) for label, row in rows]
    return unnumbered_table(f"{figure[0]}-data", "", f"Figures of {figure[1]}", "Of | Value # | 95 % interval # | Independent cases", lines, empty="none")


def _figure(label: tuple[str, str], question: str, answer: str, pictures: tuple[Picture, ...], rows: Sequence[tuple[str, Row]], absent: str = "") -> Figure:
    return Figure(
        label[0],
        label[1],
        answer,
        question,
        f"{numbers.count(len(rows))} values.",
        "Lines are 95 % intervals; a mark without a line has none.",
        pictures,
        _data(label, rows),
        absent,
    )


def _points(rows: Sequence[Row]) -> list[Point]:
    return [Point(stratum_name(row["stratum"]), row["value"], row["low"], row["high"]) for row in rows if row["value"] is not None]


def _summary(points: Sequence[Point]) -> str:
    """The drawing in words, for who cannot see it."""
    return "; ".join(f"{point.label} {numbers.percent(abs(point.value))}" for point in points[:40]) + "."


def _verdict(rows: _Rows, document: Mapping[str, Any]) -> Verdict:
    found, wrong, worlds = rows.one("campaigns_found"), rows.one("false_accusations"), rows.one("worlds_with_a_false_accusation")
    facts = [
        Fact(measure_name(measure), value_text(row, row["value"] if row else None), bounds_text(row))
        for measure, row in (("campaigns_found", found), ("account_recall", rows.one("account_recall")), ("false_accusations", wrong), ("worlds_with_a_false_accusation", worlds))
    ]
    accused = rows.one("innocent_accounts_flagged")
    said = "No innocent account was referred" if accused is None or not accused["value"] else f"{numbers.counted(accused['value'], 'innocent accounts')} referred"
    among = f" among {numbers.count(accused['n'])}" if accused else ""
    share = f"{value_text(found, found['value'])} of the campaigns were found" if found and found["value"] is not None else "no campaign was looked for"
    tone = "degraded" if document["degraded"] or (accused and accused["value"]) else "ok"
    return Verdict("In short", tone, f"{said}{among}; {share}.", tuple(redact.for_html(reason, 300) for reason in document["degraded"]), tuple(facts))


def _ladder(rows: _Rows, numbering: Numbering) -> Section:
    measured = [row for row in rows.of("campaigns_found") if row["stratum"] != EVERYONE]
    accounts = [row for row in rows.of("account_recall") if row["stratum"] != EVERYONE]
    label = numbering.figure()
    points, recall = _points(measured), _points(accounts)
    pictures = (
        Picture(measure_name("campaigns_found"), validation_charts.intervals(points, f"{label[0]}-a", "Campaigns found by rung", _summary(points))),
        Picture(measure_name("account_recall"), validation_charts.intervals(recall, f"{label[0]}-b", "Accounts referred by rung", _summary(recall))),
    )
    drawn = [(f"{stratum_name(row['stratum'])}: {measure_name(row['measure']).lower()}", row) for row in (*measured, *accounts)]
    figure = _figure(label, "Which campaigns are found?", "By kind of campaign", pictures if points and recall else (), drawn, "No campaign was in these worlds.")
    fates = [row for name in ("found", "whole", "missed", "split", "merged") for row in rows.of(f"campaigns_{name}") if row["stratum"] == EVERYONE]
    whole = [*fates, *(row for name in ("campaign_overlap", "networks_referred", "networks_false", "networks_false_share") if (row := rows.one(name)))]
    lines = [_line(row, measure_name(row["measure"])) for row in whole]
    tables = (table(numbering, "Campaigns and networks, all kinds", "Measure | Value # | 95 % interval # | Independent cases", lines, empty="no campaign"),)
    listed = _rows_table(rows.of("account_recall_listed"), numbering, "Accounts of campaigns in a referred or watched network")
    return Section("found", "What is found", str(words()["text"]["overlap"]), (figure,), (*tables, listed))


def _innocents(rows: _Rows, numbering: Numbering) -> Section:
    groups = rows.of("innocent_groups_flagged")
    label = numbering.figure()
    points = _points(groups)
    top = max([point.high or point.value for point in points], default=1.0)
    ceiling = next(edge for edge in (0.05, 0.1, 0.25, 0.5, 1.0) if top <= edge)
    drawing = (
        validation_charts.intervals(points, f"{label[0]}-a", "Innocent groups with a referred account", _summary(points), domain=(0.0, ceiling), bars=True) if points else None
    )
    pictures = (Picture("", drawing),) if drawing is not None else ()
    drawn = [(stratum_name(row["stratum"]), row) for row in groups]
    figure = _figure(
        label, "Who is accused wrongly?", "Innocent groups with a referred account, with what so few groups can show", pictures, drawn, "No innocent account was in these worlds."
    )
    rates = _rows_table(rows.of("false_accusations"), numbering, "Innocent accounts referred, in 100,000")
    counts = _rows_table(rows.of("innocent_accounts_flagged"), numbering, "Innocent accounts referred, count; n is how many there were")
    text = "A false accusation is the worst outcome. A rate of none is never proof of none: the bound says what so many cases can exclude."
    return Section("innocents", "Who is accused wrongly", text, (figure,), (rates, counts))


def _calibration(rows: _Rows, numbering: Numbering) -> Section:
    label = numbering.figure()
    observed = rows.of("membership_observed")
    levels = [row for row in rows.of("chance_networks_at_q") if row["value"] is not None]
    by_level = [(float(row["stratum"].rsplit(" ", 1)[-1]), _points([row])[0]) for row in levels]
    pictures = _membership_pictures(rows, label[0])
    if by_level:
        top = 0.25 if max(point.high or point.value for _, point in by_level) <= 0.25 else 1.0
        summary = _summary([point for _, point in by_level])
        pictures.append(Picture("Chance groupings at q", validation_charts.against_diagonal(by_level, f"{label[0]}-q", "q-value, stated and observed", summary, top=top)))
    drawn = [(stratum_name(row["stratum"]), row) for row in (*observed, *levels)]
    figure = _figure(label, "Do q-values and memberships mean what they say?", "On the dashed line, what was stated came out", tuple(pictures), drawn, "No network was judged.")
    text = (
        "A point below the line at q is better than promised. A membership is a share of the typical member's evidence, read here as if it were a probability: "
        "under a referred network a point above the line accuses fewer strangers than it states; "
        "a watched network may be strangers who share one thing, and then none of them belongs."
    )
    return Section("calibration", "Calibration", text, (figure,), (_rows_table(rows.of("membership_brier"), numbering, measure_name("membership_brier")),))


def _weights(document: Mapping[str, Any], numbering: Numbering) -> Section:
    drawing, ratios = ratio_parts(document, numbering)
    return Section("weights", "What a finding weighs", RATIO_TEXT, (drawing,), (ratios,))


def _membership_pictures(rows: _Rows, anchor: str) -> list[Picture]:
    """Stated against observed, for referred and for watched networks, where there are any."""
    stated = {row["stratum"]: row["value"] for row in rows.of("membership_stated")}
    tiers: dict[str, list[tuple[float, Point]]] = {}
    for row in rows.of("membership_observed"):
        if row["value"] is not None and stated.get(row["stratum"]) is not None:
            tiers.setdefault(row["stratum"].partition(",")[0], []).append((stated[row["stratum"]], _points([row])[0]))
    return [
        Picture(
            f"Membership, {tier} networks",
            validation_charts.against_diagonal(pairs, f"{anchor}-{tier}", f"Membership in {tier} networks, stated and observed", _summary([point for _, point in pairs])),
        )
        for tier, pairs in tiers.items()
    ]


def _delay(rows: _Rows, numbering: Numbering) -> Section:
    label = numbering.figure()
    curves: dict[str, list[float | None]] = {}
    shares = rows.of("referred_by_night")
    for row in shares:
        curves.setdefault(stratum_name(row["stratum"].rsplit(", night ", 1)[0]), []).append(row["value"])
    drawn = list(curves.items())
    summary = "Dark is none, bright is all. " + "; ".join(f"{name} {numbers.percent(values[-1])} after {numbers.counted(len(values), 'nights')}" for name, values in drawn) + "."
    pictures = (Picture("From dark, none, to bright, all", validation_charts.night_map(drawn, f"{label[0]}-a", "Campaigns referred by night", summary)),) if drawn else ()
    figure = _figure(
        label,
        "How long does a campaign work unseen?",
        "Campaigns referred, by night since their first request",
        pictures,
        [(stratum_name(row["stratum"]), row) for row in shares],
        "No world was judged night by night in this suite.",
    )
    nights = _rows_table(rows.of("nights_until_referred"), numbering, "Median nights until first referred (unknown: half of them or more never were)")
    lost = _rows_table(rows.of("requests_until_referred"), numbering, "Median share of a campaign's requests sent until then")
    soon = _rows_table(rows.of("referred_soon_after_ten"), numbering, "Referred within three nights of the one by which ten of its accounts were active")
    return Section("delay", "Time to detection", "Nights were judged one after the other, each on what was logged until then.", (figure,), (nights, lost, soon))


def _changes(rows: _Rows, numbering: Numbering) -> Section:
    label = numbering.figure()
    changes = [row for row in rows.of("try_recall_change") if row["value"] is not None and not row["stratum"].startswith(("threshold", "seed"))]
    points = [Point(point.label.split(": ", 1)[-1], point.value, point.low, point.high) for point in _points(changes)]
    drawing = validation_charts.intervals(points, f"{label[0]}-a", "Change in accounts referred", _summary(points), domain=(-1.0, 0.5)) if points else None
    pictures = (Picture("", drawing),) if drawing is not None else ()
    drawn = [(stratum_name(row["stratum"]), row) for row in changes]
    figure = _figure(label, "What does each kind of evidence carry?", "Change in recall without it, in the same worlds", pictures, drawn, "Nothing was left out in this suite.")
    tables = tuple(
        _rows_table(rows.of(name), numbering, f"{caption}, by what was changed")
        for name, caption in (
            ("try_recall", "Accounts of campaigns referred"),
            ("try_campaigns_found", "Campaigns found"),
            ("try_false_accusations_change", "Change in innocent accounts referred, in 100,000"),
            ("try_agreement", "Accounts referred both times, of those referred either time"),
        )
    )
    return Section("changes", "Missing columns, evidence, thresholds, seeds", "Every change is compared with the same worlds judged as they are.", (figure,), tables)


def _facts(document: Mapping[str, Any]) -> tuple[Fact, ...]:
    return (
        Fact("Suite", redact.for_html(document["suite"], 40)),
        Fact("Worlds", numbers.count(len(document["worlds"])), "simulated" if document["is_simulated"] else "given"),
        Fact("Accounts", numbers.count(document["accounts"]), "with a label and a request"),
        Fact("Requests", numbers.count(document["requests"])),
        Fact("Date", redact.for_html(document["date"], 20)),
    )
