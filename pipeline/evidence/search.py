"""Networks searched by what is known of them: `bits:>=20 accounts:>=20 new:7d`.

A search is terms with a space between them, all of which must hold. A term is field:value, with a minus before it for its opposite. Numbers and days compare
(`>`, `>=`, `<`, `<=`, `=`, `A..B`), words are equal whatever their case, with `*` for any text and commas between alternatives. What is not known never
compares; `field:none` finds it. `FIELDS` is the one table of fields.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from pipeline import redact
from pipeline.errors import UsageError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.names import queue

Row = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """Something a network can be searched and sorted by: the column it is read from, and what it means."""

    name: str
    kind: Literal["number", "days", "day", "word"]
    column: str
    meaning: str


FIELDS = (
    Field("id", "word", "network_id", "the network's id"),
    Field("tier", "word", "tier", "refer, watch or explained"),
    Field("bits", "number", "weighed_bits", "evidence for one operator, in bits (median member); none where links are not weighed"),
    Field("extraction", "number", "extraction_bits", "evidence that the traffic is training-shaped, in bits"),
    Field("q", "number", "q_value", "share of false networks expected among those with this q or less"),
    Field("accounts", "number", "account_count", "members"),
    Field("core", "number", "core_count", "members with role core"),
    Field("entities", "number", "entity_count", "members, each vouched organisation counted once"),
    Field("requests", "number", "request_count", "requests of the members in the window"),
    Field("tokens", "number", "token_count", "input and output tokens of the members in the window"),
    Field("output", "number", "output_tokens", "their output tokens"),
    Field("new", "days", "age_days", "days from the night it was first seen to the run's night; new:7d is at most 7"),
    Field("event", "word", "events", "what lineage says of this night: new, grown, shrunk, merged, split, returned"),
    Field("first", "day", "first_day", "UTC day of its first request in the window"),
    Field("last", "day", "last_day", "UTC day of its last"),
    Field("alternative", "word", "best_alternative", "the innocent explanation that fits best"),
    Field("margin", "number", "alternative_margin_bits", "bits that it leaves unexplained"),
    Field("family", "word", "families", "a family of evidence whose rare facts cover most of the network"),
    Field("level", "word", "attribution_level", "L0 to L3"),
    Field("reason", "word", "reason", "machine word for why it has its tier"),
)
_BY_NAME = {field.name: field for field in FIELDS}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_DAYS = {"": 1, "d": 1, "w": 7}


@dataclass(frozen=True)
class Term:
    """One condition: a field, whether it must fail, and the test of a value that is known."""

    field: Field
    is_opposite: bool
    holds: Callable[[Any], bool]

    def __call__(self, row: Row) -> bool:
        """Whether the row passes."""
        return self.holds(row[self.field.column]) != self.is_opposite


def searchable(run: FinishedRun) -> list[Row]:
    """The networks of a run in the order of the queue, with tokens, first night, age, events of this night and covering families beside their own columns."""
    rows = queue(run)
    night = dt.date.fromisoformat(run.manifest()["night"])
    tokens, first, events, families = _tokens(run), _first_nights(run), _events(run, night), _families(run)
    weighed = frozenset(run.columns("network_families", "network_id")["network_id"])
    return [
        _known(row, tokens.get(name, (None, None)), first.get(name), night)
        | {"events": events.get(name, []), "families": families.get(name, []), "weighed_bits": row["coordination_bits"] if name in weighed or row["coordination_bits"] else None}
        for row in rows
        for name in (row["network_id"],)
    ]


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a search. Raises UsageError that quotes the term and says what would be right."""
    return tuple(_term(word) for word in text.split())


def parse_sort(text: str) -> tuple[Field, bool]:
    """`tokens-desc` as (field, whether the largest comes first); without a direction numbers begin with the largest, all else with the smallest. Raises UsageError."""
    name, _, direction = text.rpartition("-") if text.endswith(("-asc", "-desc")) else (text, "", "")
    field = _field(name, f"--sort {text}")
    return field, direction == "desc" if direction else field.kind == "number"


def sort(rows: Sequence[Row], field: Field, *, largest_first: bool) -> list[Row]:
    """By the field; unknown values last, ties in the order given."""
    known = [row for row in rows if row[field.column] not in (None, [])]
    unknown = [row for row in rows if row[field.column] in (None, [])]
    return [*sorted(known, key=lambda row: _key(row[field.column]), reverse=largest_first), *unknown]


def field_lines() -> list[tuple[str, str, str]]:
    """(field, what its values are, meaning), in the order of the table."""
    words = {"number": "number", "days": "days, as 7d or 2w", "day": "day, as 2026-05-01", "word": "word"}
    return [(field.name, words[field.kind], field.meaning) for field in FIELDS]


def _key(value: Any) -> Any:
    return ",".join(value) if isinstance(value, list) else value


def _field(name: str, term: str) -> Field:
    import difflib

    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"'{redact.for_cell(term)}': networks have no field '{redact.for_cell(name)}'.{hint} Fields: {', '.join(_BY_NAME)}.")


def _term(word: str) -> Term:
    body = word.removeprefix("-")
    name, colon, value = body.partition(":")
    if not colon or not name or not value:
        raise UsageError(f"'{redact.for_cell(word)}' is no term of a search. Write field:value, as in bits:>=20 or tier:refer,watch.")
    field = _field(name, word)
    if value == "none":
        return Term(field, word != body, lambda found: found in (None, [], "none"))
    test = _word_test(value) if field.kind == "word" else _number_test(field, value, word)
    return Term(field, word != body, test)


def _word_test(value: str) -> Callable[[Any], bool]:
    patterns = [part.lower() for part in value.removeprefix("=").split(",") if part]

    def holds(found: Any) -> bool:
        words = found if isinstance(found, list) else [found] if found is not None else []
        return any(fnmatch.fnmatchcase(word.lower(), pattern) for word in words for pattern in patterns)

    return holds


def _number_test(field: Field, value: str, word: str) -> Callable[[Any], bool]:
    low, dots, high = value.partition("..")
    if dots:
        least, most = _value(field, low, word) if low else None, _value(field, high, word) if high else None
        return lambda found: found is not None and (least is None or found >= least) and (most is None or found <= most)
    sign = next((sign for sign in _COMPARE if value.startswith(sign)), "")
    compare = _COMPARE[sign or ("<=" if field.kind == "days" else "=")]
    wanted = _value(field, value.removeprefix(sign), word)
    return lambda found: found is not None and compare(found, wanted)


def _value(field: Field, text: str, word: str) -> Any:
    try:
        if field.kind == "day":
            return dt.date.fromisoformat(text)
        scales = _DAYS if field.kind == "days" else _SCALE
        found = re.fullmatch(r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)([a-z]?)", text.lower())
        return float(found[1]) * scales[found[2]] if found else _wrong(field, text, word)
    except (ValueError, KeyError):
        return _wrong(field, text, word)


def _wrong(field: Field, text: str, word: str) -> Any:
    right = {"number": "a number, as in 20, 1.5k or 3M", "days": "a number of days, as in 7d or 2w", "day": "a day, as in 2026-05-01"}[field.kind]
    raise UsageError(
        f"'{redact.for_cell(word)}': '{redact.for_cell(text)}' is not what {field.name} takes. Write {right}; before it may stand >=, >, <=, < or =, between two '..'."
    )


def _known(row: Row, tokens: tuple[int | None, int | None], first: dt.date | None, night: dt.date) -> Row:
    days = {f"{end}_day": row[f"{end}_seen_at"].date() if row[f"{end}_seen_at"] else None for end in ("first", "last")}
    return {**row, "token_count": tokens[0], "output_tokens": tokens[1], "first_night": first, "age_days": (night - first).days if first else None, **days}


def _tokens(run: FinishedRun) -> dict[str, tuple[int, int]]:
    both = pl.col("input_tokens") + pl.col("output_tokens")
    accounts = run.columns("accounts", "network_id", "input_tokens", "output_tokens").drop_nulls("network_id")
    summed = accounts.group_by("network_id").agg(both.sum(), pl.col("output_tokens").sum())
    return {name: (int(total), int(output)) for name, total, output in summed.select("network_id", "input_tokens", "output_tokens").iter_rows()}


def _first_nights(run: FinishedRun) -> dict[str, dt.date]:
    return dict(run.table("lineage").group_by("network_id").agg(pl.col("night").min()).iter_rows())


def _events(run: FinishedRun, night: dt.date) -> dict[str, list[str]]:
    tonight = run.table("lineage").filter(pl.col("night") == night).group_by("network_id").agg(pl.col("event").unique().sort())
    return dict(tonight.iter_rows())


def _families(run: FinishedRun) -> dict[str, list[str]]:
    opened = run.table("network_families").filter(pl.col("admitted")).group_by("network_id").agg(pl.col("family").sort())
    return dict(opened.iter_rows())
