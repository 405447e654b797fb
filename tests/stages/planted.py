"""A population of ordinary accounts with one group of each sort planted in it; a group's accounts start with its name.

carded: one operator, shared cards, addresses and wording, long answers. quiet: the same work without a card or address in common.
firm: a vouched organisation that does the same. pupil: a class behind one address, short answers. client: users of one public
client. team: one self-serve organisation. home: households with a card and a device in common. script: strangers with scripts
of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.stages.builders import Account

LONG = (1200, 3000)
CARDED, CARD_HOLDERS, QUIET, FIRM, PUPILS, CLIENTS, TEAM, HOMES = 16, 12, 14, 12, 14, 24, 8, 3


def group(name: str, count: int, **fields: Any) -> list[Account]:
    """Accounts of one group; a field may be a function of the account's number."""
    return [Account(f"{name}-{n:03d}", **{field: value(n) if isinstance(value, Callable) else value for field, value in fields.items()}) for n in range(count)]


def ordinary(people: int, scripts: int, requests: int = 40) -> list[Account]:
    """Accounts that have nothing to do with each other."""
    return group("person", people, requests=requests) + group("script", scripts, requests=requests, wording=lambda n: f"script {n}", output=(300, 2000))


def carded(count: int = CARDED, holders: int = CARD_HOLDERS) -> list[Account]:
    """One operator; the first `holders` accounts share cards, four a card."""
    cards = {"payment": lambda n: f"card {n // 4}" if n < holders else ""}
    return group("carded", count, wording="harvest", output=LONG, stack="rig", product="rig", addresses=lambda n: (f"proxy {n % 4}", f"proxy {(n + 1) % 4}"), **cards)


PLANTED = [
    *ordinary(300, 50),
    *carded(),
    *group("quiet", QUIET, wording="other", output=LONG, stack="rig two", product="rig"),
    *group("firm", FIRM, wording="firm", output=LONG, stack="firm", payment="firm", addresses=("firm",), organization="firm", vouched=True, pathway="enterprise"),
    *group("pupil", PUPILS, wording="course", output=(20, 120), addresses=("campus",), pathway="education", signup="campus", created_day=650),
    *group("client", CLIENTS, preamble="client", output=(100, 900), stack="client", product="client", system="client"),
    *group("team", TEAM, wording="team", output=LONG, stack="team", organization="team", payment="team", addresses=("office",)),
    *group("home", 2 * HOMES, payment=lambda n: f"home {n // 2}", device=lambda n: f"home {n // 2}"),
]
