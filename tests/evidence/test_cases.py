"""Cases on disk: what may be said, by whom it is reviewed, where the key lies, and a journal that shows every hand on it."""

from __future__ import annotations

import dataclasses
import json
import stat
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, InputError, IntegrityError, LockHeld, UsageError
from pipeline.evidence import casekeys, facts, imports
from pipeline.evidence.casefile import CaseFile, CaseFolder, reviewed
from pipeline.evidence.casejournal import NOTHING
from pipeline.evidence.cases import Case, Clause, OutsideFact, Superseded
from pipeline.history.prices import PriceSheet
from pipeline.provenance import sha256_bytes

FACT = OutsideFact("It was registered in May", "registry", "B2", "L4", "Ann", date(2026, 5, 3))
WHOLE = Case(
    "CASE-1",
    2,
    "Title \u202e<b>",
    "REVIEWED",
    "Ann",
    "Bob",
    (FACT,),
    (Clause("4.2", "2026-01", "a" * 64, date(2026, 1, 1), None, "bulk collection"), Clause("4.3", "1", "b" * 64, date(2026, 1, 1), date(2026, 2, 1), "")),
    PriceSheet(date(2026, 5, 1), "c" * 64, (("large-1", 3_000_000, 15_000_000),)),
    Superseded(1, (("acct-1", "It has no request."),)),
    ("N-1", "N-2"),
    hold=True,
    created_on=date(2026, 5, 3),
)
EMPTY = dataclasses.replace(WHOLE, version=1, status="DRAFT", reviewer="", facts=(), terms=(), prices=None, supersedes=None, hold=False)


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys of a test of its own."""
    monkeypatch.setenv("STILLHUNT_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture
def folder(tmp_path: Path, keys: Path) -> CaseFolder:
    """A case of the author Ann."""
    found = CaseFolder(tmp_path / "out", "CASE-1")
    with found.locked():
        found.create(EMPTY, "Ann")
    return found


def test_a_case_reads_back_as_it_was_written(tmp_path: Path, keys: Path) -> None:
    folder = CaseFolder(tmp_path / "out", "CASE-1")
    with folder.locked():
        made = folder.create(WHOLE, "Ann")
    assert folder.load() == made
    assert made.case == WHOLE
    assert json.loads((folder.path / "case.json").read_bytes())["hold"] is True


def test_the_key_is_outside_and_its_owner_s_alone(folder: CaseFolder, keys: Path) -> None:
    (path,) = keys.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    key = casekeys.read_key("CASE-1", folder.load().key_id, folder.out)
    assert len(key) == 32
    for file in folder.path.rglob("*"):
        assert not file.is_file() or (key not in file.read_bytes() and key.hex().encode() not in file.read_bytes())
    assert folder.load().key_id == sha256_bytes(key)[:16]


def test_a_key_that_is_gone_open_or_another_is_told_apart(folder: CaseFolder, keys: Path) -> None:
    (path,) = keys.iterdir()
    key_id = folder.load().key_id
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        casekeys.read_key("CASE-1", key_id, folder.out)
    path.write_text("00" * 32 + "\n")
    path.chmod(0o600)
    with pytest.raises(IntegrityError, match="not the key"):
        casekeys.read_key("CASE-1", key_id, folder.out)
    path.write_text("nonsense")
    with pytest.raises(InputError, match="cannot be read"):
        casekeys.read_key("CASE-1", key_id, folder.out)
    path.unlink()
    with pytest.raises(InputError, match="STILLHUNT_KEYS") as error:
        casekeys.read_key("CASE-1", key_id, folder.out)
    assert error.value.exit_code == 6


def test_keys_are_not_kept_where_cases_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLHUNT_KEYS", str(tmp_path / "out" / "cases" / "keys"))
    with pytest.raises(ConfigError, match="outside"):
        casekeys.make_key("CASE-1", tmp_path / "out")
    monkeypatch.delenv("STILLHUNT_KEYS")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert casekeys.keys_folder(tmp_path / "out") == tmp_path / "home" / ".config" / "stillhunt" / "keys"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", "a b", "x" * 65, "CON", "a.", "a..b", "caf\u00e9", "a\x00", "a\n"])
def test_an_id_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        CaseFolder(tmp_path, name)


def test_two_people_and_never_one(folder: CaseFolder) -> None:
    with pytest.raises(InputError, match="somebody else"):
        reviewed(EMPTY, "  ANN ")
    second = reviewed(EMPTY, "Bob")
    assert (second.status, second.reviewer) == ("REVIEWED", "Bob")
    with pytest.raises(InputError, match="its author, Ann"):
        reviewed(second, "Bob")
    last = reviewed(second, "ann")
    assert (last.status, last.author, last.reviewer) == ("FINAL", "Ann", "Bob")
    for anyone in ("Ann", "Bob", "Eve"):
        with pytest.raises(InputError, match="FINAL already"):
            reviewed(last, anyone)
    with pytest.raises(InputError, match="no author"):
        reviewed(dataclasses.replace(EMPTY, author=""), "Bob")


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("title", "Another", "DRAFT"), ("facts", (FACT,), "DRAFT"), ("networks", ("N-9",), "DRAFT"), ("hold", True, "FINAL"), ("title", EMPTY.title, "FINAL")],
)
def test_what_changes_the_report_makes_it_a_draft_again(folder: CaseFolder, field: str, value: object, status: str) -> None:
    with folder.locked():
        final = folder.save(dataclasses.replace(folder.load(), case=dataclasses.replace(EMPTY, status="FINAL", reviewer="Bob")), "Ann", "review", {})
        after = folder.change(final, "Ann", "edit", {}, **{field: value})
    assert (after.case.status, after.case.reviewer) == (status, "" if status == "DRAFT" else "Bob")
    assert folder.load() == after


def _changed(folder: CaseFolder, times: int = 2) -> CaseFile:
    with folder.locked():
        for number in range(times):
            folder.change(folder.load(), f"person {number}", "edit", {"title": str(number)}, title=str(number))
    return folder.load()


def test_the_journal_chains_every_change(folder: CaseFolder) -> None:
    file = _changed(folder)
    entries = folder.journal(file)
    lines = (folder.path / "journal.jsonl").read_bytes().splitlines()
    assert [(entry["seq"], entry["action"], entry["actor"]) for entry in entries] == [(1, "new", "Ann"), (2, "edit", "person 0"), (3, "edit", "person 1")]
    assert [entry["prev_sha256"] for entry in entries] == [NOTHING, *(sha256_bytes(line) for line in lines[:-1])]
    assert file.journal.sha256 == sha256_bytes(lines[-1])
    assert len({entry["object_sha256"] for entry in entries}) == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [lines[0].replace(b"Ann", b"Eve"), *lines[1:]],
        lambda lines: [*lines[:-1], lines[-1].replace(b"person 1", b"person 7")],
        lambda lines: [b"[]", *lines[1:]],
        lambda _: [],
    ],
)
def test_a_journal_that_was_touched_is_recognised_and_not_added_to(folder: CaseFolder, spoil: object) -> None:
    file = _changed(folder)
    path = folder.path / "journal.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in spoil(path.read_bytes().splitlines())))  # type: ignore[operator]
    with pytest.raises(IntegrityError, match="journal"):
        folder.journal(file)
    with folder.locked(), pytest.raises(IntegrityError):
        folder.change(file, "Eve", "edit", {}, title="x")
    assert folder.load() == file


def test_a_command_killed_between_journal_and_case_leaves_a_case_that_goes_on(folder: CaseFolder) -> None:
    file = _changed(folder)
    before = (folder.path / "case.json").read_bytes()
    with folder.locked():
        folder.change(file, "Ann", "edit", {}, title="never written")
    (folder.path / "case.json").write_bytes(before)
    with (folder.path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"half a li')
    assert len(folder.journal(folder.load())) == 4
    with folder.locked():
        after = folder.change(folder.load(), "Ann", "edit", {}, title="written")
    assert [entry["seq"] for entry in folder.journal(after)] == [1, 2, 3, 4, 5]


def test_a_case_that_is_being_changed_is_not_changed_by_another(folder: CaseFolder) -> None:
    with folder.locked(), pytest.raises(LockHeld), CaseFolder(folder.out, "CASE-1").locked():
        pass


def test_a_case_json_that_is_not_ours_is_an_integrity_error(folder: CaseFolder) -> None:
    path = folder.path / "case.json"
    document = json.loads(path.read_bytes())
    for spoiled in ({"schema": "other"}, {"created_on": "yesterday"}, {"facts": [{}]}, {"journal": {}}):
        path.write_text(json.dumps(document | spoiled))
        with pytest.raises(IntegrityError, match=r"case\.json"):
            folder.load()


PRICES_TOML = (
    'as_of = 2026-05-01\n[[price]]\nmodel = "b"\ninput_micro_usd_per_million = 1\noutput_micro_usd_per_million = 2\n'
    '[[price]]\nmodel = "a"\ninput_micro_usd_per_million = 3000000\noutput_micro_usd_per_million = 15000000\n'
)
PRICES_CSV = "as_of,model,input_micro_usd_per_million,output_micro_usd_per_million\n2026-05-01,b,1,2\n2026-05-01,a,3000000,15000000\n"


@pytest.mark.parametrize(("name", "text"), [("p.toml", PRICES_TOML), ("p.csv", PRICES_CSV)])
def test_prices_are_whole_micro_dollars_of_one_day(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    sheet = imports.read_prices(tmp_path / name)
    assert sheet == PriceSheet(date(2026, 5, 1), sha256_bytes(text.encode()), (("a", 3_000_000, 15_000_000), ("b", 1, 2)))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("p.toml", "= 3000000", "= 3.0"),
        ("p.toml", "= 3000000", "= -1"),
        ("p.toml", "= 3000000", "= true"),
        ("p.toml", 'model = "b"', 'model = "a"'),
        ("p.toml", "as_of = 2026-05-01", ""),
        ("p.toml", "as_of = 2026-05-01", "as_of = 3"),
        ("p.toml", "[[price]]", "[[prize]]"),
        ("p.toml", "[[price]]", "[[price"),
        ("p.csv", "3000000", "3,0"),
        ("p.csv", "3000000", "3e6"),
        ("p.csv", "2026-05-01,b", "2026-05-02,b"),
        ("p.csv", "as_of,", "day,"),
        ("p.csv", "2026-05-01,b,1,2\n2026-05-01,a,3000000,15000000\n", ""),
        ("p.csv", "as_of", "\udcffas_of"),
        ("p.txt", "", ""),
    ],
)
def test_a_price_sheet_that_says_something_else_is_refused(tmp_path: Path, name: str, old: str, new: str) -> None:
    text = (PRICES_TOML if name.endswith("toml") else PRICES_CSV).replace(old, new, 1)
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=name):
        imports.read_prices(tmp_path / name)
    with pytest.raises(InputError, match=r"nothing\.toml"):
        imports.read_prices(tmp_path / "nothing.toml")


TERMS_TOML = '[[clause]]\nclause_id = "4.2"\nversion = "1"\ntext = "No resale."\nin_force_from = 2026-01-01\nin_force_to = 2026-06-01\nbehaviour = "resale"\n'
TERMS_CSV = "clause_id,version,text,in_force_from,in_force_to,behaviour\n4.2,1,No resale.,2026-01-01,2026-06-01,resale\n"


@pytest.mark.parametrize(
    ("name", "text"), [("t.toml", TERMS_TOML), ("t.csv", TERMS_CSV), ("t.csv", TERMS_CSV.replace("text", "sha256").replace("No resale.", sha256_bytes(b"No resale.")))]
)
def test_of_a_clause_the_hash_of_its_text_is_kept(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert imports.read_terms(tmp_path / name) == (Clause("4.2", "1", sha256_bytes(b"No resale."), date(2026, 1, 1), date(2026, 6, 1), "resale"),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('text = "No resale."', ""),
        ('text = "No resale."', 'text = "x"\nsha256 = "' + "a" * 64 + '"'),
        ('text = "No resale."', 'sha256 = "ABC"'),
        ("2026-06-01", "2026-01-01"),
        ("2026-01-01", '"spring"'),
        ('version = "1"', "version = 1"),
        ('behaviour = "resale"', 'motive = "greed"'),
        ("[[clause]]", "[clause]"),
        (TERMS_TOML, TERMS_TOML * 2),
        (TERMS_TOML, ""),
    ],
)
def test_terms_that_say_something_else_are_refused(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "t.toml").write_text(TERMS_TOML.replace(old, new, 1))
    with pytest.raises(InputError, match=r"t\.toml"):
        imports.read_terms(tmp_path / "t.toml")


WORDS = {"rung": "L4", "grade": "b2", "source": "registry", "text": "Registered by Example Trading Ltd", "by": "Ann"}


def test_an_outside_fact_is_graded_and_names_are_found() -> None:
    fact = facts.outside_fact(WORDS, date(2026, 5, 3))
    assert (fact.grade, fact.rung, fact.date) == ("B2", "L4", date(2026, 5, 3))
    assert facts.organisations(fact, ["  Other   House "]) == ("Example Trading Ltd", "Other House")


@pytest.mark.parametrize(
    ("name", "value"), [("grade", "G2"), ("grade", "B7"), ("grade", "B"), ("grade", "B22"), ("text", " "), ("source", ""), ("by", "\n"), ("text", "x" * 2001), ("by", "x" * 201)]
)
def test_a_fact_without_grade_source_or_person_is_refused(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"--{name}"):
        facts.outside_fact(WORDS | {name: value}, date(2026, 5, 3))
