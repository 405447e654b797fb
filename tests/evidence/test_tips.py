"""A tip means the accounts that the log itself says, and what else is theirs is ranked by the bits that the run gives its pairs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.evidence.expanding import Expansion, expand
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.tips import Tip, read_entries, resolve
from tests.logs import _token


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


@pytest.fixture(scope="module")
def log(tiny_log: Path) -> pl.DataFrame:
    """Who used which address, from the log itself."""
    return pl.read_parquet(tiny_log / "**" / "*.parquet").select("account_id", "client_ip").unique()


def _holders(tip: Tip) -> set[str]:
    return {holder.account_id for holder in tip.holders}


def test_addresses_mean_whoever_sent_from_them(run, log):
    shared, own = "203.0.113.1", log.filter(pl.col("account_id") == "person-007")["client_ip"].sort()[0]
    for address in (shared, own):
        tip = resolve(run, [address, "198.51.100.9"], None)
        assert _holders(tip) == set(log.filter(pl.col("client_ip") == address)["account_id"].to_list())
        assert tip.unknown == ("198.51.100.9",)
        assert tip.kinds == ("address",)
        assert all(holder.via == ("ip",) and holder.entries == (address,) for holder in tip.holders)


def test_a_prefix_means_whoever_sent_from_any_address_in_it(run, log):
    tip = resolve(run, ["203.0.113.0/24", "203.0.113.77/24"], "address")
    assert _holders(tip) == set(log.filter(pl.col("client_ip").str.starts_with("203.0.113."))["account_id"].to_list())
    assert {holder.entries for holder in tip.holders} == {("203.0.113.0/24", "203.0.113.77/24")}, "both are one prefix"


def test_a_card_means_whoever_pays_with_it(run):
    tip = resolve(run, [_token("shared 0"), _token("nobody's")], None)
    assert _holders(tip) == {f"pool-{number:03d}" for number in range(0, 8, 2)}
    assert (tip.kinds, tip.unknown) == (("card",), (_token("nobody's"),))


def test_entries_of_several_kinds_come_together(run):
    tip = resolve(run, ["pool-001", _token("shared 0"), "nobody"], None)
    assert _holders(tip) == {"pool-001", *(f"pool-{number:03d}" for number in range(0, 8, 2))}
    assert tip.kinds == ("account", "card")
    assert {holder.account_id: holder.via for holder in tip.holders}["pool-001"] == ("account",)


def test_a_kind_that_is_said_is_the_only_one_tried(run):
    assert resolve(run, ["pool-001"], "address").holders == ()
    assert resolve(run, ["203.0.113.1"], "account").unknown == ("203.0.113.1",)
    assert resolve(run, [_token("shared 0")], "account").holders == ()
    assert resolve(run, ["pool-001"], "card").holders == ()


@pytest.fixture(scope="module")
def half(run: FinishedRun) -> tuple[Tip, Expansion]:
    tip = resolve(run, [f"pool-{number:03d}" for number in range(4)], None)
    return tip, expand(run, tip.holders)


def test_the_other_half_of_a_pool_comes_first(half):
    _, found = half
    assert {other.account_id for other in found.others[:4]} == {f"pool-{number:03d}" for number in range(4, 8)}
    assert all(other.is_linked and other.shared_with == 4 for other in found.others[:4])
    assert not any(other.is_linked for other in found.others[4:])
    assert [other.bits for other in found.others] == sorted((other.bits for other in found.others), reverse=True)


def test_bits_are_those_of_the_strongest_link_of_the_run(run, half):
    """The links table adds up the same pairs in another way."""
    tip, found = half
    bits: dict[frozenset[str], float] = defaultdict(float)
    for a, b, value in run.table("links").filter(pl.col("bits_kind") == "rarity").select("account_a", "account_b", "bits").rows():
        bits[frozenset((a, b))] += value
    for other in found.others[:4]:
        stated = {holder.account_id: bits[frozenset((holder.account_id, other.account_id))] for holder in tip.holders}
        assert other.bits == pytest.approx(max(stated.values()), abs=1e-5)
        assert stated[other.nearest_account_id] == pytest.approx(other.bits, abs=1e-5)


def test_facts_are_counted_as_the_table_of_shared_values_counts_them(run, half):
    tip, found = half
    values = run.table("shared_values")
    entities = run.manifest()["counts"]["accounts"]  # nobody is vouched for
    keys = {holder.account_key for holder in tip.holders}
    wide = {(kind, value): counted for kind, value, counted in run.columns("wide_values", "kind", "value_key", "counted_df").iter_rows()}
    for other in found.others[:4]:
        assert 1 <= len(other.facts) <= 3
        for fact in other.facts:
            holders = values.filter((pl.col("kind") == fact.kind) & (pl.col("value_key") == fact.value_key))["account_key"].to_list()
            assert fact.holder_count == len(holders)
            counted = wide.get((fact.kind, fact.value_key), len(holders))  # a large group does not make its own facts look common
            assert fact.rarity_bits == pytest.approx(math.log2(entities / counted), abs=2e-6)
            assert fact.shared_with == len(keys & set(holders))
            assert run.among("accounts", {"account_id": [other.account_id]})["account_key"][0] in holders
        assert [fact.rarity_bits for fact in other.facts] == sorted((fact.rarity_bits for fact in other.facts), reverse=True)
    assert found.edge_bits == pytest.approx(math.log2(entities) + 6.0, abs=1e-5)


def test_nobody_of_the_tip_is_among_the_others_and_few_bits_can_be_left_out(run, half):
    tip, found = half
    assert not _holders(tip) & {other.account_id for other in found.others}
    assert {other.account_id for other in expand(run, tip.holders, found.others[3].bits).others} == {other.account_id for other in found.others[:4]}
    assert expand(run, ()).others == ()


def test_colleagues_of_a_vouched_organisation_are_counted_and_not_ranked(run, half, monkeypatch):
    """The same run, if half the pool belonged to one vouched organisation."""
    tip, _ = half
    members = {f"pool-{number:03d}" for number in (0, 1, 4, 5)}
    keys = run.among("accounts", {"account_id": sorted(members)})["account_key"].to_list()
    whole = FinishedRun.among

    def vouched(self: FinishedRun, name: str, wanted: Mapping[str, Iterable[str | int]]) -> pl.DataFrame:
        frame = whole(self, name, wanted)
        if name != "shared_values":
            return frame
        return frame.with_columns(pl.when(pl.col("account_key").is_in(keys)).then(7).otherwise("entity_key").alias("entity_key"))

    monkeypatch.setattr(FinishedRun, "among", vouched)
    found = expand(run, tip.holders)
    assert found.colleague_count == 2
    assert {other.account_id for other in found.others[:2]} == {"pool-006", "pool-007"}
    assert not members & {other.account_id for other in found.others}


@pytest.mark.parametrize(
    ("text", "entries", "kind"),
    [
        ("a\nb\na\n\n  c  \n# said by phone\n", ("a", "b", "c"), None),
        ("account_id,note\na,x\nb,y\n", ("a", "b"), "account"),
        ("note,client_ip\nx,10.0.0.1\ny,\n", ("10.0.0.1",), "address"),
        ("\ufeffPayment_Fingerprint\r\nx\r\n", ("x",), "card"),
        ('"a, b",1\nc\n', ("a, b", "c"), None),
        ("=cmd()\n\u202eevil\n\x1b[2J\n", ("=cmd()", "\u202eevil", "\x1b[2J"), None),
    ],
)
def test_entries_are_read_from_lines_and_from_csv(tmp_path, text, entries, kind):
    (tmp_path / "tip").write_bytes(text.encode())
    assert read_entries(tmp_path / "tip") == (entries, kind)


@pytest.mark.parametrize("content", [b"", b"\n\n# nothing\n", b"account_id\n", b"\xff\xfe\x00", None])
def test_a_file_without_entries_is_an_input_error(tmp_path, content):
    if content is not None:
        (tmp_path / "tip").write_bytes(content)
    with pytest.raises(InputError, match="tip"):
        read_entries(tmp_path / "tip")


def test_a_file_with_too_many_entries_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.evidence.tips.MOST_ENTRIES", 2)
    (tmp_path / "tip").write_text("a\nb\nc\n")
    with pytest.raises(InputError, match="at most 2"):
        read_entries(tmp_path / "tip")


PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters=',"#'), min_size=1, max_size=20)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PLAIN.filter(lambda text: text.strip() == text), min_size=1, max_size=8, unique=True))
def test_plain_lines_are_their_own_entries(tmp_path, lines):
    (tmp_path / "tip").write_text("first\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert read_entries(tmp_path / "tip")[0] == tuple(dict.fromkeys(["first", *lines]))
