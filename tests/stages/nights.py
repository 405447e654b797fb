"""One night of stage 80 out of letters: which accounts form which networks, who sends, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from pipeline import schema
from pipeline.config import load_config
from pipeline.kinds import kind_table
from pipeline.run.execute import empty
from pipeline.stages.lineage import lineage

CONFIG = load_config()
START = date(2026, 5, 1)
State = dict[str, pl.DataFrame]
Held = Mapping[tuple[str, int], str]
"""(kind, value) -> letters of its holders in the window."""
FAMILIES = dict(kind_table(CONFIG.links).select("kind", "family").iter_rows())


def micros(number: int) -> int:
    """The end of a night, microseconds since 1970 UTC."""
    return ((START - date(1970, 1, 1)).days + number + 1) * 86_400_000_000 - 1


def shared_values(held: Held) -> pl.DataFrame:
    """Rows of shared_values: every holder is its own entity."""
    rows = [(kind, value, ord(one), ord(one), FAMILIES[kind], 1.0, len(holders), len(holders), 0) for (kind, value), holders in held.items() for one in holders]
    return empty(schema.SHARED_VALUES) if not rows else pl.DataFrame(rows, schema=empty(schema.SHARED_VALUES).schema, orient="row")


def night(
    number: int,
    networks: Mapping[str, str],
    before: State | None = None,
    *,
    previous: int | None = None,
    replaces: State | None = None,
    said: State | None = None,
    tiers: Mapping[str, str] | None = None,
    held: Held | None = None,
    spans: Mapping[str, tuple[int, int]] | None = None,
    strangers: int = 0,
) -> State:
    """Run one night. `networks` maps a provisional id to member letters; an account sends from the first night of its span to the last (all the time if it has none).

    `replaces` is what the last night published, `said` what this night itself did, if that is another.
    """
    members = [(account, name) for name, accounts in networks.items() for account in accounts]
    letters, homes = sorted({account for account, _ in members} | set(spans or {})), dict(members)
    times = [(micros(first - 1) + 1, micros(last)) for first, last in ((spans or {}).get(letter, (0, number)) for letter in letters)]
    told = [(name, (tiers or {}).get(name, "watch"), len(accounts)) for name, accounts in networks.items()]
    people = [ord(letter) for letter in letters] + [10_000 + at for at in range(strangers)]
    inputs = {
        "members": pl.DataFrame(members, schema={"account_id": pl.String, "network_id": pl.String}, orient="row"),
        "networks": pl.DataFrame(told, schema={"network_id": pl.String, "tier": pl.String, "entity_count": pl.Int64}, orient="row"),
        "accounts": pl.DataFrame(
            [(letter, ord(letter), homes.get(letter), *span) for letter, span in zip(letters, times, strict=True)],
            schema={"account_id": pl.String, "account_key": pl.Int64, "network_id": pl.String, "first_us": pl.Int64, "last_us": pl.Int64},
            orient="row",
        ),
        "account_records": _records(people),
        "shared_values": shared_values(held or {}),
        "kinds": kind_table(CONFIG.links),
        "night": pl.DataFrame({"night": [day(number)], "previous_night": [_previous(number, before, previous)]}, schema_overrides={"previous_night": pl.Date}),
        **_left(before, {"earlier_networks": "known_networks", "earlier_values": "known_values", "earlier_lineage": "lineage", "earlier_returns": "returned_values"}),
        **_left(replaces, {"published_networks": "known_networks", "published_lineage": "lineage"}),
        **_left(said or replaces, {"published_tonight": "known_networks"}),
    }
    return lineage(inputs, CONFIG)


def _records(people: list[int]) -> pl.DataFrame:
    types = {"account_key": pl.Int64, "is_vouched": pl.Boolean, "organization_key": pl.Int64}
    return pl.DataFrame([(key, False, None) for key in people], schema=types, orient="row")


def day(number: int) -> date:
    """The date of a night."""
    return START + timedelta(days=number)


def _previous(number: int, before: State | None, previous: int | None) -> date | None:
    return None if before is None else day(number - 1 if previous is None else previous)


def _left(state: State | None, names: Mapping[str, str]) -> State:
    tables = {table.name: table for table in vars(schema).values() if isinstance(table, schema.Table)}
    return {name: state[source] if state else empty(tables[source]) for name, source in names.items()}


def ids(state: State) -> dict[str, str]:
    """Provisional id -> lasting id."""
    return dict(state["network_ids"].iter_rows())


def events(state: State, number: int, *, superseded: bool = False) -> list[tuple[str, str, str | None, int]]:
    """Lines of one night, sorted."""
    lines = state["lineage"].filter((pl.col("night") == day(number)) & (pl.col("is_superseded") == superseded))
    return sorted(lines.select("network_id", "event", "other_id", "account_count").rows())
