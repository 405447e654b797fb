"""Which days have to be made, and from which files: a pure decision over what is listed and what is kept.

A day is made from every listed file that holds a row of it. What a file holds is exact once the file was read (the
memo), and before that the span of its timestamps, or unknown. A kept day is used when the same files would make it
again with the same settings and code. In a night's run, days that the listed files do not touch come from what is
kept; late files are added to the files that made a day before, which must then still be at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pipeline.errors import InputError

LONGEST_SPAN_DAYS = 400
"""A file whose timestamps span more is read for all its days at once."""

FileId = tuple[str, str]
"""(name below the LOGS root, sha256)."""


@dataclass(frozen=True)
class Listed:
    """One listed file, as far as planning needs it."""

    id: FileId
    path: str
    span: tuple[date, date] | None
    """First and last UTC day of its timestamps by the file's own statistics; None if they say nothing."""


@dataclass(frozen=True)
class Examined:
    """What is known of a file that was read before."""

    days: frozenset[date]
    """Days of which it holds rows, among those looked for."""
    looked_for: frozenset[date] | None
    """None: all days."""


@dataclass(frozen=True)
class Kept:
    """A kept day: the files that made it, and whether settings and code are still the same."""

    files: frozenset[FileId]
    is_current: bool


@dataclass(frozen=True)
class Plan:
    """What to make. `days` None: every day that the files hold."""

    days: frozenset[date] | None
    files: tuple[FileId, ...]
    """Files to read, in order of name: listed ones, and with late files the ones that made the day before."""


def span_days(first_us: int | None, last_us: int | None) -> tuple[date, date] | None:
    """UTC days of a span in microseconds since 1970; None if unknown or beyond the calendar."""
    if first_us is None or last_us is None:
        return None
    try:
        first, last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us) for us in (first_us, last_us))
    except OverflowError:
        return None
    return first.date(), last.date()


def plan_all(listed: Mapping[FileId, Listed], memo: Mapping[FileId, Examined], kept: Mapping[date, Kept]) -> Plan:
    """For a run over all rows: each day is made from exactly the listed files."""
    unread = frozenset(file for file, item in listed.items() if not _is_read(item, memo.get(file)))
    touched = _span_union(listed[file] for file in unread)
    if touched is None:
        return Plan(None, tuple(sorted(listed)))
    holders = _holders(listed, memo, touched)
    stale = {day for day, files in holders.items() if day in touched or day not in kept or not kept[day].is_current or kept[day].files != files}
    return Plan(frozenset(stale), tuple(sorted({file for day in stale for file in holders[day]})))


def plan_window(
    window: frozenset[date],
    listed: Mapping[FileId, Listed],
    memo: Mapping[FileId, Examined],
    kept: Mapping[date, Kept],
    paths: Mapping[FileId, str],
    deleted: frozenset[FileId] = frozenset(),
) -> Plan:
    """For a night: each day of the window that the listed files change, that a deleted file made, or that is not kept. Raises InputError if a file it needs is gone."""
    days, files = set[date](), set[FileId]()
    for day in sorted(window):
        holding = frozenset(file for file, item in listed.items() if _may_hold(item, memo.get(file), day))
        certain = all(_is_examined(memo.get(file), day) for file in holding)
        before = kept.get(day)
        if before is not None and before.is_current and certain and holding <= before.files and not before.files & deleted:
            continue
        if before is None and not holding:
            continue
        days.add(day)
        files |= holding | (_also_needed(day, holding, Kept(before.files - deleted, before.is_current), listed, paths) if before else frozenset())
    return Plan(frozenset(days), tuple(sorted(files)))


def batches(plan: Plan, spans: Mapping[FileId, tuple[date, date] | None], rows: Mapping[FileId, int], least_rows: int) -> list[Plan]:
    """The plan in parts that can be made and kept one after the other: every file in one part, every day with all its files.

    Parts follow the calendar and hold at least `least_rows` rows each (the last may hold fewer). One part if a span is unknown.
    """
    if plan.days is None or any(spans[file] is None for file in plan.files):
        return [plan]
    parts: list[list[FileId]] = []
    until: date | None = None
    held = 0
    for span, file in sorted((span, file) for file in plan.files if (span := spans[file]) is not None):
        if not parts or (until is not None and span[0] > until and held >= least_rows):
            parts.append([])
            held = 0
        parts[-1].append(file)
        held += rows[file]
        until = span[1] if until is None else max(until, span[1])
    return _with_days(plan.days, parts, spans)


def _with_days(days: frozenset[date], parts: list[list[FileId]], spans: Mapping[FileId, tuple[date, date] | None]) -> list[Plan]:
    """Each part with the asked days up to its end; the last one takes the rest."""
    plans, left = [], set(days)
    for number, files in enumerate(parts):
        end = max(span[1] for file in files if (span := spans[file]) is not None)
        mine = frozenset(day for day in left if day <= end or number == len(parts) - 1)
        left -= mine
        plans.append(Plan(mine, tuple(sorted(files))))
    return plans


def _is_read(item: Listed, known: Examined | None) -> bool:
    return known is not None and (known.looked_for is None or (item.span is not None and known.looked_for.issuperset(_days_of(item.span))))


def _span_union(items: Iterable[Listed]) -> frozenset[date] | None:
    """Days that the spans cover; None if one is unknown or too long to be worth walking."""
    days = set[date]()
    for item in items:
        if item.span is None or (item.span[1] - item.span[0]).days > LONGEST_SPAN_DAYS:
            return None
        days.update(_days_of(item.span))
    return frozenset(days)


def _days_of(span: tuple[date, date]) -> list[date]:
    return [span[0] + timedelta(days=offset) for offset in range((span[1] - span[0]).days + 1)]


def _holders(listed: Mapping[FileId, Listed], memo: Mapping[FileId, Examined], touched: frozenset[date]) -> dict[date, frozenset[FileId]]:
    known = {day for file in listed if file in memo for day in memo[file].days}
    return {day: frozenset(file for file, item in listed.items() if _may_hold(item, memo.get(file), day)) for day in known | touched}


def _is_examined(known: Examined | None, day: date) -> bool:
    return known is not None and (known.looked_for is None or day in known.looked_for)


def _may_hold(item: Listed, known: Examined | None, day: date) -> bool:
    if _is_examined(known, day):
        return known is not None and day in known.days
    return item.span is None or item.span[0] <= day <= item.span[1]


def _also_needed(day: date, holding: frozenset[FileId], before: Kept, listed: Mapping[FileId, Listed], paths: Mapping[FileId, str]) -> frozenset[FileId]:
    """Files that made the day before and are neither listed nor replaced by a listed one at the same place."""
    places = {item.path for item in listed.values()}
    older = frozenset(file for file in before.files - holding if file not in listed and paths.get(file) not in places)
    names = {file[0] for file in holding}
    for file in sorted(older):
        if file not in paths or file[0] in names:
            raise InputError(
                f"day {day}: rows of it stand in {', '.join(sorted(names)) or 'no listed file'} and in {file[0]}, read earlier from another folder. "
                f"Name the folder above both as LOGS."
            )
    return older


def together(rows: Mapping[date, int], most: int) -> list[list[date]]:
    """The days in their order, in groups of at most `most` rows; a day of more is a group of its own."""
    groups: list[list[date]] = []
    held = 0
    for day, count in rows.items():
        if not groups or held + count > most:
            groups.append([])
            held = 0
        groups[-1].append(day)
        held += count
    return groups
