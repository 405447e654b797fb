"""Other people's text in every field that reaches a report: nothing of it runs, hides, reorders or breaks the page."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipeline.evidence.cases import OutsideFact
from pipeline.pages.incident import render_incident
from tests.incident.made_case import case, incident
from tests.incident.made_run import Plan, make_run
from tests.incident.test_page import Tags

EVIL = "</script><svg onload=alert(1)>\u202eevil\x00\x1b[31m" + "z" * 3000
NAMES = {1: EVIL, 2: "=cmd|' /C calc'!A0", 3: "\u202eacct", 4: "a" * 5000, 5: "' onmouseover='x"}


@pytest.fixture(scope="module", params=["internal", "public"])
def hostile(request, tmp_path_factory):
    out = make_run(tmp_path_factory.mktemp("hostile") / "out", Plan(names=NAMES))
    for path in out.glob("days/*/requests.parquet"):
        frame = pl.read_parquet(path, hive_partitioning=False)
        frame.with_columns(pl.lit(EVIL).alias("model"), pl.lit(EVIL).alias("country"), pl.lit(EVIL).alias("source_system")).write_parquet(path)
    for path in out.glob("days/*/labels.parquet"):
        pl.read_parquet(path, hive_partitioning=False).with_columns(pl.lit(EVIL).alias("label")).write_parquet(path)
    evidence = out / "latest" / "tables" / "evidence.parquet"
    pl.read_parquet(evidence).with_columns(pl.lit(EVIL).alias("request_id"), pl.lit(EVIL).alias("source_file")).write_parquet(evidence)
    written = EVIL[:100]  # what people write for a case may be long
    facts = (OutsideFact(written, written, "A1", "L5", written, dt.date(2026, 5, 1)),)
    return render_incident(incident(out, request.param, of=case(title=written, author=written, reviewer=written, facts=facts)))


def test_no_markup_of_theirs_is_in_the_page(hostile):
    tags = Tags(hostile)
    assert "script" not in {tag for tag, _ in tags.tags}
    assert not [key for _, attributes in tags.tags for key in attributes if key.startswith("on")]
    assert "<svg onload" not in hostile


def test_nothing_hidden_or_reordering_is_left(hostile):
    assert not set(hostile) & set("\x00\x1b\u202e")


def test_long_text_of_a_log_is_cut(hostile):
    assert "z" * 201 not in hostile
    assert "a" * 200 not in hostile


def test_the_page_is_whole_all_the_same(hostile):
    ids = Tags(hostile).ids
    assert "annex-e" in ids
    assert len(ids) == len(set(ids))
    assert hostile.rstrip().endswith("</html>")
