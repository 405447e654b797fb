"""DIR/prices.toml: left by a run whose context folder held a price sheet, read for the index, part of the run's id."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from pipeline.cli import running
from pipeline.errors import InputError
from pipeline.history import no_past, read_past
from pipeline.history.prices import PriceSheet, given_prices, prices_of
from pipeline.provenance import sha256_bytes
from pipeline.store import Store

SHEET = 'as_of = 2026-05-01\n[[price]]\nmodel = "a"\ninput_micro_usd_per_million = 3000000\noutput_micro_usd_per_million = 15000000\n'
NIGHT = dt.date(2026, 5, 6)


def context(folder, text=SHEET):
    folder.mkdir()
    (folder / "prices.toml").write_text(text)
    return folder


def test_the_sheet_of_the_context_folder_stays_for_later_nights(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with given_prices(out, context(tmp_path / "context")):
        past = read_past(Store(out), NIGHT)
    assert past.prices == prices_of(out) == PriceSheet(dt.date(2026, 5, 1), sha256_bytes(SHEET.encode()), (("a", 3_000_000, 15_000_000),))
    assert past.hashes()["prices"] == sha256_bytes(SHEET.encode()) != no_past(NIGHT).hashes()["prices"]
    with given_prices(out, None):
        assert read_past(Store(out), NIGHT).hashes() == past.hashes()


def test_a_newer_sheet_takes_the_place_of_the_one_before(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name, day in (("a", "2026-05-01"), ("b", "2026-05-02")):
        with given_prices(out, context(tmp_path / name, SHEET.replace("2026-05-01", day))):
            pass
    assert prices_of(out).as_of == dt.date(2026, 5, 2)


def test_a_folder_without_one_keeps_none(tmp_path):
    (tmp_path / "context").mkdir()
    with given_prices(tmp_path / "out", tmp_path / "context"):
        assert prices_of(tmp_path / "out") is None
    assert not (tmp_path / "out").exists()


def test_a_sheet_that_does_not_fit_ends_the_run_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match=r"prices\.toml"), given_prices(tmp_path / "out", context(tmp_path / "context", SHEET.replace("3000000", "3.5"))):
        pass
    assert not (tmp_path / "out").exists()


def test_a_run_has_it_before_it_judges_and_leaves_it_when_it_ended(tmp_path, monkeypatch):
    seen, out = [], tmp_path / "out"
    out.mkdir()
    outcome = SimpleNamespace(run_id="a" * 12)
    monkeypatch.setattr("pipeline.run.run_night", lambda options, _bars: seen.append((prices_of(options.out), (out / "prices.toml").exists())) or outcome)
    options = SimpleNamespace(out=out, context=context(tmp_path / "context"), logs=(), accounts=None)
    assert running._run(options, None, None) == [outcome]
    assert [(sheet.as_of, is_written) for sheet, is_written in seen] == [(dt.date(2026, 5, 1), False)]
    assert (out / "prices.toml").read_text() == SHEET


def test_a_run_that_fails_leaves_none(tmp_path, monkeypatch):
    def failing(options, bars):
        raise InputError("no log")

    monkeypatch.setattr("pipeline.run.run_night", failing)
    with pytest.raises(InputError, match="no log"):
        running._run(SimpleNamespace(out=tmp_path / "out", context=context(tmp_path / "context"), logs=(), accounts=None), None, None)
    assert not (tmp_path / "out").exists()
    assert prices_of(tmp_path / "out") is None


def test_no_mix_of_models_lies_outside_the_range():
    sheet = PriceSheet(NIGHT, "0" * 64, (("a", 3_000_000, 4_000_000), ("b", 1_000_000, 9_000_000)))
    assert sheet.least_and_most(10, 100) == (410, 930)
    mix = (4 * 3_000_000 + 6 * 1_000_000 + 30 * 4_000_000 + 70 * 9_000_000) // 1_000_000
    assert 410 <= mix <= 930
