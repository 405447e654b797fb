"""Names that follow from content: equal content, equal name; one bit more, another."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import provenance
from tests.conftest import ROOT

NIGHT = date(2026, 5, 1)


def test_a_file_is_hashed_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000  # more than two pieces
    (tmp_path / "f").write_bytes(data)
    assert provenance.sha256_file(tmp_path / "f") == hashlib.sha256(data).hexdigest()


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.booleans() | st.lists(st.integers())))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert provenance.sha256_json(value) == provenance.sha256_json(dict(reversed(value.items())))


def test_what_has_no_spelling_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        provenance.canonical_json({"a": {1}})
    with pytest.raises(ValueError, match="JSON compliant"):
        provenance.canonical_json(float("nan"))


def test_network_ids_rest_on_members_and_night_only() -> None:
    name = provenance.network_id(["b", "a"], NIGHT)
    assert name == provenance.network_id(["a", "b"], NIGHT)
    assert len({name, provenance.network_id(["a"], NIGHT), provenance.network_id(["a", "b"], date(2026, 5, 2)), provenance.network_id(["a,b"], NIGHT)}) == 4


def test_finding_ids_rest_on_members_measure_night_and_settings() -> None:
    def name(members: str = "ab", measure: str = "m", night: date = NIGHT, setting: int = 1) -> str:
        return provenance.finding_id(members, measure, night, {"x": setting})

    assert name() == name("ba")
    assert len({name(), name("abc"), name(measure="n"), name(night=date(2026, 5, 2)), name(setting=2)}) == 5
    assert len(name()) == 14


def test_the_closure_follows_imports_inside_functions_and_stops_at_other_packages() -> None:
    names = {path.name for path in provenance.import_closure(["pipeline.cli"])}
    assert {"night.py", "store.py", "errors.py", "public_clients.py"} - names == {"public_clients.py"}, "stages are looked up by name, not imported"
    assert {path.name for path in provenance.import_closure(["pipeline.errors"])} == {"errors.py"}


def test_code_hash_covers_sql_templates_settings_and_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql, reports = tmp_path / "sql", tmp_path / "reports"
    for folder in (sql, reports):
        folder.mkdir()
    (sql / "1.sql").write_text("SELECT 1")
    (reports / "a.html").write_text("a")
    monkeypatch.setattr(provenance, "sql_folder", lambda: sql)
    monkeypatch.setattr(provenance, "reports_folder", lambda: reports)
    seen = {provenance.code_sha256()}
    (sql / "1.sql").write_text("SELECT 2")
    seen.add(provenance.code_sha256())
    (reports / "a.html").write_text("b")
    seen.add(provenance.code_sha256())
    assert len(seen) == 3


def test_what_judges_is_its_own_hash_and_pages_are_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql, reports = tmp_path / "sql", tmp_path / "reports"
    for folder in (sql, reports, sql / "adhoc"):
        folder.mkdir()
    (sql / "41_links.sql").write_text("SELECT 1")
    monkeypatch.setattr(provenance, "sql_folder", lambda: sql)
    monkeypatch.setattr(provenance, "reports_folder", lambda: reports)
    before = provenance.judging_sha256()
    (reports / "a.html").write_text("a")
    (sql / "adhoc" / "questions.sql").write_text("SELECT 1")
    assert provenance.judging_sha256() == before
    (sql / "41_links.sql").write_text("SELECT 2")
    assert provenance.judging_sha256() != before


def test_what_stands_apart_from_the_judging_code_is_used_by_no_run() -> None:
    reached = {path.relative_to(ROOT).as_posix() for path in provenance.import_closure(["pipeline.run", "pipeline.stages", "pipeline.ingest", "pipeline.validate.judging"])}
    assert "pipeline/engines/duckdb.py" in reached
    assert provenance.READING == "engines.locked"
    assert "pipeline/engines/locked.py" not in reached


def test_versions_name_every_package_that_computes() -> None:
    assert "absent" not in provenance.versions().values()
