"""Health and drift of the night: what is unusual about its data, its scores and its networks, and whether planted networks were found.

Nothing here changes the verdict on the run or on a network: a night of half the usual rows may be a holiday. It says where to look first.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence

from pipeline import redact
from pipeline.history.bands import Band
from pipeline.history.report import Figure as HealthFigure
from pipeline.pages import charts, numbers
from pipeline.pages.banded_bars import Bar, banded_bars
from pipeline.pages.pieces import Numbering, table, unnumbered_table
from pipeline.pages.records import Cell, Fact, Figure, Picture, Table
from pipeline.pages.source import Source
from pipeline.pages.words import spaced

_GROUPS = {"rows": "Rows and accounts", "hour": "Requests by hour", "column": "Columns filled", "score": "Scores", "networks": "Networks"}
_NAMES = {"rows_read": "rows read", "accounts": "accounts with a request", "rejected": "rows rejected", "duplicates": "duplicates resolved"}


def signals(source: Source) -> tuple[Fact, ...]:
    """What the verdict bar says of health and canaries."""
    found, canary = source.health, source.past.canary
    unusual, compared = len(found.unusual()), sum(figure.band is not None for figure in found.figures)
    told = f"{numbers.count(unusual)} unusual" if compared else "not compared"
    planted = f"{numbers.count(canary.found_count)} of {numbers.count(len(canary.canaries))} found" if canary else "none planted"
    return (
        Fact("Health", told, f"of {numbers.counted(compared, 'figures')} beside earlier days and nights" if compared else "too few earlier days"),
        Fact("Canaries", planted, f"night of {canary.night}" if canary else "see: stillhunt canary"),
    )


def warning(source: Source) -> str:
    """What the verdict bar adds to a run that is well, where its data or its detector may not be: `` if nothing stands out."""
    unusual, canary = len(source.health.unusual()), source.past.canary
    missed = len(canary.canaries) - canary.found_count if canary else 0
    told = [f"{numbers.counted(unusual, 'figures')} unusual"] if unusual else []
    told += [f"{numbers.counted(missed, 'canaries')} missed"] if missed else []
    return f" But look at Data health and Drift first: {numbers.listed(told)}." if told else ""


def health_sentence(source: Source) -> str:
    """What the night's data is compared with, and how many figures stand out."""
    found = source.health
    if not found.is_recorded:
        return "No record of the days was kept with this run, so nothing is compared."
    if not any(figure.band for figure in found.group("rows", "hour", "column")):
        return f"The window holds {numbers.counted(len(found.compared_days), 'earlier days')}, too few to say what is usual."
    kind = "earlier days" if found.kind == "all days" else f"earlier {found.kind}"
    days = f"{numbers.counted(len(found.compared_days), kind)}, {found.compared_days[0]} to {found.compared_days[-1]}"
    unusual = [figure for figure in found.group("rows", "hour", "column") if figure.is_unusual]
    told = (
        f"{numbers.counted(len(unusual), 'figures')} of {numbers.count(len(found.group('rows', 'hour', 'column')))} lie outside their band"
        if unusual
        else "Every figure lies within its band"
    )
    return f"The day {source.facts.night} beside {days}: {told[0].lower() + told[1:]}."


def health_table(source: Source, numbering: Numbering) -> Table:
    """The figures that stand out, then rows and accounts; columns that are as usual are left out."""
    figures = [figure for figure in source.health.group("rows", "hour", "column") if figure.is_unusual or figure.group == "rows"]
    return _figures_table(source, numbering, "The night's data beside what is usual", sorted(figures, key=lambda figure: not figure.is_unusual), "no record of the days was kept.")


def drift_table(source: Source, numbering: Numbering) -> Table:
    """Networks by tier beside earlier nights, and bins of scores that stand out."""
    figures = [figure for figure in source.health.group("networks", "score") if figure.is_unusual or figure.group == "networks"]
    return _figures_table(source, numbering, "Networks and scores beside earlier nights", sorted(figures, key=lambda figure: not figure.is_unusual), "no record was kept.")


def _figures_table(source: Source, numbering: Numbering, caption: str, figures: Iterable[HealthFigure], empty: str) -> Table:
    rows = [_figure_row(source, figure) for figure in figures]
    return table(numbering, caption, "Figure | Tonight # | Usually # | Band # | State", rows, empty=empty)


def _figure_row(source: Source, figure: HealthFigure) -> tuple[Cell | str, ...]:
    band = figure.band
    state = "nothing to compare with" if band is None else ("above what is usual" if figure.value > band.high else "below what is usual") if figure.is_unusual else "usual"
    return (
        Cell(_name(source, figure), note="" if figure.group == "rows" else _GROUPS[figure.group]),
        _value(figure, figure.value),
        _value(figure, band.median) if band else "unknown",
        f"{_value(figure, band.low)} to {_value(figure, band.high)}" if band else "none",
        Cell(state, tone="strong" if figure.is_unusual else ""),
    )


def _name(source: Source, figure: HealthFigure) -> str:
    if figure.group == "hour":
        return f"{figure.name}:00 to {figure.name}:59 UTC"
    if figure.group == "score":
        return f"score from {figure.name}"
    if figure.group == "networks":
        return source.wording.word("tier", figure.name)
    return _NAMES.get(figure.name) or spaced(figure.name) if figure.group == "rows" else redact.identifier(figure.name)


def _value(figure: HealthFigure, value: float) -> str:
    return numbers.percent(value) if figure.is_share else numbers.count(round(value))


def rows_figure(source: Source, numbering: Numbering, days: Mapping[str, int]) -> Figure:
    """F-N1: rows a day, and requests by hour tonight beside what is usual."""
    anchor, label = numbering.figure()
    hours, rows = source.health.group("hour"), source.health.group("rows")[:1]
    unusual = [figure for figure in hours if figure.is_unusual]
    caption = _hours_caption(hours, unusual)
    pictures = (*_days_picture(source, rows, days, anchor), *_hours_picture(hours, anchor, caption)) if hours else ()
    cells = [(f"{figure.name}:00", _value(figure, figure.value), _band_text(figure), "unusual" if figure.is_unusual else "") for figure in hours]
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question="Did the night's data arrive whole?",
        counted=f"n = {numbers.counted(sum(int(figure.value) for figure in hours), 'requests')} of the night's day, by UTC hour; brackets are the bands.",
        left_out="Rejected rows are left out of the hours, and counted in the days.",
        pictures=pictures,
        data=unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}", "Hour, UTC | Requests # | Usually # | State", cells, empty="No data."),
        absent="" if pictures else "No figure: no record of the days was kept with this run.",
    )


def _hours_caption(hours: Sequence[HealthFigure], unusual: Sequence[HealthFigure]) -> str:
    if not any(figure.band for figure in hours):
        return "There are too few earlier days to say how many requests an hour usually has."
    if not unusual:
        return "Every hour of the night's day has about as many requests as usual."
    named = numbers.listed([f"{figure.name}:00" for figure in unusual[:5]])
    more = f" and {numbers.count(len(unusual) - 5)} more" if len(unusual) > 5 else ""
    return f"{numbers.counted(len(unusual), 'hours').capitalize()} of the night's day are unusual: {named}{more}."


def _days_picture(source: Source, rows: Sequence[HealthFigure], days: Mapping[str, int], anchor: str) -> tuple[Picture, ...]:
    if not days:
        return ()
    night, band = source.facts.night, rows[0].band if rows else None
    calendar = [(dt.date.fromisoformat(night) - dt.timedelta(days=offset)).isoformat() for offset in reversed(range(28))]
    calendar = [day for day in calendar if day >= min(days)]
    every = max(1, math.ceil(len(calendar) / 10))
    bars = [_day_bar(day, days.get(day, 0), band if day == night else None, is_named=(len(calendar) - 1 - place) % every == 0) for place, day in enumerate(calendar)]
    bars = [dataclasses.replace(bar, is_quiet=day != night) for bar, day in zip(bars, calendar, strict=True)]
    drawing = banded_bars(bars, _count_ticks(max(bar.high or bar.value for bar in bars)), f"{anchor}-days", "Rows a day", "The last bar is the night's day.")
    return (Picture("Rows a day, the night's own last, with its band", drawing),)


def _day_bar(day: str, rows: int, band: Band | None, *, is_named: bool) -> Bar:
    return Bar(day[5:] if is_named else "", rows, band.low if band else None, band.high if band else None)


def _hours_picture(hours: Sequence[HealthFigure], anchor: str, caption: str) -> tuple[Picture, ...]:
    bars = [Bar(figure.name, figure.value, figure.band.low if figure.band else None, figure.band.high if figure.band else None) for figure in hours]
    top = max(max(bar.value, bar.high or 0.0) for bar in bars)
    return (Picture("Requests by UTC hour on the night's day, with bands", banded_bars(bars, _count_ticks(top), f"{anchor}-hours", "Requests by hour", caption)),)


def _count_ticks(top: float) -> list[tuple[float, str]]:
    return [(float(tick), numbers.compact(tick)) for tick in charts.round_ticks(math.ceil(top))]


def scores_figure(source: Source, numbering: Numbering) -> Figure:
    """F-N2: how the accounts' scores lie tonight beside the nights before."""
    anchor, label = numbering.figure()
    scores = source.health.group("score")
    unusual, has_accounts = [figure for figure in scores if figure.is_unusual], any(figure.value for figure in scores)
    caption = _scores_caption(scores, unusual, source.health.compared_nights)
    cells = [(figure.name, numbers.percent(figure.value, 2), _band_text(figure), "unusual" if figure.is_unusual else "") for figure in scores]
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question="Did the detector change?",
        counted="Share of the window's accounts by the score of their own prompts for training, 0 to 1; heights are square roots, so that small shares can be seen.",
        left_out="A network is never judged by these scores alone.",
        pictures=_scores_picture(scores, anchor, caption) if has_accounts else (),
        data=unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}", "Score from | Accounts # | Usually # | State", cells, empty="No data."),
        absent="" if has_accounts else "No figure: no account has a score.",
    )


def _scores_caption(scores: Sequence[HealthFigure], unusual: Sequence[HealthFigure], nights: int) -> str:
    if not any(figure.band for figure in scores):
        return f"There are too few earlier nights ({numbers.count(nights)}) to say how scores usually lie."
    compared = f"beside {numbers.counted(nights, 'earlier nights')}"
    return (
        f"Scores lie as usual, {compared}."
        if not unusual
        else f"{numbers.counted(len(unusual), 'bins').capitalize()} of {numbers.count(len(scores))} hold an unusual share of the accounts, {compared}."
    )


def _scores_picture(scores: Sequence[HealthFigure], anchor: str, caption: str) -> tuple[Picture, ...]:
    bars = [
        Bar(figure.name if place % 2 == 0 else "", figure.value, figure.band.low if figure.band else None, figure.band.high if figure.band else None)
        for place, figure in enumerate(scores)
    ]
    ticks = [(share, numbers.percent(share)) for share in (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)]
    return (Picture("Accounts by score, with bands", banded_bars(bars, ticks, f"{anchor}-scores", "Accounts by score", caption, math.sqrt)),)


def _band_text(figure: HealthFigure) -> str:
    if figure.band is None:
        return "unknown"
    digits = 2 if figure.group == "score" else 1
    low, high = ((numbers.percent(edge, digits) if figure.is_share else numbers.count(round(edge))) for edge in (figure.band.low, figure.band.high))
    return f"{low} to {high}"


def canary_sentence(source: Source) -> str:
    """Whether planted networks were found, and when."""
    canary = source.past.canary
    if canary is None:
        return "No canary was planted: `stillhunt canary` judges simulated networks beside the log and says whether they are found."
    missed = [planted.name for planted in canary.canaries if not planted.is_found]
    stale = "" if canary.night == source.past.night else f" That is {numbers.counted((source.past.night - canary.night).days, 'days')} before this night."
    told = f"not found: {numbers.listed([spaced(name) for name in missed])}" if missed else "all of them were found"
    return f"{numbers.counted(len(canary.canaries), 'simulated networks').capitalize()} planted beside the log of {canary.night}, judged apart from it: {told}.{stale}"


def canary_table(source: Source, numbering: Numbering) -> Table:
    """What came of each planted network."""
    canary = source.past.canary
    rows = [
        (
            spaced(planted.name),
            numbers.count(planted.account_count),
            numbers.count(planted.found_count),
            source.wording.word("tier", planted.tier) if planted.tier else "in no network",
            Cell("found" if planted.is_found else "missed", tone="" if planted.is_found else "strong"),
        )
        for planted in (canary.canaries if canary else ())
    ]
    return table(numbering, "Canaries", "Planted as | Accounts # | Of them in one network # | Its tier | Outcome", rows, empty="none was planted.")
