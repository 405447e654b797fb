"""Public clients: which products are, what they put in front of prompts, and that it links nobody while a campaign among their users is still found."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import polars as pl
import pytest

from pipeline.stages.preambles import LISTED, preambles
from pipeline.stages.public_clients import public_clients
from tests.stages.builders import CONFIG, Account, Frames, empty, frame, key, run, world
from tests.stages.planted import LONG, group, ordinary

PEOPLE = [*ordinary(180, 20, requests=24)]
USERS, HARNESS = 36, 20
ENTITIES = CONFIG.verdict.public_client_entities
KIT = {"product": "kit", "stack": "kit", "preamble": "kit", "system": "kit"}


def _campaign(name: str, count: int, **fields: Any) -> list[Account]:
    """One operator: four accounts a card, a few addresses, one template, one pool of work."""
    cards = {"payment": lambda n: f"{name} card {n // 4}", "addresses": lambda n: (f"{name} proxy {n % 3}", f"{name} proxy {(n + 1) % 3}")}
    return group(name, count, **{"wording": name, "output": LONG, **cards, **fields})


def _judged(*groups: list[Account]) -> Frames:
    return run(world([*PEOPLE, *(account for accounts in groups for account in accounts)]))


def _public(tables: Frames, product: str) -> bool:
    (found,) = tables["public_clients"].filter(pl.col("product") == key("product", product))["is_public"]
    return bool(found)


def _members(tables: Frames, name: str) -> list[tuple[str, str]]:
    """Members of networks that hold an account of the group, each with its network's tier."""
    networks = tables["members"].filter(pl.col("account_id").str.starts_with(name)).select("network_id").unique().join(tables["networks"], on="network_id")
    return sorted(tables["members"].join(networks, on="network_id").select("account_id", "tier").iter_rows())


def _wording(name: str) -> set[int]:
    return {key("wording", name, n) >> 31 for n in range(14)}


@pytest.fixture(scope="module")
def crowd() -> Frames:
    """A public client of 36 strangers and of a campaign of 12."""
    return _judged(group("user", USERS, requests=30, **KIT), _campaign("harvest", 12, **KIT))


def test_a_client_of_strangers_is_public_and_its_preamble_is_one_row(crowd: Frames) -> None:
    assert _public(crowd, "kit")
    (row,) = crowd["preambles"].filter("is_client").iter_rows(named=True)
    assert (row["words"], row["prefix_key"], row["opening_key"]) == (32, key("prefix", "kit", 32), key("prefix", "kit", 8))
    assert (row["holder_count"], row["user_count"], row["held_share"], row["inside_share"]) == (48, 48, 1.0, 1.0)
    assert crowd["prompt_preambles"]["preamble_words"].unique().to_list() == [32]


def test_what_the_client_brings_carries_no_bits(crowd: Frames) -> None:
    wording = crowd["client_wording"]
    assert set(wording.filter(pl.col("kind") == "template")["value_key"]) == _wording("kit")
    assert wording.filter(pl.col("kind") == "system")["value_key"].to_list() == [key("system", "kit")]
    assert not crowd["habits"]["shingle"].is_in(list(_wording("kit"))).any()
    assert crowd["shared_values"].filter(pl.col("kind") == "system").height == 0
    assert crowd["links"].filter(pl.col("account_a").str.starts_with("user") | pl.col("account_b").str.starts_with("user")).height == 0


def test_a_campaign_among_the_clients_users_is_found_as_if_it_used_another(crowd: Frames) -> None:
    elsewhere = _judged(group("user", USERS, requests=30, **KIT), _campaign("harvest", 12))
    found = _members(crowd, "harvest")
    assert len(found) == 12
    assert {tier for _, tier in found} == {"refer"}
    assert found == _members(elsewhere, "harvest")


def test_own_text_is_measured_without_the_preamble(crowd: Frames) -> None:
    accounts = crowd["accounts"].select("account_id", "own_words_median", "client_preamble_share")
    users, others = (accounts.filter(pl.col("account_id").str.starts_with(name)) for name in ("user", "person"))
    assert set(users.select("own_words_median", "client_preamble_share").iter_rows()) == {(70 - 32, 1.0)}
    assert set(others.select("own_words_median", "client_preamble_share").iter_rows()) == {(70, 0.0)}


@pytest.mark.parametrize("outsiders", [0, 4], ids=["alone", "with outsiders"])
def test_an_operators_own_harness_is_not_public_and_its_template_keeps_its_bits(outsiders: int) -> None:
    rig = {"product": "rig", "stack": "rig", "preamble": "rig"}
    tables = _judged(_campaign("harvest", HARNESS, **rig), group("outsider", outsiders, requests=30, **rig))
    assert not _public(tables, "rig")
    assert tables["client_wording"].height == 0
    assert not tables["preambles"]["is_client"].any()
    assert _wording("rig") | _wording("harvest") <= set(tables["habits"]["shingle"])
    found = _members(tables, "harvest")
    assert [name for name, _ in found if name.startswith("harvest")] == [f"harvest-{n:03d}" for n in range(HARNESS)]
    assert {tier for _, tier in found} == {"refer"}


def test_strangers_chats_sold_on_through_a_harness_do_not_launder_its_template() -> None:
    """Half of each account's prompts are somebody's own and unlike all others; the templated half still draws on one pool."""
    rig = {"product": "rig", "stack": "rig", "requests": 60}
    tables = _judged(_campaign("harvest", HARNESS, templated_share=0.5, **rig))
    assert not _public(tables, "rig")
    assert _wording("harvest") <= set(tables["habits"]["shingle"])
    apart = _judged(group("harvest", HARNESS, wording=lambda n: f"own {n}", templated_share=0.5, **rig))  # the same without a template in common
    assert _public(apart, "rig")


def test_a_harness_with_many_outsiders_keeps_its_template_whatever_the_product_is() -> None:
    rig = {"product": "rig", "stack": "rig"}
    tables = _judged(_campaign("harvest", HARNESS, **rig), group("outsider", 14, requests=30, **rig))
    assert tables["client_wording"].height == 0
    assert _wording("harvest") <= set(tables["habits"]["shingle"])
    assert len([name for name, _ in _members(tables, "harvest") if name.startswith("harvest")]) == HARNESS


def test_a_client_of_too_few_users_is_not_listed() -> None:
    tables = _judged(group("user", ENTITIES - 1, requests=30, **KIT))
    assert tables["public_clients"].filter(pl.col("product") == key("product", "kit")).height == 0
    assert tables["client_wording"].height == 0


def test_users_with_too_few_prompts_to_compare_leave_a_client_not_public() -> None:
    tables = _judged(group("user", USERS, requests=2 * CONFIG.verdict.topic_min_prompts - 1, **KIT))
    (row,) = tables["public_clients"].filter(pl.col("product") == key("product", "kit")).iter_rows(named=True)
    assert (row["entity_count"], row["tested_count"], row["is_public"], row["likeness_ratio"]) == (USERS, 0, False, None)


def _leads(holders: dict[int, list[int]], ladders: dict[int, list[int]], public: bool = True) -> Frames:
    """What the stage of preambles reads: accounts 1 .. 40, the first 25 of which use product 7; `holders` of each prefix, each with three prompts."""
    given = {
        "account_records": [{"account_key": n} for n in range(1, 41)],
        "sample_counts": [{"account_key": n, "shingled_count": 5} for n in range(1, 41)],
        "products": [{"account_key": n, "value_key": 7} for n in range(1, 26)],
        "public_clients": [{"product": 7, "is_public": public}],
        "leads": [{"prefix_key": prefix, "account_key": n, "document_count": 3} for prefix, accounts in holders.items() for n in accounts],
        "lead_ladders": [{"prefix_key": prefix, "prefixes": ladder} for prefix, ladder in ladders.items()],
    }
    return {name: frame(name, rows) if rows else empty(name) for name, rows in given.items()}


def _mined(*args: Any, **fields: Any) -> dict[int, dict[str, Any]]:
    return {row["prefix_key"]: row for row in preambles(_leads(*args, **fields), CONFIG)["preambles"].iter_rows(named=True)}


def test_of_a_ladder_the_longest_rung_that_keeps_the_holders_is_listed() -> None:
    ladder = [10, 20, 30, 40]
    found = _mined({10: [1, 2, 3], 20: [1, 2, 3], 30: [1, 2], 40: [1, 2]}, dict.fromkeys((10, 20, 30, 40), ladder))
    assert {key: (row["words"], row["holder_count"], row["sample_count"]) for key, row in found.items()} == {20: (16, 3, 9), 40: (64, 2, 6)}
    assert {row["opening_key"] for row in found.values()} == {10}


@pytest.mark.parametrize(("users", "others", "public", "is_client"), [(20, 5, True, True), (19, 0, True, False), (20, 6, True, False), (20, 5, False, False)])
def test_a_leading_text_is_a_clients_if_nearly_all_users_hold_it_and_nearly_all_holders_are_users(users: int, others: int, public: bool, is_client: bool) -> None:
    row = _mined({10: [*range(1, users + 1), *range(26, 26 + others)]}, {10: [10]}, public=public)[10]
    assert (row["is_client"], row["product_holders"], row["user_count"], row["holder_count"]) == (is_client, users, 25, users + others)


def test_a_clients_preamble_is_one_row_though_a_few_stop_short_of_its_last_rung() -> None:
    found = _mined({10: list(range(1, 26)), 20: list(range(1, 24))}, {10: [10, 20], 20: [10, 20]})
    assert list(found) == [20]
    assert found[20]["is_client"]


def test_a_leading_text_of_accounts_without_a_client_is_listed_without_one() -> None:
    row = _mined({10: [30, 31]}, {10: [10]})[10]
    assert (row["product"], row["held_share"], row["is_client"]) == (None, None, False)


def test_the_table_of_leading_texts_is_bounded_and_clients_come_first() -> None:
    many = {n: [26, 27, 28] for n in range(100, 100 + LISTED)}
    found = _mined({**many, 10: list(range(1, 26))}, {n: [n] for n in (10, *many)})
    assert len(found) == LISTED
    assert found[10]["is_client"]


def _words(pools: dict[int, int], levels: dict[int, int]) -> Frames:
    """What the stage of public clients reads: users of one product, each with the pool that its prompts draw words from and how much of the hash range they show; and strangers."""
    strangers = {n + 500: n + 500 for n in range(60)}
    rows = []
    for account, pool in (pools | strangers).items():
        for half in (0, 1):
            draw = random.Random(f"{account} {half}")
            words = Counter(key("word", pool, draw.randrange(60)) % 2**28 for _ in range(60))
            rows += [{"account_key": account, "half": half, "token": token, "document_count": count, "document_total": 30} for token, count in words.items()]
    given = {
        "topic_words": rows,
        "account_records": [{"account_key": account} for account in pools | strangers],
        "products": [{"account_key": account, "value_key": 7} for account in pools],
        "reaches": [{"account_key": account, "levels": level} for account, level in levels.items()],
    }
    return {name: frame(name, table) for name, table in given.items()}


@pytest.mark.parametrize(("own_pool", "judged"), [(False, 64), (True, 20)])
def test_wording_that_only_one_operators_short_prompts_show_is_not_judged_by_the_crowd(own_pool: bool, judged: int) -> None:
    """Twelve of fifty users write short prompts: strangers like all others, or one operator's accounts."""
    pools = {n: 1 if own_pool and n <= 12 else n for n in range(1, 51)}
    (row,) = public_clients(_words(pools, {n: 64 if n <= 12 else 20 for n in pools}), CONFIG)["public_clients"].iter_rows(named=True)
    assert row["is_public"]
    assert row["levels"] == judged


def test_a_product_that_is_not_public_is_judged_for_nothing() -> None:
    (row,) = public_clients(_words(dict.fromkeys(range(1, 51), 1), dict.fromkeys(range(1, 51), 64)), CONFIG)["public_clients"].iter_rows(named=True)
    assert (row["is_public"], row["levels"]) == (False, -1)
    assert row["likeness_ratio"] > row["threshold_ratio"]
