"""The network beside matched accounts, and beside the innocent network most like it: features with their middle halves, families of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipeline import redact
from pipeline.features import FEATURES
from pipeline.kinds import FAMILIES, GATE_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.incident.drawings.canvas import BLUE, GREY, ORANGE, WIDTH, Canvas, short
from pipeline.pages.incident.wording import words as incident_words
from pipeline.pages.pieces import Numbering, table, unnumbered_table
from pipeline.pages.records import Cell, Figure, Picture, Table
from pipeline.pages.source import Row
from pipeline.pages.svg_gate import INK
from pipeline.pages.working.bench import COMPARED, Bench
from pipeline.pages.working.records import LookAlike
from pipeline.pages.working.wording import say

if TYPE_CHECKING:
    from markupsafe import Markup

Span = tuple[float, float, float]


@dataclass(frozen=True)
class Compared:
    """One feature: lower quartile, median and upper quartile of each group; None where no account of it has the feature."""

    name: str
    unit: str
    members: Span | None
    controls: Span | None
    other: Span | None


def look_alike(bench: Bench, network: Row, numbering: Numbering) -> LookAlike:
    """The block of one network."""
    nearest = nearest_innocent(bench, network)
    rows = _compared(bench, network, nearest)
    controls = bench.source.control_counts.get(network["network_id"], 0)
    return LookAlike(
        nearest=_nearest_sentence(bench, network, nearest),
        figure=_figure(bench, network, nearest, rows, controls, numbering),
        families=_families(bench, network, nearest, numbering),
    )


def nearest_innocent(bench: Bench, network: Row) -> Row | None:
    """The explained network that shows most of the same families with features most like these; None if there is no other explained one.

    Alike, 0..1: the mean of families in common over families of either (Jaccard), and of one less the mean relative difference of the features' medians.
    """
    innocent = [row for row in bench.source.networks if row["tier"] == "explained" and row["network_id"] in bench.source.paged and row["network_id"] != network["network_id"]]
    scored = [(-_alike(bench, network["network_id"], row["network_id"]), row["network_id"]) for row in innocent]
    best = min(scored, default=None)
    return next((row for row in innocent if best and row["network_id"] == best[1]), None)


def _alike(bench: Bench, one: str, other: str) -> float:
    shown, theirs = _established(bench, one), _established(bench, other)
    families = len(shown & theirs) / len(shown | theirs) if shown | theirs else 0.0
    a, b = bench.medians.get(one, {}), bench.medians.get(other, {})
    apart = [abs(a[name] - b[name]) / max(abs(a[name]), abs(b[name]), 1e-9) for name in sorted(set(a) & set(b))]
    return round((families + (1 - sum(apart) / len(apart) if apart else 0.0)) / 2, 6)


def _established(bench: Bench, network_id: str) -> frozenset[str]:
    rows = bench.source.of_network("network_families", network_id).iter_rows(named=True)
    return frozenset(row["family"] for row in rows if row["admitted"] or (row["median_bits"] or 0.0) > 0)


def _compared(bench: Bench, network: Row, nearest: Row | None) -> list[Compared]:
    units = {feature.name: feature.unit or ("0..1" if feature.name.endswith("_share") else "") for feature in FEATURES}
    source, network_id = bench.source, network["network_id"]
    own = bench.features(source.of_network("members", network_id)["account_id"].to_list(), COMPARED)
    enough = source.control_counts.get(network_id, 0) >= source.config.pages.control_minimum
    controls = bench.features(source.of_network("controls", network_id)["account_id"].to_list() if enough else [], COMPARED)
    other = bench.features(source.of_network("members", nearest["network_id"])["account_id"].to_list() if nearest else [], COMPARED)
    rows = [Compared(name, units[name], *(_span(frame, name) for frame in (own, controls, other))) for name in COMPARED if name in own.columns]
    return [row for row in rows if row.members is not None and (row.controls is not None or row.other is not None)]


def _span(frame: pl.DataFrame, name: str) -> Span | None:
    known = frame[name].drop_nulls().cast(pl.Float64).sort()
    if not len(known):
        return None
    low, middle, high = (round(float(str(known.quantile(share, interpolation="linear"))), 6) for share in (0.25, 0.5, 0.75))
    return low, middle, high


def _figure(bench: Bench, network: Row, nearest: Row | None, rows: Sequence[Compared], controls: int, numbering: Numbering) -> Figure:
    anchor, label = numbering.figure()
    enough = controls >= bench.source.config.pages.control_minimum
    caption = _answer(rows, nearest, enough=enough)
    groups = [("this network", network["account_count"])] + ([("matched accounts in no network", controls)] if enough else [])
    groups += [(redact.identifier(nearest["network_id"]), nearest["account_count"])] if nearest else []
    counted = numbers.listed(
        [f"{numbers.counted(count, 'accounts')} of {name}" if place != 1 or not enough else f"{numbers.count(count)} {name}" for place, (name, count) in enumerate(groups)]
    )
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question=say("look_alike", "question"),
        counted=f"n = {counted}.",
        left_out=_left_out(bench, controls, enough=enough),
        pictures=(Picture("", _picture(rows, nearest, enough=enough, name=f"{anchor}-a", description=caption)),) if rows else (),
        data=_data(rows, nearest, anchor, label),
        absent="" if rows else say("look_alike", "absent"),
    )


def _left_out(bench: Bench, controls: int, *, enough: bool) -> str:
    said = say("look_alike", "left_out")
    few = say("look_alike", "few", controls=numbers.counted(controls, "matched accounts"), least=numbers.count(bench.source.config.pages.control_minimum))
    return said if enough else f"{few} {said}"


def _answer(rows: Sequence[Compared], nearest: Row | None, *, enough: bool) -> str:
    if not rows:
        return say("look_alike", "nothing")
    parts = []
    if enough:
        parts.append(f"{_outside([(row.members, row.controls) for row in rows])} outside the middle half of matched accounts")
    if nearest:
        parts.append(f"{_outside([(row.members, row.other) for row in rows])} outside that of {redact.identifier(nearest['network_id'])}")
    return f"The median member lies on {numbers.listed(parts)}."


def _outside(pairs: Sequence[tuple[Span | None, Span | None]]) -> str:
    known = [(own, other) for own, other in pairs if own is not None and other is not None]
    outside = sum(not other[0] <= own[1] <= other[2] for own, other in known)
    return f"{numbers.count(outside)} of {numbers.counted(len(known), 'features')}"


def _data(rows: Sequence[Compared], nearest: Row | None, anchor: str, label: str) -> Table:
    columns = f"Feature | Median member # | Middle half | Matched accounts, median # | Middle half | {_shown(nearest)}, median # | Middle half"
    cells = [(_trait(row.name), *(text for span in (row.members, row.controls, row.other) for text in _texts(span, row.unit))) for row in rows]
    return unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}: features side by side", columns, cells, empty="No data.")


def _shown(nearest: Row | None) -> str:
    return redact.identifier(nearest["network_id"]).replace("|", "/").replace("#", "no.") if nearest else "Innocent network"


def _texts(span: Span | None, unit: str) -> tuple[str, str]:
    if span is None:
        return "not compared", "not compared"
    return numbers.measured(span[1], unit), f"{numbers.measured(span[0], unit)} to {numbers.measured(span[2], unit)}"


def _trait(name: str) -> str:
    traits: Mapping[str, str] = incident_words()["trait"]
    return traits.get(name, name.replace("_", " "))


def _picture(rows: Sequence[Compared], nearest: Row | None, *, enough: bool, name: str, description: str) -> Markup:
    left, right, row = 220, 130, 44
    canvas = Canvas(WIDTH, row * len(rows) + 34)
    groups = [("this network", BLUE, "disc")] + ([("matched accounts", GREY, "box")] if enough else [])
    groups += [(redact.identifier(nearest["network_id"]), ORANGE, "diamond")] if nearest else []
    x = float(left)
    for words, colour, shape in groups:
        _mark(canvas, x, 10, colour, shape)
        canvas.text(x + 12, 14, f"{short(words, 24)}, median", size=10)
        x += 40 + 5.6 * (min(len(words), 24) + 8)
    for place, one in enumerate(rows):
        y = 28 + row * place
        spans = [(one.members, BLUE, "disc")] + ([(one.controls, GREY, "box")] if enough else []) + ([(one.other, ORANGE, "diamond")] if nearest else [])
        scale = (WIDTH - left - right) / max([*(high for span, _, _ in spans if span for _, _, high in [span]), 1e-9])
        canvas.text(left - 10, y + 18, short(_trait(one.name), 36), anchor="end")
        canvas.line(left, y + row - 6, WIDTH - 8, y + row - 6, opacity=0.12)
        for at, (span, colour, shape) in enumerate(spans):
            _span_drawn(canvas, span, (left, y + 4 + 12 * at), scale, colour, shape, one.unit)
    return canvas.drawn(name, "Features side by side", description)


def _span_drawn(canvas: Canvas, span: Span | None, at: tuple[float, float], scale: float, colour: str, shape: str, unit: str) -> None:
    left, y = at
    if span is None:
        canvas.text(WIDTH - 120, y + 4, "unknown", size=10)
        return
    canvas.line(left + span[0] * scale, y, left + span[2] * scale, y, stroke=colour, width=3)
    _mark(canvas, left + span[1] * scale, y, colour, shape)
    canvas.text(WIDTH - 120, y + 4, numbers.measured(span[1], unit).replace("\u202f", " ").replace("\u00a0", " "), size=10)


def _mark(canvas: Canvas, x: float, y: float, colour: str, shape: str) -> None:
    if shape == "disc":
        canvas.circle(x, y, 4.5, colour)
    elif shape == "box":
        canvas.rect(x - 4, y - 4, 8, 8, "#ffffff", stroke=INK)
    else:
        canvas.path(f"M{x:.1f},{y - 5.5:.1f}l5.5,5.5l-5.5,5.5l-5.5,-5.5z", fill=colour)


def _nearest_sentence(bench: Bench, network: Row, nearest: Row | None) -> str:
    if nearest is None:
        return say("look_alike", "no_innocent")
    wording = bench.source.wording
    shared = sorted(_established(bench, network["network_id"]) & _established(bench, nearest["network_id"]))
    families = numbers.listed([wording.word("family", family) for family in shared])
    values = {
        "nearest": redact.identifier(nearest["network_id"]),
        "accounts": numbers.counted(nearest["account_count"], "accounts"),
        "explanation": wording.word("alternative", nearest["best_alternative"]).lower(),
        "alike": numbers.decimal(_alike(bench, network["network_id"], nearest["network_id"]), 2),
    }
    return " ".join([say("look_alike", "nearest", **values), say("look_alike", "families" if shared else "no_families", families=families)])


def _families(bench: Bench, network: Row, nearest: Row | None, numbering: Numbering) -> Table:
    own, other = (_by_family(bench, row["network_id"]) if row else {} for row in (network, nearest))
    names = sorted(set(own) | set(other), key=lambda name: (FAMILIES.index(name) if name in FAMILIES else len(FAMILIES), name))
    rows = [(bench.source.wording.word("family", name), *_bits(own.get(name)), *_bits(other.get(name)), _differs(own.get(name), other.get(name))) for name in names]
    shown = _shown(nearest)
    columns = f"Family of evidence | Median bits here # | Accounts covered here # | Median bits in {shown} # | Accounts covered in {shown} # | What differs"
    caption = f"Families of evidence, here and in {redact.identifier(nearest['network_id'])}" if nearest else "Families of evidence beside an innocent network"
    empty = "no innocent network of this night to hold it against." if nearest is None else "no family of evidence is recorded for either."
    return table(numbering, caption, columns, rows if nearest else [], empty=empty)


def _by_family(bench: Bench, network_id: str) -> dict[str, Row]:
    return {row["family"]: row for row in bench.source.of_network("network_families", network_id).iter_rows(named=True)}


def _bits(row: Row | None) -> tuple[Cell | str, Cell | str]:
    if row is None:
        return Cell("not weighed", tone="quiet"), Cell("not weighed", tone="quiet")
    return Cell(numbers.decimal(row["median_bits"]), note="opened the gate" if row["admitted"] and row["family"] in GATE_FAMILIES else ""), numbers.percent(row["coverage_share"])


def _differs(own: Row | None, other: Row | None) -> str:
    here, there = ((row["median_bits"] or 0.0) if row else 0.0 for row in (own, other))
    covered = ((row["coverage_share"] or 0.0) if row else 0.0 for row in (own, other))
    more, less = covered
    if max(here, there) <= 0 and max(more, less) <= 0:
        return "neither shows it"
    if (here > 0 or more > 0) != (there > 0 or less > 0):
        return "only here" if here > 0 or more > 0 else "only there"
    return "stronger here" if (here, more) > (there, less) else "stronger there" if (here, more) < (there, less) else "alike"
