"""`bundle seal`: what is in a bag and what is not, versions, equal bytes, refusals, a stop on the way, other programs' opinion of it."""

from __future__ import annotations

import csv
import json
import re
import shutil
import socket
import subprocess
from datetime import date
from pathlib import Path

import bagit
import polars as pl
import pytest

from pipeline.errors import ConfigError, InputError, IntegrityError, LintFailed
from pipeline.evidence import bundle, verify
from pipeline.evidence.bundle import Sealed, Sealing
from pipeline.evidence.casefile import CaseFolder
from pipeline.evidence.finished import FinishedRun
from pipeline.operations import retention
from pipeline.store import open_store
from tests.evidence.conftest import CASE, SECRET, TODAY

PRIVATE = re.compile(rb"pool-\d{3}|person-\d{3}|(?<![\d.])(?:203\.0\.113|198\.51\.100|10\.\d{1,3}\.\d{1,3})\.\d{1,3}(?!\d|/24)|ann@host")


def _seal(out: Path, profile: str | None = "internal", today: date = TODAY, **more: object) -> tuple[Sealed, ...]:
    order = {"by": "", "key_file": None, "despite_lint": False} | more
    return bundle.seal(out, Sealing(CASE, profile, today=today, **order))  # type: ignore[arg-type]


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def _key(path: Path) -> Path:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True, capture_output=True)
    path.chmod(0o600)
    return path


def test_another_program_finds_both_bags_valid(sealed: dict[str, Path]) -> None:
    for bag in sealed.values():
        found = bagit.Bag(str(bag))
        found.validate()
        assert (found.version_info, found.info["External-Identifier"], found.info["Bagging-Date"]) == ((1, 0), CASE, "2026-06-01")


def test_a_bag_holds_what_the_reader_needs(sealed: dict[str, Path], built: Path) -> None:
    bag, run = sealed["internal"], FinishedRun(built)
    manifest = run.manifest()
    expected = dict(reversed(line.split("  ")) for line in (bag / "data/50_repro/expected.sha256").read_text().splitlines())  # type: ignore[misc]
    assert expected == {f"tables/{name}.parquet": table["sha256"] for name, table in manifest["tables"].items()} | manifest["pages"]
    told = json.loads((bag / "data/40_method/run.json").read_text())
    assert told == {key: value for key, value in manifest.items() if key != "measured"}
    members = _rows(bag / "data/20_exhibits/members.csv")
    (network,) = run.where("networks", tier="refer")["network_id"]
    assert sorted(row["account_id"] for row in members) == sorted(run.where("members", network_id=network)["account_id"])
    sources = _rows(bag / "data/30_source/sources.csv")
    assert [(row["path"], row["rows"], row["bytes"], row["sha256"]) for row in sources if row["kind"] == "log"] == [
        (one["name"], str(one["rows"]), str(one["size_bytes"]), one["sha256"]) for one in manifest["inputs"]
    ]
    assert [row["sha256"] for row in sources if row["kind"] == "accounts"] == [manifest["recipe"]["tables"]["accounts"]]
    assert not list(bag.rglob("*.parquet")), "no raw log, no table of the run"
    evidence = _rows(bag / "data/20_exhibits/evidence.csv")
    findings = run.where("findings", network_id=network)["finding_id"]
    assert len(evidence) == run.table("evidence").filter(pl.col("finding_id").is_in(findings.implode())).height > 0


def test_outside_internal_no_byte_names_anybody(sealed: dict[str, Path], built: Path) -> None:
    inside, outside = _files(sealed["internal"]), _files(sealed["public"])
    assert any(PRIVATE.search(data) for data in inside.values()), "the search would find it"
    assert [name for name, data in outside.items() if PRIVATE.search(data)] == []
    accounts = pl.read_parquet(built / "latest" / "tables" / "accounts.parquet")["account_id"].to_list()
    requests = pl.read_parquet(built / "latest" / "tables" / "evidence.parquet")["request_id"].to_list()
    words = {word for data in outside.values() for word in re.findall(r"[\w.:-]+", data.decode("utf-8", "replace"))}
    assert words.isdisjoint({*accounts, *requests})
    assert "ACCT-" in outside["data/60_custody/case.json"].decode(), "the account in the fact is a pseudonym"


def test_no_bag_names_the_machine_or_quotes_a_prompt(sealed: dict[str, Path], built: Path, tiny_log: Path) -> None:
    prompts = {text for path in tiny_log.rglob("*.parquet") for text in pl.read_parquet(path, columns=["prompt"])["prompt"].drop_nulls().head(300)}
    assert prompts
    paths = (str(built), str(tiny_log), str(Path.home()), "/tmp/", socket.gethostname())
    for bag in sealed.values():
        for name, data in _files(bag).items():
            text = data.decode("utf-8", "replace")
            assert not [path for path in paths if path in text], name
            assert not [prompt for prompt in prompts if len(prompt) > 30 and prompt in text], name


def test_the_same_case_gives_the_same_bytes_and_the_date_is_in_one_place(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "other", symlinks=True)
    (one,), (other,) = _seal(out, today=TODAY), _seal(tmp_path / "other", today=date(2027, 1, 1))
    first, second = _files(one.path), _files(other.path)
    assert {name for name in first if first[name] != second[name]} == {"bag-info.txt", "README.txt", "tagmanifest-sha256.txt"}
    assert first["bag-info.txt"].replace(b"2026-06-01", b"2027-01-01") == second["bag-info.txt"]
    assert first["README.txt"].replace(b"2026-06-01", b"2027-01-01") == second["README.txt"]


def test_a_sealed_bag_is_never_written_again(out: Path) -> None:
    (first,) = _seal(out)
    before = _files(first.path)
    (again,) = _seal(out, today=date(2026, 7, 1))
    assert (again.path, again.is_new, again.seal) == (first.path, False, first.seal)
    folder = CaseFolder(out, CASE)
    seals = [entry["details"] for entry in folder.journal(folder.load()) if entry["action"] == "seal"]
    assert [(one["bag"], one["seal"]) for one in seals] == [("CASE-1_internal_v1", first.seal)]
    with folder.locked():
        folder.change(folder.load(), "Ann", "hold on", {"hold": True}, hold=True)
    (second,) = _seal(out)
    assert (second.path.name, second.is_new) == ("CASE-1_internal_v2", True)
    assert _files(first.path) == before
    entries = [json.loads(line) for line in (second.path / "data/60_custody/journal.jsonl").read_text().splitlines()]
    assert [entry["action"] for entry in entries][-2:] == ["seal", "hold on"]


def test_a_bag_that_was_changed_or_emptied_is_not_taken_for_what_is_sealed(out: Path) -> None:
    for number in (2, 3):
        (last,) = _seal(out)
        for path in sorted(last.path.iterdir()):
            if number == 3 or path.name == "bag-info.txt":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (fresh,) = _seal(out)
        assert (fresh.path.name, fresh.is_new) == (f"CASE-1_internal_v{number}", True)
        assert last.path.is_dir(), "it is left as it is"


def test_a_stop_on_the_way_leaves_nothing_half_and_the_next_command_goes_on(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.evidence.bundle.Store.replace_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            _seal(out)
    folder = out / "cases" / CASE / "bundles"
    (left,) = folder.iterdir()
    assert left.name.startswith(".")
    (left / "data" / "stray").write_text("of the stopped command")
    (one,) = _seal(out)
    assert [path.name for path in folder.iterdir()] == [one.path.name] == ["CASE-1_internal_v1"]
    assert all(check.passed for check in verify.check(one.path))


def test_a_bag_whose_seal_did_not_reach_the_journal_gets_it(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.evidence.bundle._journaled", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _seal(out)
    folder = CaseFolder(out, CASE)
    assert not [entry for entry in folder.journal(folder.load()) if entry["action"] == "seal"]
    (one,) = _seal(out)
    assert (one.path.name, one.is_new) == ("CASE-1_internal_v1", False)
    assert [entry["details"]["seal"] for entry in folder.journal(folder.load()) if entry["action"] == "seal"] == [one.seal]


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("cases/CASE-1/internal/incident.html", "was changed"),
        ("cases/CASE-1/internal/data/members.csv", "is missing"),
        ("cases/CASE-1/internal/data/more.csv", "was added"),
        ("cases/CASE-1/journal.jsonl", "journal was"),
        ("cases/CASE-1/case.json", "changed by hand"),
        ("latest/tables/members.parquet", "not what the run wrote"),
        ("latest/index.html", "not what the run wrote"),
    ],
)
def test_what_was_changed_since_it_was_recorded_is_not_sealed(out: Path, place: str, word: str) -> None:
    path = out / place
    if word == "is missing":
        path.unlink()
    elif word == "was added":
        path.write_text("x")
    elif place.endswith(".json"):
        path.write_text(path.read_text().replace('"title": "Case CASE-1"', '"title": "Case CASE-2"'))
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match=word):
        _seal(out)
    assert not (out / "cases" / CASE / "bundles").exists()


def test_a_report_of_an_earlier_state_of_the_case_is_not_sealed(out: Path) -> None:
    folder = CaseFolder(out, CASE)
    with folder.locked():
        folder.change(folder.load(), "Ann", "edit", {"title": "Other"}, title="Other")
    with pytest.raises(InputError, match="earlier version than the case"):
        _seal(out)
    with pytest.raises(InputError, match="has no counsel report"):
        _seal(out, "counsel")


def test_lint_findings_refuse_unless_somebody_says_otherwise(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.evidence.bundle.lint_of", lambda *_: ("one", "two"))
    with pytest.raises(LintFailed, match=r"2 lint findings.*--despite-lint"):
        _seal(out)
    assert LintFailed.exit_code == 3
    (one,) = _seal(out, despite_lint=True)
    assert "Stillhunt-Lint-Findings: 2" in (one.path / "bag-info.txt").read_text()
    assert "2 lint findings" in (one.path / "README.txt").read_text()


def test_a_signed_bag_holds_for_openssl_too(out: Path, tmp_path: Path) -> None:
    (one,) = _seal(out, key_file=_key(tmp_path / "key.pem"))
    assert one.is_signed
    checked = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", one.path / "signature/public-key.pem", "-rawin", "-in", one.path / "tagmanifest-sha256.txt"]
    subprocess.run([*checked, "-sigfile", one.path / "signature/tagmanifest-sha256.txt.sig"], check=True, capture_output=True)
    bagit.Bag(str(one.path)).validate()
    assert all(check.passed for check in verify.check(one.path))
    (plain,) = _seal(out)
    assert (plain.path.name, plain.is_signed) == ("CASE-1_internal_v2", False), "signed and unsigned are two bags"


def test_keys_that_cannot_sign_are_refused(out: Path, tmp_path: Path) -> None:
    key, inside = _key(tmp_path / "key.pem"), _key(out / "key.pem")
    rsa = tmp_path / "rsa.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa], check=True, capture_output=True)
    rsa.chmod(0o600)
    (tmp_path / "text.pem").write_text("no key")
    (tmp_path / "text.pem").chmod(0o600)
    open_to_all = shutil.copy(key, tmp_path / "open.pem")
    Path(open_to_all).chmod(0o644)
    for path, error, word in (
        (tmp_path / "gone.pem", InputError, "cannot be read"),
        (rsa, InputError, "another kind"),
        (tmp_path / "text.pem", InputError, "no private key"),
        (Path(open_to_all), InputError, "chmod 600"),
        (inside, ConfigError, "inside the output folder"),
    ):
        with pytest.raises(error, match=word):
            _seal(out, key_file=path)
    assert not (out / "cases" / CASE / "bundles").exists()


def test_the_journal_of_a_released_bag_can_be_matched_with_the_original_by_the_key_alone(sealed: dict[str, Path]) -> None:
    inside, outside = ([json.loads(line) for line in (sealed[name] / "data/60_custody/journal.jsonl").read_text().splitlines()] for name in ("internal", "public"))
    assert [(entry["seq"], entry["utc"], entry["action"]) for entry in inside] == [(entry["seq"], entry["utc"], entry["action"]) for entry in outside]
    assert SECRET in (sealed["internal"] / "data/60_custody/journal.jsonl").read_text()
    assert all(re.fullmatch(r"VAL-[0-9A-Z]{4}-[0-9A-Z]{4}", entry["original"]) for entry in outside)


def test_gc_leaves_sealed_bags_alone(out: Path) -> None:
    (one,) = _seal(out)
    before = _files(one.path)
    with open_store(out) as store:
        retention.apply(store, retention.plan(store, 1, date(2030, 1, 1)))
    assert _files(one.path) == before
