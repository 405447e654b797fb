"""What `report build` does around a document: versions, corrections, review, lint, keys, bytes."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError, IntegrityError, PdfUnavailable, UsageError
from pipeline.evidence import corrections, reviewing
from pipeline.evidence.building import HTML, LINT, PDF, Built, Document, Order, build, lint_of, new_case
from pipeline.evidence.casefile import CaseFolder
from pipeline.evidence.cases import Case, OutsideFact
from pipeline.evidence.finished import FinishedRun
from pipeline.pages import pdf
from pipeline.provenance import sha256_file
from pipeline.redaction import Profile, Release
from tests.evidence.standin import stand_in

CASE = "CASE-1"


@pytest.fixture
def out(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished output folder, with keys of its own."""
    monkeypatch.setenv("STILLHUNT_KEYS", str(tmp_path / "keys"))
    shutil.copytree(finished, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


@pytest.fixture
def network(out: Path) -> str:
    """The planted network."""
    return str(FinishedRun(out).where("networks", tier="refer")["network_id"][0])


def _build(out: Path, *networks: str, profile: Profile = "internal", **more: object) -> Built:
    return build(out, Order(CASE, networks, profile, author="Ann", **more), stand_in)  # type: ignore[arg-type]


def _next_run(out: Path, name: str, change: Callable[[pl.DataFrame], pl.DataFrame], *tables: str) -> FinishedRun:
    """Another run, which `latest` then points to: as the last one but for what `change` makes of some tables."""
    old = FinishedRun(out)
    shutil.copytree(old.folder, out / "runs" / name)
    (out / "runs" / name / "run.json").write_text(json.dumps(old.manifest() | {"run_id": name}))
    for table in tables:
        path = out / "runs" / name / "tables" / f"{table}.parquet"
        change(pl.read_parquet(path)).write_parquet(path)
    _recorded(out / "runs" / name)
    (out / "latest").unlink()
    (out / "latest").symlink_to(Path("runs") / name)
    return FinishedRun(out)


def _recorded(folder: Path) -> None:
    """What run.json says of each table's bytes, made true again."""
    manifest = json.loads((folder / "run.json").read_text())
    for name in manifest["tables"]:
        manifest["tables"][name]["sha256"] = sha256_file(folder / "tables" / f"{name}.parquet")
    (folder / "run.json").write_text(json.dumps(manifest))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_command_makes_the_case_and_again_the_same_bytes(out: Path, network: str) -> None:
    first = _build(out, network)
    assert (first.is_new_case, first.is_unchanged, first.case.version, first.case.status) == (True, False, 1, "DRAFT")
    assert str(first.case.created_on) == FinishedRun(out).manifest()["night"]
    before = _files(out / "cases" / CASE)
    again = _build(out, network)
    assert (again.is_new_case, again.is_unchanged) == (False, True)
    assert _files(out / "cases" / CASE) == before
    assert set(_files(first.folder)) == {HTML, LINT, "data/members.csv"}


@pytest.mark.parametrize("profile", ["counsel", "partner", "public"])
def test_outside_internal_no_id_leaves_and_the_pseudonyms_are_the_same_in_all(out: Path, network: str, profile: Profile) -> None:
    members = FinishedRun(out).where("members", network_id=network)["account_id"].to_list()
    shown = _files(_build(out, network, profile=profile).folder)
    assert not [name for name in members for data in shown.values() if name.encode() in data]
    assert shown["data/members.csv"] == _files(_build(out, network, profile="counsel").folder)["data/members.csv"]
    assert shown["data/members.csv"].count(b"ACCT-") == len(members)


def test_without_its_key_a_case_has_no_pseudonyms_and_internal_goes_on(out: Path, network: str, tmp_path: Path) -> None:
    _build(out, network, profile="counsel")
    shutil.rmtree(tmp_path / "keys")
    before = _files(out / "cases" / CASE)
    with pytest.raises(InputError, match="key of case CASE-1 is not here"):
        _build(out, network, profile="counsel")
    assert _files(out / "cases" / CASE) == before
    assert _build(out, network).case.version == 1


def test_networks_that_are_not_there_are_refused_and_nothing_is_made(out: Path, network: str) -> None:
    with pytest.raises(InputError, match=f"Did you mean {network}"):
        _build(out, network[:-1] + "x")
    with pytest.raises(UsageError, match="which networks"):
        _build(out)
    assert not (out / "cases").exists()


def _reviewed(out: Path, *people: str) -> None:
    folder = CaseFolder(out, CASE)
    for person in people:
        with folder.locked():
            reviewing.review(folder, person)


def test_review_stands_on_a_report_and_shows_once_it_is_built_again(out: Path, network: str) -> None:
    _build(out, network)
    _reviewed(out, "Bob")
    assert "is a REVIEWED" in (_build(out).folder / HTML).read_text()
    _reviewed(out, "Ann")
    built = _build(out)
    assert "is a FINAL" in (built.folder / HTML).read_text()
    assert (built.case.version, built.case.reviewer) == (1, "Bob")
    assert corrections.kept(out / "cases" / CASE, 1).status == "FINAL"  # type: ignore[union-attr]


def test_nothing_is_reviewed_that_is_not_built_clean_and_of_the_case_as_it_stands(out: Path, network: str) -> None:
    folder = CaseFolder(out, CASE)
    with folder.locked():
        folder.create(new_case(FinishedRun(out), CASE, (network,), "", "Ann"), "Ann")
    with pytest.raises(InputError, match="no report was built"):
        _reviewed(out, "Bob")
    _build(out)
    with folder.locked():
        folder.change(folder.load(), "Ann", "edit", {}, title="This proves it")
    with pytest.raises(InputError, match="changed since"):
        _reviewed(out, "Bob")
    assert _build(out).findings
    with pytest.raises(InputError, match="findings"):
        _reviewed(out, "Bob")


def test_a_final_case_whose_page_says_too_much_falls_back_to_a_draft(out: Path, network: str) -> None:
    """The words change, not the case: only lint can see it."""

    def proving(run: FinishedRun, case: Case, networks: Sequence[str], release: Release) -> Document:
        found = stand_in(run, case, networks, release)
        return dataclasses.replace(found, html=found.html.replace("</body>", "<p>This proves it.</p></body>"))

    _build(out, network)
    _reviewed(out, "Bob", "Ann")
    built = build(out, Order(CASE, (), "internal"), proving)
    assert [finding.rule for finding in built.findings] == ["banned_word"]
    assert (built.case.status, built.case.reviewer) == ("DRAFT", "")
    assert "is a DRAFT" in (built.folder / HTML).read_text()
    assert CaseFolder(out, CASE).load().case.status == "DRAFT"
    assert lint_of(built.folder, ()) == built.findings
    assert json.loads((built.folder / LINT).read_bytes())["findings"][0]["found"] == "proves"


def test_no_report_is_made_of_a_table_that_says_something_else_than_the_run(out: Path, network: str) -> None:
    path = out / "latest" / "tables" / "members.parquet"
    frame = pl.read_parquet(path)
    path.unlink()  # a copy of the run may share the file with its scratch
    frame.with_columns(pl.lit("core").alias("role"), pl.lit(1.0).alias("membership")).write_parquet(path, compression="gzip")
    assert FinishedRun(out).where("members", network_id=network).height == frame.filter(pl.col("network_id") == network).height, "it can be read"
    with pytest.raises(IntegrityError, match=r"members\.parquet: is not what the run wrote"):
        _build(out, network)
    assert not (out / "cases").exists()


def test_a_member_that_is_gone_is_named_with_the_reason_the_run_gives(out: Path, network: str) -> None:
    members = sorted(FinishedRun(out).where("members", network_id=network)["account_id"].to_list())
    quiet, loose = members[:2]
    _build(out, network)
    _reviewed(out, "Bob", "Ann")
    _build(out, profile="counsel")
    _next_run(out, "0123456789ab", lambda frame: frame.filter(~pl.col("account_id").is_in([quiet, loose])), "members")
    gone = out / "latest" / "tables" / "accounts.parquet"
    frame = pl.read_parquet(gone).filter(pl.col("account_id") != quiet)
    frame.with_columns(network_id=pl.when(pl.col("account_id") == loose).then(None).otherwise("network_id")).write_parquet(gone)
    _recorded(out / "latest")
    built = _build(out)
    assert (built.case.version, built.case.status, built.case.reviewer) == (2, "DRAFT", "")
    assert built.case.supersedes is not None
    assert built.case.supersedes.version == 1
    window = FinishedRun(out).manifest()["window"]
    assert dict(built.case.supersedes.removed) == {
        quiet: f"It has no request between {window['first_day']} and {window['last_day']}, the window of this version.",
        loose: "The run of this version finds it in no network: too little ties it to the others.",
    }
    assert (built.cleared, built.stale) == ((), ("counsel",))
    page = (built.folder / HTML).read_text()
    assert "supersedes version 1" in page
    assert quiet in page
    counsel = (_build(out, profile="counsel").folder / HTML).read_text()
    assert quiet not in counsel
    assert "no request between" in counsel
    assert _build(out).is_unchanged, "the correction stays in every later build of the version"
    assert corrections.kept(out / "cases" / CASE, 1).status == "FINAL"  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["tier", "gone"])
def test_a_cleared_network_is_taken_back_on_its_own_page(out: Path, network: str, how: str) -> None:
    run = FinishedRun(out)
    run_pages = _files(run.folder)
    other = run.table("networks").filter(pl.col("network_id") != network)["network_id"].to_list()
    _build(out, network, *other)
    if how == "tier":
        cleared = pl.when(pl.col("network_id") == network).then(pl.lit("explained")).otherwise("tier")
        _next_run(out, "0123456789ab", lambda frame: frame.with_columns(tier=cleared), "networks")
        built = _build(out, network, *other)
    else:
        extra = run.where("networks", network_id=network).with_columns(network_id=pl.lit("N-0000000000"), tier=pl.lit("watch"))
        _next_run(out, "0123456789ab", lambda frame: pl.concat([frame.filter(pl.col("network_id") != network), extra]), "networks")
        built = _build(out, "N-0000000000")
    members = run.where("members", network_id=network).height
    assert built.cleared == (network,)
    assert built.case.supersedes is not None
    assert len(built.case.supersedes.removed) == members
    page = (out / "cases" / CASE / "corrections" / f"{network}.html").read_text()
    assert "Correction." in page
    assert f"referred {network} with {members} accounts" in page
    assert f"Reason given for {members}" in page
    assert _files(run.folder) == run_pages, "a run's own pages stay as their hashes say"


def test_a_report_none_of_whose_networks_is_left_is_withdrawn(out: Path, network: str) -> None:
    members = FinishedRun(out).where("members", network_id=network)["account_id"].to_list()
    _build(out, network)
    _next_run(out, "0123456789ab", lambda frame: frame.filter(pl.col("network_id") != network), "networks", "members")
    built = _build(out)
    page = (built.folder / HTML).read_text()
    assert (built.case.version, built.case.networks, built.cleared, built.findings) == (2, (), (network,), ())
    assert "This report is withdrawn" in page
    assert all(name in page for name in members)
    counsel = (_build(out, profile="counsel").folder / HTML).read_text()
    assert not [name for name in members if name in counsel]
    assert counsel.count("ACCT-") == len(members)
    assert "COUNSEL" in counsel
    assert _build(out).is_unchanged
    with pytest.raises(InputError):
        _build(out, "N-ffffffffff")


def test_another_night_with_the_same_members_is_the_same_version_and_a_draft(out: Path, network: str) -> None:
    _build(out, network)
    _reviewed(out, "Bob")
    _next_run(out, "0123456789ab", lambda frame: frame)
    built = _build(out)
    assert (built.case.version, built.case.status, built.case.supersedes) == (1, "DRAFT", None)


def test_other_context_files_or_another_program_are_not_what_was_reviewed(out: Path, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _build(out, network)
    _reviewed(out, "Bob")
    assert _build(out).case.status == "REVIEWED"
    assert _build(out, context_files={"bans.csv": "a" * 64}).case.status == "DRAFT"
    _reviewed(out, "Bob")
    monkeypatch.setattr("pipeline.evidence.building.code_sha256", lambda: "another")
    assert _build(out, context_files={"bans.csv": "a" * 64}).case.status == "DRAFT"


def test_after_a_final_version_whatever_is_said_anew_is_a_version_of_its_own(out: Path, network: str) -> None:
    _build(out, network)
    _reviewed(out, "Bob", "Ann")
    folder = CaseFolder(out, CASE)
    with folder.locked():
        file = folder.load()
        fact = OutsideFact("Said by a neighbour", "a letter", "C3", "L4", "Ann", file.case.created_on)
        folder.change(file, "Ann", "add-fact", {}, facts=(fact,))
    built = _build(out)
    assert (built.case.version, built.case.status) == (2, "DRAFT")
    assert built.case.supersedes is not None
    assert (built.case.supersedes.version, built.case.supersedes.removed) == (1, ())


def test_an_organisation_of_a_fact_may_stand_under_attribution_only(out: Path, network: str) -> None:
    folder = CaseFolder(out, CASE)
    with folder.locked():
        file = folder.create(new_case(FinishedRun(out), CASE, (network,), "", "Ann"), "Ann")
        fact = OutsideFact("Registered by Example Trading Ltd", "registry", "B2", "L5", "Ann", file.case.created_on)
        folder.change(file, "Ann", "add-fact", {}, ("Example Trading Ltd",), facts=(fact,))
    assert _build(out).findings == ()
    with folder.locked():
        folder.change(folder.load(), "Ann", "edit", {}, title="About Example Trading Ltd")
    assert {finding.rule for finding in _build(out).findings} == {"named_organisation"}


def test_a_build_that_is_stopped_leaves_the_last_report_whole(out: Path, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _build(out, network)
    before = _files(out / "cases" / CASE)

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for step in ("_put", "_publish"):
        with monkeypatch.context() as patch:
            patch.setattr(f"pipeline.evidence.building.{step}", stopped)
            with pytest.raises(KeyboardInterrupt):
                _build(out, network, pdf=True)
        kept = {name: data for name, data in _files(out / "cases" / CASE).items() if not name.startswith(".internal.new/")}
        assert kept == before
    assert _build(out, network).is_unchanged


def test_a_spoilt_journal_stops_the_build(out: Path, network: str) -> None:
    _build(out, network)
    path = out / "cases" / CASE / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Ann", b"Eve"))
    with pytest.raises(IntegrityError):
        _build(out, network)


def test_a_pdf_is_kept_as_long_as_it_is_of_the_page(out: Path, network: str) -> None:
    made = _build(out, network, pdf=True)
    data = (made.folder / PDF).read_bytes()
    assert data.startswith(b"%PDF-")
    assert (_build(out, network).folder / PDF).read_bytes() == data
    folder = CaseFolder(out, CASE)
    with folder.locked():
        folder.change(folder.load(), "Ann", "edit", {}, title="Another title")
    assert not (_build(out, network).folder / PDF).exists()


def test_without_pango_the_page_is_built_and_the_rest_is_said(out: Path, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise PdfUnavailable("install it")

    monkeypatch.setattr(pdf, "load", absent)
    built = _build(out, network, pdf=True)
    assert built.pdf_missing == "install it"
    assert set(_files(built.folder)) == {HTML, LINT, "data/members.csv"}
