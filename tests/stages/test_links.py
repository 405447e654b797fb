"""From records, entities and samples to links: the SQL files against plain Python and against the pair scorer, on small random worlds."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.engines.duckdb import DuckEngine
from pipeline.kinds import kind_table, kinds
from pipeline.stages.population import population
from tests.stages.builders import CONFIG, DAY_US, START_US, Frames, _sql, empty, engine, frame, key, python_stage, settings_of, shuffled, stage_named, streamed

RECORD_KINDS = {"payment": "payment_key", "device": "device_key", "email": "email_key", "phone": "phone_key", "signup_ip": "signup_ip_key", "mail_domain": "email_domain_key"}
USED_KINDS = ("ip", "ip_prefix", "stack", "headers", "settings", "system")
PARAMS = settings_of(CONFIG) | {"group_max_entities": 3, "group_max_share": 1.0}
"""The defaults, but a group counts as three."""
HUBS = {field.name: 0.5 for field in dataclasses.fields(CONFIG.links) if field.name.endswith("max_df_share")}
LINKS = dataclasses.replace(CONFIG.links, **HUBS, template_min_shingles=2)
"""The defaults, but values that half of all accounts hold still count: a world here has a dozen accounts."""
CAPS = {kind.kind: kind for kind in kinds(LINKS)}
KINDS = kind_table(LINKS)
LINK_RARITY = "pipeline.stages.link_rarity:link_rarity"
MARKS, MARKED = ("payment", "device", "email", "phone", "ip"), ("stack", "template")
"""Kinds that mark a large group, and those that only show one."""
Holding = tuple[str, int, int]
LAWS = settings(max_examples=12, deadline=None)


@pytest.fixture(scope="module")
def duck() -> Iterator[DuckEngine]:
    with engine() as opened:
        yield opened


def _world(seed: int, count: int, values: int) -> Frames:
    """Accounts that hold few values, so that they meet often; some in vouched and some in other organisations."""
    draw = random.Random(seed)

    def some(kind: str) -> int | None:
        return key(kind, draw.randrange(values)) if draw.random() < 0.6 else None

    records, used, habits, samples, handoffs, fanouts, rewritten = [], [], [], [], [], [], []
    for number in range(count):
        account = key("account", number)
        organization = draw.randrange(3) if draw.random() < 0.5 else None
        records.append(
            {
                "account_key": account,
                "account_id": f"a{number}",
                "organization_key": key("organization", organization) if organization is not None else None,
                "is_vouched": organization == 0,
                "created_us": START_US - draw.randrange(12) * DAY_US if draw.random() < 0.8 else None,
                **{column: some(kind) for kind, column in RECORD_KINDS.items()},
            }
        )
        used.append({"kind": "model", "account_key": account, "value_key": 1, "request_count": 100})
        for kind in USED_KINDS:
            held = draw.sample(range(values), draw.randrange(min(3, values) + 1))
            used += [{"kind": kind, "account_key": account, "value_key": key(kind, v), "request_count": draw.choice([0, 1, 25, 50, 100])} for v in held]
        total = draw.choice([4, 10, 16])
        for half, shingle in itertools.product((0, 1), draw.sample(range(8), draw.randrange(8))):
            habits.append({"account_key": account, "half": half, "shingle": key("shingle", shingle), "document_count": draw.randint(3, total), "document_total": total})
        for prompt in draw.sample(range(20), draw.randrange(12)):
            shape = {"skeleton_key": key("skeleton", prompt % values), "prompt_chars": draw.choice([10, 39, 40, 400])}
            samples.append({"account_key": account, "prompt_key": key("prompt", prompt), **shape})
            if draw.random() < 0.3:
                fanouts.append({"account_key": account, "prompt_key": key("prompt", prompt), "half": key("prompt", prompt) % 2})
        sessions = [key("session", session) for session in draw.sample(range(2 * values), draw.randrange(min(4, 2 * values) + 1))]
        handoffs += [{"account_key": account, "session_key": session, "half": session % 2} for session in sessions]
        if draw.random() < 0.4:
            rewritten.append({"account_key": account, "ja4_key": key("ja4", draw.randrange(values))})
    return {
        "account_records": frame("account_records", records),
        "entities": frame("entities", used),
        "habits": frame("habits", habits),
        "window_samples": frame("window_samples", samples),
        "handoffs": frame("handoffs", handoffs),
        "fanouts": frame("fanouts", fanouts),
        "rewritten_clients": frame("rewritten_clients", rewritten),
        "client_wording": frame("client_wording", [{"kind": kind, "value_key": key(kind, values - 1)} for kind in ("system", "skeleton", "prompt")]),
        "kinds": KINDS,
    }


SIZES = [(0, 1), (1, 2), (2, 1), (9, 2), (9, 4), (13, 3), (14, 1), (14, 2), (14, 3), (14, 6), (11, 5), (10, 4)]
"""Accounts and distinct values of each world."""


def _chain(duck: DuckEngine, given: Frames, **changed: object) -> Frames:
    tables, params = {"pair_likeness": empty("pair_likeness"), **given}, PARAMS | changed
    for name, file in (
        ("wide_values", "34_wide_values.sql"),
        ("shared_values", "34_shared_values.sql"),
        ("candidate_pairs", "40_candidate_pairs.sql"),
        ("link_rarity", LINK_RARITY),
        ("pair_links", "50_pair_links.sql"),
        ("links", "56_links.sql"),
    ):
        tables[name] = _made(duck, file, tables, params)
    return tables


def _made(duck: DuckEngine, source: str, tables: Frames, params: dict[str, object]) -> pl.DataFrame:
    if source.endswith(".sql"):
        return _sql(duck, source, tables, params)
    stage = stage_named(source)
    return python_stage(stage, {name: tables[name] for name in stage.reads}, CONFIG)[stage.writes[0]]


@pytest.fixture(scope="module")
def chains(duck: DuckEngine) -> list[Frames]:
    """Random worlds with everything that the SQL files make of them. Read only."""
    found = [_chain(duck, _world(seed, *size)) for seed, size in enumerate(SIZES)]
    assert sum(tables["pair_links"].height for tables in found) > 500
    assert {kind for tables in found for kind in tables["pair_links"]["kind"]} == set(CAPS), "every kind makes links somewhere"
    return found


def _entities(given: Frames) -> dict[int, int]:
    columns = ("account_key", "organization_key", "is_vouched")
    return {account: organization if vouched and organization is not None else account for account, organization, vouched in given["account_records"].select(columns).iter_rows()}


def _held(given: Frames) -> dict[Holding, float]:
    """Every holding with its share, written out by the description of each kind."""
    held: dict[Holding, float] = {}
    for row in given["account_records"].iter_rows(named=True):
        account = row["account_key"]
        for kind, column in RECORD_KINDS.items():
            held[kind, row[column], account] = 1.0
        held["organization", None if row["is_vouched"] else row["organization_key"], account] = 1.0
        if row["email_domain_key"] is not None and row["created_us"] is not None:
            days = row["created_us"] // (CONFIG.links.cohort_days * DAY_US)
            held["cohort", (row["email_domain_key"] % 1000000007) * 1000003 + days, account] = 1.0
    rewriters = dict(given["rewritten_clients"].select("account_key", "ja4_key").iter_rows())
    held |= {("rewritten_client", client, account): 1.0 for account, client in rewriters.items()}
    for kind, account, value, count in given["entities"].select("kind", "account_key", "value_key", "request_count").iter_rows():
        if kind in USED_KINDS and not (kind == "stack" and account in rewriters) and count / 100 >= CONFIG.links.min_address_share:
            held[kind, value, account] = 1.0 if CAPS[kind].family in {"infrastructure", "settings"} else count / 100
    for account, half, shingle, count, total in given["habits"].iter_rows():
        if half == 0:
            held["template", shingle, account] = count / total
    forming = given["window_samples"].filter(pl.col("prompt_key") % 2 == 0)
    prompts = Counter(forming["account_key"].to_list())
    long = [row for row in forming.select("account_key", "prompt_key", "skeleton_key", "prompt_chars").iter_rows() if row[3] >= CONFIG.links.duplicate_min_chars]
    at_once = set(given["fanouts"].select("account_key", "prompt_key").iter_rows())
    held |= {("prompt", prompt, account): 1.0 for account, prompt, _, _ in long if (account, prompt) not in at_once}
    held |= {("fanout", prompt, account): 1.0 for account, prompt, half in given["fanouts"].select("account_key", "prompt_key", "half").iter_rows() if half == 0}
    held |= {("handoff", session, account): 1.0 for account, session, half in given["handoffs"].select("account_key", "session_key", "half").iter_rows() if half == 0}
    for (account, skeleton), count in Counter((account, skeleton) for account, _, skeleton, _ in long).items():
        if count >= 2:
            held["skeleton", skeleton, account] = count / prompts[account]
    brought = set(given["client_wording"].select("kind", "value_key").iter_rows())
    return {holding: share for holding, share in held.items() if holding[1] is not None and holding[:2] not in brought}


def _holders(given: Frames, *, stack: bool = False) -> dict[tuple[str, int], set[int]]:
    """Entities of each value; with the client stacks of rewritten clients, if asked for."""
    entity, holders = _entities(given), defaultdict[tuple[str, int], set[int]](set)
    plain = {**given, "rewritten_clients": given["rewritten_clients"].clear()} if stack else given
    for kind, value, account in _held(plain):
        holders[kind, value].add(entity[account])
    return holders


def _slow_groups(given: Frames) -> dict[tuple[str, int], int]:
    """Holders that count of each fact of a large group: of those that mark one and of what meets nearly the same holders in another family."""
    entities, most = len(set(_entities(given).values())), int(str(PARAMS["group_max_entities"]))
    wide = {value: who for value, who in _holders(given, stack=True).items() if value[0] in MARKS + MARKED and len(who) > most}
    together: Counter[tuple[str, int]] = Counter()
    for (one, ours), (other, theirs) in itertools.permutations(wide.items(), 2):
        is_mark = one[0] in MARKS and 2 * len(ours) <= entities and CAPS[one[0]].family != CAPS[other[0]].family
        if is_mark and len(ours & theirs) >= 0.5 * len(ours | theirs):
            for value in (one, other):
                together[value] = max(together[value], len(ours & theirs))
    return {value: most + len(wide[value]) - both for value, both in together.items() if both > most}


def _slow_values(given: Frames) -> dict[Holding, tuple[float, int, int, int]]:
    """Share, holders, holders that count and rarity of every holding of a value that is shared and not too common."""
    held, entity, holders, groups = _held(given), _entities(given), _holders(given), _slow_groups(given)
    total, found = len(set(entity.values())), {}
    for (kind, value, account), share in held.items():
        df = len(holders[kind, value])
        counts = groups.get((kind, value), df)
        if df >= 2 and counts <= max(2, CAPS[kind].max_df_share * total):
            found[kind, value, account] = (share, df, counts, math.floor(math.log2(total / counts) * 1e6 + 0.5))
    return found


def test_some_worlds_hold_a_large_group_and_cards_that_mark_none(chains: list[Frames]) -> None:
    assert sum(bool(_slow_groups(tables)) for tables in chains) >= 2
    for tables in chains:
        holders, groups = _holders(tables, stack=True), _slow_groups(tables)
        common = {value for value, who in holders.items() if value[0] in MARKS[:-1] and len(who) > int(str(PARAMS["group_max_entities"]))}
        found = {(row["kind"], row["value_key"]): (row["df"], row["counted_df"]) for row in tables["wide_values"].iter_rows(named=True)}
        assert found == {value: (len(holders[value]), groups.get(value, len(holders[value]))) for value in common | set(groups)}


def test_shared_values_are_those_of_the_rules_written_out(chains: list[Frames]) -> None:
    for tables in chains:
        table = tables["shared_values"]
        found = {(r["kind"], r["value_key"], r["account_key"]): (r["share"], r["df"], r["counted_df"], r["rarity_micro_bits"]) for r in table.iter_rows(named=True)}
        assert found == _slow_values(tables)
        assert len(found) == table.height
        entity = _entities(tables)
        assert all(entity[account] == owner for account, owner in table.select("account_key", "entity_key").iter_rows())
        assert all(CAPS[kind].family == family for kind, family in table.select("kind", "family").iter_rows())


def test_small_blocks_propose_all_their_pairs_and_colleagues_of_a_vouched_organisation_none(chains: list[Frames]) -> None:
    for tables in chains:
        entity, blocks = _entities(tables), defaultdict(set)
        for kind, value, account in _slow_values(tables):
            if kind != "settings":
                blocks[kind, value].add(account)
        wanted = {pair for block in blocks.values() for pair in itertools.combinations(sorted(block), 2) if entity[pair[0]] != entity[pair[1]]}
        pairs = tables["candidate_pairs"].rows()
        assert len(pairs) == len(set(pairs))
        assert set(pairs) == wanted


def _assert_scorer_agrees(tables: Frames) -> None:
    people, pairs = population(tables), tables["candidate_pairs"]
    a, b = people.positions(pairs["account_a"]), people.positions(pairs["account_b"])
    by_kind, by_family = people.scorer.by_kind(a, b), people.scorer.by_family(a, b)
    rarity = {(x, y, kind): bits for x, y, kind, bits in tables["link_rarity"].select("account_a", "account_b", "kind", "bits").iter_rows()}
    fused: Counter[tuple[int, int, str]] = Counter()
    for x, y, family, bits in tables["pair_links"].select("account_a", "account_b", "family", "bits").iter_rows():
        fused[x, y, family] += round(bits * 1e6)
    for place, (x, y) in enumerate(pairs.iter_rows()):
        for column, kind in enumerate(people.scorer.kind_names):
            assert round(by_kind[place, column] * 1e6) == round(rarity.get((x, y, kind), 0.0) * 1e6), kind
        for column, family in enumerate(people.scorer.families):
            assert round(by_family[place, column] * 1e6) == fused[x, y, family], family


def test_the_scorer_gives_the_bits_of_the_link_files(chains: list[Frames]) -> None:
    for tables in chains:
        _assert_scorer_agrees(tables)


@LAWS
@given(st.lists(st.sampled_from([100, 81, 64, 50, 36, 25, 9, 4, 1]), min_size=9, max_size=9), st.integers(9, 60))
def test_the_scorer_rounds_weighed_bits_as_the_link_files_do(duck: DuckEngine, percent: list[int], count: int) -> None:
    rarity = math.floor(math.log2(count / 9) * 1e6 + 0.5) | 1  # odd: half of it is a tie
    common = {"kind": "system", "value_key": 7, "family": "templates", "df": 9, "rarity_micro_bits": rarity}
    values = frame("shared_values", [{"account_key": n, "entity_key": n, "share": share / 100, **common} for n, share in enumerate(percent)])
    tables = {"shared_values": values, "kinds": KINDS, "account_records": frame("account_records", [{"account_key": n, "account_id": str(n)} for n in range(9)])}
    for name, file in (("candidate_pairs", "40_candidate_pairs.sql"), ("link_rarity", LINK_RARITY), ("pair_links", "50_pair_links.sql")):
        tables[name] = _made(duck, file, tables, PARAMS)
    _assert_scorer_agrees(tables)


def test_links_carry_the_bits_of_the_formula_and_name_the_rarest_value(chains: list[Frames]) -> None:
    for tables in chains:
        values = _slow_values(tables)
        holdings: dict[tuple[str, int], dict[int, tuple[float, int, int, int]]] = defaultdict(dict)
        for (kind, value, account), facts in values.items():
            holdings[kind, account][value] = facts
        for row in tables["link_rarity"].iter_rows(named=True):
            mine, yours = (holdings[row["kind"], row[side]] for side in ("account_a", "account_b"))
            both = [(math.sqrt(mine[v][0] * yours[v][0]) * mine[v][3] / 1e6, mine[v][1], v) for v in mine if v in yours]
            bits, kind = [worth for worth, _, _ in both], CAPS[row["kind"]]
            assert row["bits"] == pytest.approx(min(kind.cap_bits, max(bits) + (sum(bits) - max(bits)) / 4), abs=1e-5)
            assert row["support"] == len(both) >= kind.min_support
            assert (row["df"], row["value_key"]) in {(df, v) for worth, df, v in both if worth >= max(bits) - 2e-6}


def test_link_bits_are_never_negative_and_never_above_the_caps_of_kind_and_family(chains: list[Frames]) -> None:
    caps = dict(KINDS.select("family", pl.col("family_cap_micro_bits") / 1e6).iter_rows())
    for tables in chains:
        links = tables["pair_links"]
        assert all(0 <= bits <= CAPS[kind].cap_bits for kind, bits in links.select("kind", "bits").iter_rows())
        families = links.group_by("account_a", "account_b", "family").agg(pl.col("bits").sum())
        assert all(bits <= caps[family] + 1e-9 for family, bits in families.select("family", "bits").iter_rows())
        assert (links["account_a"] < links["account_b"]).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_no_link(duck: DuckEngine, seed: int) -> None:
    given = _world(seed, 14, 3)
    one, other = _chain(duck, given, clique_size=3), _chain(duck, shuffled(given, seed), clique_size=3)
    for name in ("shared_values", "candidate_pairs", "pair_links", "links"):
        assert_frame_equal(one[name], other[name])


@LAWS
@given(st.integers(2, 40), st.integers(2, 12), st.integers(1, 5))
def test_one_block_proposes_a_clique_up_to_its_size_and_few_partners_beyond(duck: DuckEngine, holders: int, clique: int, partners: int) -> None:
    rows = [
        {"kind": "ip", "value_key": 5, "account_key": key(n), "entity_key": key(n), "family": "infrastructure", "share": 1.0, "df": holders, "rarity_micro_bits": 1}
        for n in range(holders)
    ]
    pairs = _sql(duck, "40_candidate_pairs.sql", {"shared_values": frame("shared_values", rows)}, {"clique_size": clique, "partners": partners})
    everyone = holders * (holders - 1) // 2
    if holders <= clique:
        assert pairs.height == everyone
    else:
        assert holders - 1 <= pairs.height <= min(everyone, holders * partners)
        partnered = set(pairs["account_a"]) | set(pairs["account_b"])
        assert partnered == {key(n) for n in range(holders)}


def test_accounts_that_share_only_settings_are_not_proposed(duck: DuckEngine) -> None:
    rows = [{"kind": "settings", "value_key": 5, "account_key": n, "entity_key": n, "family": "settings", "share": 1.0, "df": 3, "rarity_micro_bits": 1} for n in range(3)]
    assert _sql(duck, "40_candidate_pairs.sql", {"shared_values": frame("shared_values", rows)}, PARAMS).height == 0


def test_links_are_published_by_id_for_pairs_with_more_than_half_an_edge(duck: DuckEngine) -> None:
    records = frame("account_records", [{"account_key": n, "account_id": f"id-{9 - n}", "is_vouched": False} for n in range(4)])
    edge = math.log2(4) + CONFIG.networks.edge_margin_bits
    shared = {"kind": "payment", "family": "identity", "support": 1, "df": 2, "value_key": 7}
    bits = ((0, 1, edge / 2 + 0.001), (0, 2, edge / 2), (1, 2, edge / 2 - 0.001))
    links = frame("pair_links", [{"account_a": a, "account_b": b, "bits": worth, **shared} for a, b, worth in bits])
    alike = [{"account_a": a, "account_b": b, "kind": "topic", "family": "topic", "bits": 64.0, "support": 40} for a, b in ((0, 1), (0, 2), (2, 3))]
    given = {"pair_links": links, "pair_likeness": frame("pair_likeness", alike), "account_records": records}
    found = _sql(duck, "56_links.sql", given, PARAMS)
    assert found.select("account_a", "account_b", "kind", "bits_kind", "df").rows() == [("id-8", "id-9", "payment", "rarity", 2), ("id-8", "id-9", "topic", "tail", None)]


def _recurring(samples: pl.DataFrame) -> pl.DataFrame:
    return streamed(stage_named("pipeline.stages.recurring_shingles:recurring_shingles"), samples)


def _samples(accounts: int, templated: int, filler: int, seed: int) -> pl.DataFrame:
    """Prompts of accounts: the first `templated` of each carry six fixed shingles, the others only their own."""
    draw = random.Random(seed)
    rows = []
    for account, number in itertools.product(range(accounts), range(templated + filler)):
        fixed = [key("template", n) >> 31 for n in range(6)] if number < templated else []
        own = sorted({*fixed, *(draw.getrandbits(31) for _ in range(5))})
        common = {"request_count": 2, "output_tokens": 1001, "first_us": number, "request_id": f"r{account}-{number}", "source_file": "f", "source_row": number}
        rows.append({"account_key": account, "prompt_key": draw.getrandbits(60), "shingles": own, "shingle_count": len(own), **common})
    return frame("window_samples", rows)


@LAWS
@given(st.integers(1, 4), st.integers(0, 20), st.integers(0, 30), st.integers(0, 10**6))
def test_habits_are_the_template_never_the_filler_and_halves_never_mix(accounts: int, templated: int, filler: int, seed: int) -> None:
    samples = _samples(accounts, templated, filler, seed)
    habits = _recurring(samples)
    template = {key("template", n) >> 31 for n in range(6)}
    expected = {}
    for account, half in itertools.product(range(accounts), (0, 1)):
        kept = [row for row in samples.iter_rows(named=True) if row["account_key"] == account and row["prompt_key"] % 2 == half]
        with_template = sum(template <= set(row["shingles"]) for row in kept)
        if with_template >= max(CONFIG.links.habit_min_documents, CONFIG.links.habit_min_share * len(kept)):
            expected |= {(account, half, shingle): (with_template, len(kept)) for shingle in template}
    assert {row[:3]: row[3:] for row in habits.iter_rows()} == expected


@LAWS
@given(st.integers(1, 4), st.integers(0, 20), st.integers(0, 30), st.integers(0, 10**6))
def test_boilerplate_is_the_other_half_that_carries_wording_learned_on_the_first(duck: DuckEngine, accounts: int, templated: int, filler: int, seed: int) -> None:
    samples = _samples(accounts, templated, filler, seed)
    tables = {"window_samples": samples, "habits": _recurring(samples)}
    found = _sql(duck, "35_boilerplate.sql", tables, PARAMS)
    learned = set(tables["habits"].filter(pl.col("half") == 0)["account_key"])
    carrying = {(r["account_key"], r["prompt_key"]) for r in samples.iter_rows(named=True) if key("template", 0) >> 31 in r["shingles"] and r["prompt_key"] % 2 == 1}
    assert set(found.select("account_key", "prompt_key").iter_rows()) == {pair for pair in carrying if pair[0] in learned}
    assert (found["output_tokens"] == 500).all()
    assert (found["habit_count"] == 6).all()
