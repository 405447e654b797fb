"""Laws of fingerprints: two implementations agree on every byte string, keys see what they should and nothing else."""

from __future__ import annotations

import ipaddress
import itertools
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures import fingerprint_numba as compiled
from pipeline.measures import fingerprint_numpy as vectorised
from pipeline.measures import fingerprints as fp
from pipeline.measures import text_bytes as tb

SEEDS = np.array([tb.seed(name) for name in "abc"], dtype=np.uint64)
FRAGMENTS = [
    b" ",
    b"\n",
    b"\t",
    b'"',
    b"`",
    b"```",
    b"/",
    b"@",
    b".",
    b",",
    b"<",
    b"#",
    b"'",
    b"_",
    b"\x00",
    b"Word",
    b"word",
    b"123",
    b"a1",
    b"abcdefghijk",
    b"\xff",
    b"\x80",
    b"\xc2",
    b"\xe2\x80",
    b"\xf0\x9f",
    "\u00a0".encode(),
    "\u201cquoted\u201d".encode(),
    "\u2014".encode(),
    "\u4f60\u597d".encode(),
    "\U0001f600".encode(),
    "\u0130".encode(),
    "\u202e\u05d0".encode(),
    "\u0e01".encode(),
    "\u0410\u0430".encode(),
]
PIECES = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=12) | st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")), max_size=80).map(b"".join)


def spans(texts):
    return fp.spans_of(pa.array(texts, pa.large_binary()))


def keys(*texts):
    return fp.texts(spans([text.encode() if isinstance(text, str) else text for text in texts]), "prompt")


def assert_same(left, right):
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=6))
def test_both_implementations_give_equal_values(texts):
    of = spans(texts)
    one, other = (module.texts(of.data, of.starts, of.ends, SEEDS) for module in (compiled, vectorised))
    assert_same(one, other)
    rows = np.arange(len(texts))[::-1].copy()
    assert_same(compiled.sketches(one[3], one[4], rows), vectorised.sketches(one[3], one[4], rows))
    assert_same(compiled.normalised(of.data, of.starts, of.ends), vectorised.normalised(of.data, of.starts, of.ends))
    np.testing.assert_array_equal(compiled.raw(of.data, of.starts, of.ends), vectorised.raw(of.data, of.starts, of.ends))


@pytest.mark.parametrize("text", [b"x" * 1_000_000 + b" Y 1", b"a b " * 250_000, bytes(range(256)) * 4000, b'"`/' * 100_000, b""])
def test_both_implementations_agree_on_a_megabyte(text):
    of = spans([b"first", text, b"last"])
    assert_same(compiled.texts(of.data, of.starts, of.ends, SEEDS), vectorised.texts(of.data, of.starts, of.ends, SEEDS))


@pytest.mark.parametrize("length", [0, 1, 7, 63, 64, 65, 127, 128, 129])
def test_texts_that_end_where_the_buffer_ends_are_read_to_their_end(length):
    for piece in (b"abcdefghij", b"a ", b"Word, ", "\u4f60\u597d ".encode(), b"x\xe2", bytes(range(256))):
        of = spans([b"before", (piece * length)[:length]])
        assert_same(*(module.texts(of.data, of.starts, of.ends, SEEDS) for module in (compiled, vectorised)))


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_exact_key_is_equal_just_when_the_normalised_text_is(texts):
    def normal(text):
        lowered = "".join(char.lower() if char.isascii() else char for char in text)
        for space in "\t\n\r\v\f":
            lowered = lowered.replace(space, " ")
        return " ".join(part for part in lowered.split(" ") if part)

    found = keys(*texts)
    for left in range(len(texts)):
        assert (found.word_counts[left] < 0) == (normal(texts[left]) == "")
        for right in range(left):
            assert (found.exact[left] == found.exact[right]) == (normal(texts[left]) == normal(texts[right]))


def test_keys_are_63_bit_and_do_not_depend_on_what_surrounds_a_text():
    alone, among = keys("Some words here, and more"), keys("before", "Some words here, and more", "\U0001f600" * 50)
    assert alone.exact[0] == among.exact[1] >= 0
    assert alone.skeleton[0] == among.skeleton[1] >= 0
    assert alone.prefix[0] == among.prefix[1] >= 0


def test_nul_and_case_and_space_in_the_exact_key():
    found = keys("a b", " A\n\tb ", "ab", "\x00a b", "a\x00b", "a b\x00")
    assert found.exact[0] == found.exact[1]
    assert len(set(found.exact.tolist())) == 5


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Solve item 12 for 3 people", "Solve item 977 for 41 people"),
        ("tell me about Alice now", "tell me about Bob Smith now"),
        ('rate the answer "it is blue" please', 'rate the answer "no one knows, really" please'),
        ("rate \u201cit is blue\u201d please", "rate \u201cred\u201d please"),
        ("explain `foo(x)` to me", "explain `bar` to me"),
        ("fix this\n```\nx = one\n```\nthanks", "fix this\n```\nwhile two:\n  three\n```\nthanks"),
        ("open https://a.example/x?y=z now", "open http://b.example now"),
        ("mail me@a.example now", "mail you@b.example now"),
        ("see /etc/hosts now", "see ./src/main now"),
    ],
)
def test_skeleton_masks_what_a_template_fills_in(left, right):
    found = keys(left, right)
    assert found.exact[0] != found.exact[1]
    assert found.skeleton[0] == found.skeleton[1]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Explain this in detail", "Summarise this in detail"),
        ("First step. Explain this", "First step. Repeat this"),
        ('he said "no\nand left quietly', 'he said "yes\nand went quietly'),
        ("compare one of these", "compare two of these"),
    ],
)
def test_skeleton_keeps_the_words_of_a_template(left, right):
    found = keys(left, right)
    assert found.skeleton[0] != found.skeleton[1]


def test_prefix_key_reads_eight_words_and_is_the_first_rung():
    head = "one two three four five six seven eight"
    found = keys(head + " nine", head + " ten eleven", "one two", head.replace("eight", "other") + " nine")
    assert found.prefix[0] == found.prefix[1] == found.ladder[0, 0]
    assert found.prefix[0] != found.prefix[3]
    assert found.prefix[2] >= 0
    assert not found.ladder[2].any()


def test_ladder_has_a_rung_for_each_length_reached():
    found = keys(" ".join(f"w{'abcdefghij'[n % 10]}{'xyz'[n % 3]}" for n in range(300)), "only four words here")
    assert (found.ladder[0] > 0).all()
    assert len(set(found.ladder[0].tolist())) == 6
    assert not found.ladder[1].any()


def test_words_are_counted_by_script():
    assert keys("it's a_b 12 <x>", "\u4f60\u597d\u5417", "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", "a\u2014b", "?!", " \n").word_counts.tolist() == [
        6,
        3,
        2,
        2,
        0,
        -1,
    ]


def test_sketch_holds_the_smallest_hashes_of_distinct_shingles():
    text = " ".join("abcdefghijklmnopqrstuvwxyz"[n % 26] + "abcdefg"[n % 7] for n in range(150))
    found = keys(text, "one two three four", "one two", "the cat the cat the cat the cat", "")
    sketch = fp.sketches(found, np.arange(5))
    rows = np.split(sketch.shingles, sketch.shingle_ends[1:-1])
    assert [len(row) for row in rows] == [48, 1, 1, 2, 0]
    assert sketch.shingle_counts.tolist() == [147, 1, 1, 5, 0]
    assert all((np.diff(row) > 0).all() for row in rows)
    tokens = np.split(sketch.tokens, sketch.token_ends[1:-1])
    assert [len(row) for row in tokens] == [32, 4, 2, 2, 0]
    assert all((row >= 0).all() and (np.diff(row) > 0).all() for row in tokens)


def _unmixed(values):
    """The words whose mixed hashes are some values: each step of text_bytes.mixed undone."""
    for factor in (tb.MIX_2, tb.MIX_1):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(pow(int(factor), -1, 2**64))
    return values ^ (values >> np.uint64(33))


SPREADS = {"even": (0, 2**64), "all small": (0, 2**58), "all large": (2**63, 2**64), "alike in the high half": (2**40, 2**40 + 2**33)}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("vocabulary", [2, 30, 70, 10**6])
def test_sketches_hold_the_smallest_however_words_hash_and_repeat(spread, vocabulary):
    draw = np.random.default_rng(vocabulary)
    counts = np.array([*range(10), *draw.integers(0, 201, 150), 60, 64, 65, 128, 200])
    words = draw.integers(*SPREADS[spread], vocabulary, dtype=np.uint64)[draw.integers(0, vocabulary, counts.sum())]
    offsets, rows, hashed = np.append(0, np.cumsum(counts)), draw.permutation(len(counts)), _unmixed(words)
    np.testing.assert_array_equal(tb.mixed(hashed), words)
    one, other = (module.sketches(hashed, offsets, rows) for module in (compiled, vectorised))
    assert_same(one, other)
    tokens = np.split(one[3], one[4][1:-1])
    assert [row.tolist() for row in tokens] == [sorted(set((words[offsets[row] : offsets[row + 1]] >> np.uint64(33)).tolist()))[:32] for row in rows]


def test_shingles_that_differ_in_the_low_half_only_are_two():
    high, low = np.repeat(np.arange(100, 0, -1, dtype=np.uint64), 2), np.tile(np.array([0, 1], np.uint64), 100)
    words = [0, 0, 0]
    for gram in _unmixed((high << np.uint64(33)) + (low << np.uint64(1)))[:197].tolist():  # the word that makes the hash of the last four what it should be
        words.append((gram - sum(word * pow(int(tb.WORD_BASE), 3 - at, 2**64) for at, word in enumerate(words[-3:]))) % 2**64)
    for module in (compiled, vectorised):
        shingles, _, counts, *_ = module.sketches(np.array(words, np.uint64), np.array([0, 200]), np.array([0]))
        assert (shingles.tolist(), counts.tolist()) == (sorted(high[:197].tolist())[:48], [197])


def test_sketch_ignores_numbers_case_and_space():
    found = keys("Item 17 is  GOOD today", "item 94\nis good today")
    sketch = fp.sketches(found, np.arange(2))
    half = len(sketch.shingles) // 2
    assert sketch.shingles[:half].tolist() == sketch.shingles[half:].tolist() != []


def test_sketch_reads_head_and_tail_of_a_long_text():
    middle = ["x" * (n % 9 + 1) + "y" * (n % 7) for n in range(400)]
    head, tail = [f"head{'ab'[n % 2]}" * (n % 5 + 1) for n in range(120)], [f"tail{'cd'[n % 2]}" * (n % 5 + 1) for n in range(80)]
    found = keys(" ".join(head + middle + tail), " ".join(head + middle[::-1] + tail), " ".join(head + middle + tail[::-1]))
    assert found.skeleton[0] == found.skeleton[1] != found.skeleton[2]
    sketch = fp.sketches(found, np.arange(3))
    assert sketch.shingle_counts[0] == sketch.shingle_counts[1]


def test_namespaces_are_unrelated():
    of = spans([b"value"])
    assert fp.value_keys(of, "ip")[0] != fp.value_keys(of, "device")[0]
    assert fp.text_keys(of, "system-text")[0][0] != fp.text_keys(of, "response-text")[0][0]
    assert fp.number_keys(np.array([7], np.uint64), "a")[0] != fp.number_keys(np.array([7], np.uint64), "b")[0]


def test_values_are_keyed_byte_by_byte():
    found = fp.value_keys(spans([b"Key", b"key", b"key ", b"key\x00", b"", b"\x00", b"k" * 100, b"k" * 101]), "ip")
    assert len(set(found.tolist())) == 8
    assert (found >= 0).all()


def test_sequence_keys_see_order_only_if_asked():
    values = np.array([3, 5, 5, 3], np.uint64)
    starts, ends = np.array([0, 2]), np.array([2, 4])
    ordered, any_order = (fp.sequence_keys(values, starts, ends, "list", ordered=flag) for flag in (True, False))
    assert ordered[0] != ordered[1]
    assert any_order[0] == any_order[1]


def test_sliced_arrays_read_their_own_rows():
    array = pa.array(["zero", "one", None, "three"], pa.string())
    whole, part = fp.value_keys(fp.spans_of(array), "ip"), fp.value_keys(fp.spans_of(array.slice(1, 3)), "ip")
    assert whole[1:].tolist() == part.tolist()


@pytest.mark.parametrize("setting", ["0", "1"])
def test_keys_are_the_same_in_another_process(setting):
    program = (
        "import pyarrow as pa; from pipeline.measures import fingerprints as fp;"
        "print(fp.texts(fp.spans_of(pa.array(['Two 22 words'])), 'prompt').skeleton[0], fp._backend().__name__)"
    )
    environment = {**os.environ, "STILLHUNT_NO_NUMBA": setting, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"}
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment).stdout.split()
    assert int(out[0]) == keys("Two 22 words").skeleton[0]
    assert out[1].endswith("numpy" if setting == "1" else "numba")


ADDRESSES = st.lists(
    st.ip_addresses(v=4).map(str)
    | st.from_regex(r"[0-9]{1,4}(\.[0-9]{0,4}){2,4}[ x]?", fullmatch=True)
    | st.sampled_from(["", "1.2.3.4", "01.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "::1", "1.2.3.4\n", " 1.2.3.4", "1..2.3"]),
    max_size=20,
)


@settings(deadline=None)
@given(ADDRESSES)
def test_a_plain_address_gives_its_network_and_nothing_else_does(texts):
    given_spans = fp.spans_of(pa.array(texts, pa.string()))
    for backend in (compiled, vectorised):
        plain, data, stops = backend.ipv4_networks(given_spans.data, given_spans.starts, given_spans.ends)
        found = [data[start:end].tobytes().decode() for start, end in itertools.pairwise(stops.tolist())]
        assert plain.tolist() == [_is_plain(text) for text in texts]
        assert found == [str(ipaddress.ip_network(f"{text}/24", strict=False)) if _is_plain(text) else "" for text in texts]


def _is_plain(text):
    """As the standard library writes the address that it reads."""
    try:
        return str(ipaddress.IPv4Address(text)) == text
    except ValueError:
        return False
