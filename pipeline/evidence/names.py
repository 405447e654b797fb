"""What an analyst types for a network or an account, and which one it is.

An id as the run has it always wins. `@3` is the third network of the queue that `networks` prints, `@3.2` the second of its members as `show` lists
them. What fits nothing is an InputError that names the nearest ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from pipeline import redact
from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun

TIERS = ("refer", "watch", "explained")
_PLACE = re.compile(r"@(\d{1,6})(?:\.(\d{1,6}))?")
_LOOKED_AT, _ALIKE = 200, 0.75
"""Ids that are compared letter by letter at most, and how much of the letters must agree."""

Row = dict[str, Any]


def queue(run: FinishedRun) -> list[Row]:
    """Networks of the run, gravest first: by tier, by bits on both axes together, by id."""
    rows = run.table("networks").rows(named=True)
    return sorted(rows, key=lambda row: (TIERS.index(row["tier"]), -((row["coordination_bits"] or 0.0) + (row["extraction_bits"] or 0.0)), row["network_id"]))


def ranked_members(run: FinishedRun, network_id: str) -> pl.DataFrame:
    """Members of a network, those with most bits first, ties by id."""
    return run.where("members", network_id=network_id).sort(["bits", "account_id"], descending=[True, False], nulls_last=True)


def find(run: FinishedRun, name: str) -> tuple[str, Row]:
    """('network' or 'account', its row). Raises InputError."""
    network = run.where("networks", network_id=name).rows(named=True)
    if network:
        return "network", network[0]
    account = run.where("accounts", account_id=name).rows(named=True)
    if account:
        return "account", account[0]
    place = _PLACE.fullmatch(name)
    if place:
        return ("account", _member(run, name, int(place[1]), int(place[2]))) if place[2] else ("network", _queued(run, name, int(place[1])))
    known = [*run.table("networks")["network_id"].to_list(), *_account_ids(run)]
    raise InputError(f"'{redact.for_cell(name)}' is neither a network nor an account of {_where(run)}.{hint(name, known)} See: stillhunt networks --out {run.out}")


def find_account(run: FinishedRun, name: str) -> Row:
    """The row of an account. Raises InputError."""
    account = run.where("accounts", account_id=name).rows(named=True)
    if account:
        return account[0]
    place = _PLACE.fullmatch(name)
    if place and place[2]:
        return _member(run, name, int(place[1]), int(place[2]))
    raise InputError(f"'{redact.for_cell(name)}' is no account of {_where(run)}.{hint(name, _account_ids(run))} See: stillhunt networks --out {run.out}")


def find_network(run: FinishedRun, name: str) -> Row:
    """The row of a network. Raises InputError."""
    network = run.where("networks", network_id=name).rows(named=True)
    if network:
        return network[0]
    place = _PLACE.fullmatch(name)
    if place and not place[2]:
        return _queued(run, name, int(place[1]))
    known = run.table("networks")["network_id"].to_list()
    raise InputError(f"'{redact.for_cell(name)}' is no network of {_where(run)}.{hint(name, known)} See: stillhunt networks --out {run.out}")


def hint(name: str, known: Iterable[str]) -> str:
    """` Did you mean A or B?`, or '' if nothing is near."""
    near = [redact.for_cell(one) for one in nearest(name, known)]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def nearest(name: str, known: Iterable[str], count: int = 2) -> list[str]:
    """The known names most like one, best first; none that is not much like it.

    Two slips of the hand leave one third of a name whole. Of names that hold such a third the `_LOOKED_AT` with most in common at their two ends are compared.
    """
    import difflib

    third = max(1, len(name) // 3)
    pieces = {piece for piece in (name[:third], name[third : 2 * third], name[2 * third :]) if piece}
    likely = [one for one in known if abs(len(one) - len(name)) <= max(2, third) and any(piece in one for piece in pieces)]
    ends = {one: _common(one, name) for one in likely}
    likely.sort(key=lambda one: (-ends[one], abs(len(one) - len(name)), one))
    looked_at = likely[:_LOOKED_AT]
    alike = {one: max(difflib.SequenceMatcher(None, one, name, autojunk=False).ratio(), ends[one] / max(len(one), len(name), 1)) for one in looked_at}
    looked_at.sort(key=lambda one: (-round(alike[one], 6), -ends[one], one))
    return [one for one in looked_at if alike[one] >= _ALIKE][:count]


def _common(one: str, other: str) -> int:
    """Length of the common beginning and the common end together."""
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    end = next((at for at, (a, b) in enumerate(zip(reversed(one), reversed(other), strict=False)) if a != b), min(len(one), len(other)))
    return start + end


def _account_ids(run: FinishedRun) -> list[str]:
    return run.columns("accounts", "account_id")["account_id"].to_list()


def _where(run: FinishedRun) -> str:
    return f"the latest run in {run.out}"


def _queued(run: FinishedRun, name: str, number: int) -> Row:
    rows = queue(run)
    if not 1 <= number <= len(rows):
        raise InputError(f"{name}: {_where(run)} has {len(rows)} networks. See: stillhunt networks --out {run.out}")
    return rows[number - 1]


def _member(run: FinishedRun, name: str, number: int, place: int) -> Row:
    network = _queued(run, name, number)["network_id"]
    members = ranked_members(run, network)["account_id"].to_list()
    if not 1 <= place <= len(members):
        raise InputError(f"{name}: network {network} has {len(members)} members. See: stillhunt show {network} --out {run.out}")
    return run.where("accounts", account_id=members[place - 1]).row(0, named=True)
