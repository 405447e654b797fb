"""All members of a network beside its page: further pages of as many rows each, and one file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import polars as pl

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.assessment import unweighed_sentence
from pipeline.pages.network_tables import listed_members, ordered_members
from pipeline.pages.pieces import Numbering, page_name
from pipeline.pages.run_facts import page_head
from pipeline.pages.source import Row, Source
from pipeline.pages.working.records import MemberPages, MembersPage
from pipeline.pages.working.what_if import Judged
from pipeline.pages.working.wording import say

PAGES = 10
"""Pages of members, the network's own among them; who stands on none is in the file."""
_TEXTS = ("account_id", "role", "strongest_account_id", "strongest_kind")
_COLUMNS = ("account_id", "role", "membership", "bits", "request_count", "extraction_score", "strongest_account_id", "strongest_bits", "strongest_kind")
_UNWEIGHED = ("role", "membership", "bits", "strongest_account_id", "strongest_bits", "strongest_kind")


def csv_name(network_id: str) -> str:
    """`networks/<network_id>-members.csv`. Raises ValueError for an id that is not safe in a file name."""
    return f"{page_name(network_id).removesuffix('.html')}-members.csv"


def _page_file(network_id: str, number: int) -> str:
    return f"{page_name(network_id).removesuffix('.html')}-members-{number}.html"


def _beside(name: str) -> str:
    return name.removeprefix("networks/")


def _stretches(source: Source, network_id: str) -> list[tuple[int, int]]:
    """First and one past the last member of each page, the network's own first."""
    count, rows = source.of_network("members", network_id).height, source.config.pages.member_rows
    return [(first, min(first + rows, count)) for first in range(0, min(count, PAGES * rows), rows)]


def member_pages(source: Source, network_id: str) -> MemberPages:
    """Links to every page of members and to the file."""
    count, stretches = source.of_network("members", network_id).height, _stretches(source, network_id)
    links = [(_label(*stretch), _beside(page_name(network_id) if place == 1 else _page_file(network_id, place))) for place, stretch in enumerate(stretches, start=1)]
    listed = stretches[-1][1] if stretches else 0
    said = say("members", "rest", rest=numbers.counted(count - listed, "members")) if count > listed else ""
    return MemberPages(tuple(links) if len(links) > 1 else (), said, _beside(csv_name(network_id)), say("members", "csv", all=numbers.counted(count, "members")))


def _label(first: int, end: int) -> str:
    return f"{numbers.count(first + 1)} to {numbers.count(end)}"


def members_pages(source: Source, network: Row) -> Iterator[tuple[str, MembersPage]]:
    """(file, record) of each page of members but the network's own."""
    network_id = network["network_id"]
    stretches = _stretches(source, network_id)[1:]
    if not stretches:
        return
    members, weighed = ordered_members(source, network_id), not unweighed_sentence(source, network)
    links, shown = member_pages(source, network_id), redact.identifier(network_id)
    for number, (first, end) in enumerate(stretches, start=2):
        heading = say("members", "heading", first=numbers.count(first + 1), last=numbers.count(end), all=numbers.count(members.height))
        yield (
            _page_file(network_id, number),
            MembersPage(
                head=page_head(source.facts, f"{heading} of {shown}", f"{heading} of the suspected proxy network {shown}."),
                network_id=shown,
                heading=heading,
                network_file=_beside(page_name(network_id)),
                said=say("members", "said"),
                members=listed_members(source, members.slice(first, end - first), Numbering(), heading, "", weighed=weighed),
                pages=links,
                here=_label(first, end),
            ),
        )


def members_csv(source: Source, network: Row, judged: Sequence[Judged]) -> bytes:
    """Every member in the order of the pages, UTF-8: the columns of the table of members, and whether links still join it under each set of thresholds."""
    members, weighed = ordered_members(source, network["network_id"]), not unweighed_sentence(source, network)
    columns = [_cells(members, name, blank=not weighed and name in _UNWEIGHED) for name in _COLUMNS]
    columns += [["yes" if account in one.joined else "no" for account in members["account_id"]] for one in judged]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *(f"joined_{one.setting.name}" for one in judged)])
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8")


def _cells(members: pl.DataFrame, name: str, *, blank: bool) -> list[str]:
    if blank:
        return [""] * members.height
    values = members[name].to_list()
    if name in _TEXTS:
        shown = {value: redact.for_csv(value) for value in set(values) if value is not None}
        return [shown.get(value, "") for value in values]
    return ["" if value is None else repr(value) for value in values]
