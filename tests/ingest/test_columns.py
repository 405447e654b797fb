"""What keys stand for: addresses, client stacks, and fingerprints that the log brings instead of text."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.addresses import address_keys, prefix_keys
from pipeline.ingest.narrow import product_of
from pipeline.measures import fingerprints as fp


def key_of(text, namespace):
    return fp.value_keys(fp.spans_of(pa.array([text])), namespace)[0]


def addresses(*texts):
    address, prefix = address_keys(pa.array(texts, pa.string()), None, len(texts))
    return address.to_pylist(), prefix.to_pylist()


@settings(deadline=None)
@given(st.lists(st.ip_addresses(), min_size=1, max_size=8))
def test_address_and_prefix_follow_the_standard_library(found):
    keys, prefixes = addresses(*(str(one) for one in found))
    for one, key, prefix in zip(found, keys, prefixes, strict=True):
        plain = getattr(one, "ipv4_mapped", None) or one
        assert key == key_of(str(plain), "ip")
        assert prefix == key_of(str(ipaddress.ip_network((plain, 24 if plain.version == 4 else 48), strict=False)), "ip_prefix")


def test_an_address_has_one_key_however_it_is_written():
    keys, prefixes = addresses("192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207", " 192.0.2.7", "2001:DB8::1", "2001:db8:0:0:0:0:0:1", "[2001:db8::1]")
    assert len(set(keys[:4])) == len(set(prefixes[:4])) == 1
    assert len(set(keys[4:])) == len(set(prefixes[4:])) == 1
    assert prefixes[4] == prefix_keys(pa.array(["2001:db8::/48"]), 1)[0].as_py()


@pytest.mark.parametrize("text", ["81.2.69.***", "not an address", "256.1.1.1", "1.2.3", "1.2.3.4.5", "fe80::1%eth0/64"])
def test_what_is_no_address_is_keyed_but_has_no_prefix(text):
    keys, prefixes = addresses(text, "192.0.2.7")
    assert keys[0] == key_of(text, "ip")
    assert prefixes[0] is None
    assert prefixes[1] == key_of("192.0.2.0/24", "ip_prefix")


def test_logged_prefixes_and_derived_ones_meet(log, scan):
    log(
        "a.parquet",
        rows=4,
        client_ip=["192.0.2.7", None, "192.0.2.9", None],
        client_ip_prefix=[None, "192.0.2.0/24", "198.51.100.0/24", "192.0.2.77/24"],
        client_ip_hash=["h", "h", None, None],
    )
    rows = scan().requests.sort("source_row")
    prefix, address = rows["ip_prefix_key"].to_list(), rows["ip_key"].to_list()
    assert prefix[0] == prefix[1] == prefix[3] == key_of("192.0.2.0/24", "ip_prefix")
    assert prefix[2] == key_of("198.51.100.0/24", "ip_prefix")
    assert address == [key_of("192.0.2.7", "ip"), key_of("h", "ip_hash"), key_of("192.0.2.9", "ip"), None]


@pytest.mark.parametrize(
    ("agent", "product"), [("curl/8.1", "curl"), ("node fetch", "node"), ("tool(x)", "tool"), ("plain", "plain"), ("/odd", None), ("", None), ("multi\nline/1", "multi\nline")]
)
def test_a_product_is_what_stands_before_slash_space_or_parenthesis(agent, product):
    assert product_of(pa.array([agent])).to_pylist() == [product]
    assert product_of(pa.array([agent]).dictionary_encode()).to_pylist() == [product]


def test_stack_and_headers_need_at_least_one_part(log, scan):
    log("a.parquet", rows=4, user_agent=["a", "a", None, None], ja4=["j", None, "j", None], sdk_name=["s", None, None, None], sdk_version=["1", "1", None, None])
    rows = scan().requests.sort("source_row")
    stack, headers = rows["stack_key"].to_list(), rows["headers_key"].to_list()
    assert stack[3] is None
    assert len(set(stack[:3])) == 3
    assert headers[2] is headers[3] is None
    assert headers[0] != headers[1]


def test_tools_are_known_by_their_definitions_else_by_the_set_of_names(log, scan):
    log("a.parquet", rows=4, tool_definitions_hash=["d", None, None, None], tool_names=[["a"], ["a"], ["a", "b"], None])
    keys = scan().requests.sort("source_row")["tools_key"].to_list()
    assert keys[0] == key_of("d", "tools_definitions")
    assert len(set(keys[:3])) == 3
    assert keys[3] is None


def test_sources_of_prompt_keys_and_their_order(log, scan):
    log(
        "a.parquet",
        rows=6,
        prompt=["some text here", None, None, None, None, None],
        prompt_simhash=pa.array([1, 1, None, None, None, None], pa.uint64()),
        prompt_minhash=[[1, 2], [1, 2], [1, 2], None, None, None],
        prompt_block_hashes=[[8, 9]] * 4 + [None, None],
        prompt_hash=["h"] * 5 + [None],
    )
    rows = scan().requests.sort("source_row")
    assert rows["prompt_source"].to_list() == [1, 2, 3, 4, 5, 0]
    assert rows["prompt_key"].drop_nulls().n_unique() == 5
    assert rows["prompt_key"].is_null().to_list() == [False] * 5 + [True]
    assert rows["prefix_key"].is_null().to_list() == [False, True, True, False, True, True]
    assert rows["skeleton_key"].is_null().to_list() == [False, False, False, True, True, True]


def test_equal_precomputed_values_in_two_sources_do_not_meet(log, scan):
    log(
        "a.parquet",
        rows=3,
        prompt=["5", None, None],
        prompt_hash=[None, "5", None],
        prompt_simhash=pa.array([None, None, 5], pa.uint64()),
        response=["x", None, None],
        response_hash=[None, "x", None],
        system_prompt=["y", None, None],
        system_prompt_hash=[None, "y", None],
    )
    rows = scan().requests
    assert rows["prompt_key"].n_unique() == 3
    assert rows["response_key"].drop_nulls().n_unique() == rows["system_key"].drop_nulls().n_unique() == 2


def test_block_hashes_share_a_prefix_and_order_counts(log, scan):
    log("a.parquet", rows=4, prompt_block_hashes=[[1, 2, 3], [1, 9], [2, 1, 3], [1, 2, 3]])
    rows = scan().requests.sort("source_row")
    prompt, prefix = rows["prompt_key"].to_list(), rows["prefix_key"].to_list()
    assert prompt[0] == prompt[3]
    assert len(set(prompt)) == 3
    assert prefix[0] == prefix[1] != prefix[2]


def test_text_wins_and_lengths_fall_back_to_what_the_log_says(log, scan):
    log("a.parquet", rows=3, prompt=["caf\u00e9 au lait", None, "  "], prompt_chars=[999, 70, 2], system_prompt=["\u00e9t\u00e9", None, None])
    rows = scan().requests.sort("source_row")
    assert rows["prompt_chars"].to_list() == [12, 70, 2]
    assert rows["prompt_words"].to_list() == [3, None, 0]
    assert rows["prompt_key"].is_null().to_list() == [False, True, True]
    assert rows["system_chars"].to_list() == [3, None, None]


def test_one_prompt_has_one_key_however_it_is_spaced(log, scan):
    log("a.parquet", rows=3, prompt=["Do it  now", "do it\nNOW ", "do it later"], system_prompt=["Be kind", " be  KIND", "be rude"])
    rows = scan().requests.sort("source_row")
    for column in ("prompt_key", "system_key"):
        keys = rows[column].to_list()
        assert keys[0] == keys[1] != keys[2]
