"""The journal: chained, append-only, one writer at a time; what stands of it, and what a crash or a hand may do to it."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import IntegrityError, LockHeld
from pipeline.history.journal import FIRST, NAME, Entry, content_sha256, head_of, read_journal
from pipeline.history.standing import revoked_numbers, standing, unrevoked
from pipeline.operations.recording import journal_lock, record

NIGHT = dt.date(2026, 5, 3)


def note(text: str = "seen") -> dict[str, object]:
    return {"subject": "N-0000000001", "text": text}


def entry(number: int, kind: str, **content: object) -> Entry:
    return Entry(number, "2026-05-03T08:00:00Z", "Ann", kind, content, content_sha256(content), FIRST)


def disposition(number: int, verdict: str, network: str = "N-0000000001") -> Entry:
    return entry(number, "disposition", network_id=network, verdict=verdict, reason="r", night="2026-05-03", run_id="0" * 12, seen={})


def allow(number: int, until: str, subject: str = "N-0000000001") -> Entry:
    return entry(number, "allow", subject=subject, is_network=True, reason="r", until=until, night="2026-05-03", run_id="0" * 12, seen={"account_count": 8})


def test_entries_come_back_in_order_each_chained_to_the_one_before(tmp_path: Path) -> None:
    assert read_journal(tmp_path) == ()
    written = [record(tmp_path, "note", note(str(number)), "Ann") for number in range(3)]
    assert read_journal(tmp_path) == tuple(written)
    assert [one.number for one in written] == [1, 2, 3]
    assert [one.previous for one in written] == [FIRST, written[0].sha256(), written[1].sha256()]
    assert head_of(written) == written[-1].sha256()


def test_equal_contents_have_unequal_hashes(tmp_path: Path) -> None:
    """Else the hash of a content that was erased would still tell it to whoever guesses it."""
    one, other = (record(tmp_path, "note", note(), "Ann") for _ in range(2))
    assert one.content_sha256 != other.content_sha256


@pytest.mark.parametrize("torn", [b"{", b'{"number": 3}', b"\xff\xfe\x00", b'{"number":3,"at":"2026'])
def test_a_torn_last_line_is_left_out_and_removed_by_the_next_writer(tmp_path: Path, torn: bytes) -> None:
    kept = [record(tmp_path, "note", note(), "Ann") for _ in range(2)]
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole + torn)
    assert read_journal(tmp_path) == tuple(kept)
    third = record(tmp_path, "note", note("third"), "Ann")
    assert (tmp_path / NAME).read_bytes() == whole + third.line()


def test_a_whole_line_whose_newline_was_torn_off_was_never_acknowledged(tmp_path: Path) -> None:
    record(tmp_path, "note", note(), "Ann")
    record(tmp_path, "note", note(), "Ann")
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:-1])
    assert len(read_journal(tmp_path)) == 1
    assert record(tmp_path, "note", note(), "Ann").number == 2


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of three notes."""
    folder = tmp_path_factory.mktemp("journal")
    for text in ("one", "two", "three"):
        record(folder, "note", note(text), "Ann")
    return folder


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.sampled_from(b"0aZ}"))
def test_a_changed_byte_of_a_whole_line_is_found(written: Path, place: int, byte: int) -> None:
    whole = (written / NAME).read_bytes()
    lines = whole.split(b"\n")[:-1]
    line = lines[place % 3]
    at = place // 3 % len(line)
    lines[place % 3] = line[:at] + bytes([byte]) + line[at + 1 :]
    try:
        (written / NAME).write_bytes(b"\n".join(lines) + b"\n")
        if line[at] == byte:
            assert len(read_journal(written)) == 3
        else:
            with pytest.raises(IntegrityError, match=r"line [123] "):
                read_journal(written)
    finally:
        (written / NAME).write_bytes(whole)


@pytest.mark.parametrize("damage", ["first gone", "middle gone", "swapped", "twice"])
def test_lines_cannot_be_taken_out_swapped_or_repeated(tmp_path: Path, damage: str) -> None:
    for text in ("one", "two", "three"):
        record(tmp_path, "note", note(text), "Ann")
    lines = (tmp_path / NAME).read_bytes().splitlines(keepends=True)
    changed = {"first gone": lines[1:], "middle gone": [lines[0], lines[2]], "swapped": [lines[1], lines[0], lines[2]], "twice": [*lines, lines[2]]}[damage]
    (tmp_path / NAME).write_bytes(b"".join(changed))
    with pytest.raises(IntegrityError):
        read_journal(tmp_path)


def write_some(folder: Path, name: str, count: int) -> None:
    for number in range(count):
        record(folder, "note", note(f"{name} {number}"), name)


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_some, args=(tmp_path, f"writer {number}", 8)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(str(one.content["text"]) for one in read_journal(tmp_path)) == sorted(f"writer {number} {line}" for number in range(3) for line in range(8))


def test_a_writer_that_does_not_let_go_is_told(tmp_path: Path) -> None:
    with journal_lock(tmp_path), pytest.raises(LockHeld), journal_lock(tmp_path, wait_s=0.1):
        pass


def test_the_newest_standing_word_counts() -> None:
    found = standing([disposition(1, "benign"), disposition(2, "confirmed"), disposition(3, "unsure", "N-0000000002")])
    assert found.dispositions["N-0000000001"].verdict == "confirmed"
    assert [word.network_id for word in found.verdict("unsure")] == ["N-0000000002"]
    again = standing([disposition(1, "benign"), disposition(2, "confirmed"), entry(3, "revoke", entry=2, reason="r")])
    assert again.dispositions["N-0000000001"].verdict == "benign"


def test_an_allow_entry_ends_with_its_day() -> None:
    found = standing([allow(1, "2026-05-03"), allow(2, "2026-05-02", "N-0000000002")])
    assert set(found.allowed_on(NIGHT)) == {"N-0000000001"}
    assert set(found.allowed_on(NIGHT + dt.timedelta(days=1))) == set()
    assert len(found.allowed) == 2, "expired entries stay on record"


def test_of_two_allow_entries_the_longer_one_holds() -> None:
    found = standing([allow(1, "2026-06-01"), allow(2, "2026-05-10")])
    assert found.allowed_on(NIGHT)["N-0000000001"].number == 1
    assert found.allowed_on(dt.date(2026, 5, 20))["N-0000000001"].number == 1


@given(st.lists(st.integers(1, 8), max_size=12))
def test_revoking_is_reversible_and_only_the_last_word_in_a_chain_counts(targets: list[int]) -> None:
    """Known answer another way: an entry stands if no standing later entry revokes it, worked out from the newest entry back."""
    entries = [entry(number, "note", subject="s", text="t") for number in range(1, 4)]
    for target in targets:
        number = len(entries) + 1
        if target < number:
            entries.append(entry(number, "revoke", entry=target, reason="r"))
    stands = dict.fromkeys(range(1, len(entries) + 1), True)
    for number in range(len(entries), 0, -1):
        one = entries[number - 1]
        if one.kind == "revoke" and stands[number]:
            stands[int(one.content["entry"])] = False
    assert revoked_numbers(entries) == {number for number, still in stands.items() if not still}
    assert [one.number for one in unrevoked(entries)] == [number for number in (1, 2, 3) if stands[number]]


def test_a_line_is_one_line_whatever_is_said(tmp_path: Path) -> None:
    record(tmp_path, "note", note("a\nb\r\u2028\u202e</script>\x00"), "Ann\n")
    data = (tmp_path / NAME).read_bytes()
    assert data.count(b"\n") == 1
    assert data.isascii()
    assert json.loads(data)["content"]["text"] == "a\nb\r\u2028\u202e</script>\x00"
