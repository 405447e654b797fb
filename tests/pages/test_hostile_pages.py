"""Hostile text in every text field of every table and of the manifest: it is shown, it does nothing, it loads nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from pipeline import assets
from pipeline.config import load_config
from pipeline.pages import build_pages
from pipeline.pages.render import _script
from tests import hostile
from tests.pages import fixtures
from tests.pages.reading import Page

SCRIPT = str(_script(assets.reports_folder()))
KEPT = {"network_id", "tier", "status", "kind", "supports", "role", "event"}  # names that decide what is shown; hostile values are tried apart
BAD = {**hostile.STRINGS, "secret": "sk-" + "a1B2c3" * 6, "mail": "bob.smith@example.com", "address": "203.0.113.77", "braces": "{value} {0} {", "huge": "A" * 1_000_000}


def poisoned(text: str) -> dict[str, pl.DataFrame]:
    """The fixture's frames with `text` in every text column; ids that join tables get it behind the id."""
    frames = fixtures.frames(6)
    if len(text) > 10_000:  # a megabyte in each of thousands of rows would test the memory, not the pages
        frames = {**frames, "account_days": frames["account_days"].head(0), "controls": frames["controls"].head(0), "members": frames["members"].head(6)}
    return {
        name: frame.with_columns(poison(column, text) for column in frame.columns if frame.schema[column] == pl.String and column not in KEPT) for name, frame in frames.items()
    }


def poison(column: str, text: str) -> pl.Expr:
    joins = column.endswith("_id") or column in ("account_a", "account_b")
    return (pl.concat_str(pl.col(column), pl.lit(text)) if joins else pl.lit(text)).alias(column)


def poisoned_manifest(text: str) -> dict[str, Any]:
    return fixtures.manifest(
        run_id=text,
        version=text,
        config_sha256=text,
        inputs=[{"name": text, "rows": 1, "size_bytes": 2, "sha256": text}],
        skipped_files=[{"name": text, "reason": text}],
        rejected={text: 3},
        coverage={text: {"non_null": 1, "rows": 2}},
        degraded=[text],
        failed_checks=[{"check": text, "count": 1}],
    )


def built(text: str) -> Iterator[tuple[str, Page, bytes]]:
    pages = build_pages(poisoned(text), poisoned_manifest(text), load_config(), pages_for=[fixtures.REFER, fixtures.SILENT])
    yield from ((name, Page(page), page) for name, page in pages if name.endswith(".html"))


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_hostile_text_stays_text(text):
    for name, page, source in built(text):
        assert page.faults == [], name
        assert re.findall(r"<script>(.*?)</script>", source.decode(), re.DOTALL) == [SCRIPT]
        assert [attributes for tag, attributes in page.elements if tag == "script"] == [{}]
        assert {tag for tag, _ in page.elements} & {
            "img",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "link",
            "base",
            "b",
            "foreignobject",
            "image",
            "use",
            "animate",
        } == set()
        assert [key for _, attributes in page.elements for key in attributes if key.startswith("on") or key == "style"] == []
        assert [c for c in source.decode("utf-8") if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"] == []
        assert len(source) < 1_500_000


@pytest.mark.parametrize("text", [BAD[name] for name in ("script_end", "escape", "secret")])
def test_the_page_has_the_elements_it_would_have_without(text):
    plain = {name: [tag for tag, _ in page.elements] for name, page, _ in built("plain")}
    for name, page, _ in built(text):
        assert [tag for tag, _ in page.elements] == plain[name]


@pytest.mark.parametrize("name", ["secret", "mail", "address"])
def test_secrets_and_addresses_in_free_text_are_masked(name):
    frames, bad = fixtures.frames(6), poisoned(BAD[name])
    frames |= {table: bad[table] for table in ("network_families", "blind_spots", "network_tests")}
    frames["findings"] = bad["findings"].with_columns(frames["findings"]["finding_id"])  # ids are typed back, so they stay
    frames["evidence"] = bad["evidence"].with_columns(frames["evidence"]["finding_id"], frames["evidence"]["request_id"])
    manifest = {**poisoned_manifest(BAD[name]), "run_id": "5f0c1d2e3a4b"}
    for name_of, page in build_pages(frames, manifest, load_config(), pages_for=[fixtures.REFER]):
        if name_of.endswith(".csv"):
            continue  # ids alone
        assert {"secret": b"[key]", "mail": b"[mail]", "address": b"203.0.113.0/24"}[name] in page
        assert BAD[name].encode() not in page


@pytest.mark.parametrize("column", sorted(KEPT - {"network_id"}))
def test_an_unknown_machine_name_is_shown_and_stops_nothing(column):
    frames = fixtures.frames(6)
    frames = {name: frame.with_columns(pl.lit("<b>new\u202e_name</b>").alias(column)) if frame.schema.get(column) == pl.String else frame for name, frame in frames.items()}
    for name, page in build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]):
        assert not name.endswith(".html") or Page(page).faults == []
        assert "\u202e" not in page.decode()


def test_nothing_is_loaded_from_anywhere(pages):
    for page in pages.values():
        source = page.decode()
        read = Page(page)
        assert re.findall(r"""(?:src|href|action|data|poster|xlink:href)\s*=\s*["']?\s*(?:[a-z]+:)?//""", source) == []
        assert re.findall(r"url\((?!#fig-)", source) == []
        assert [value for key in ("src", "srcset", "style", "action", "ping") for value in read.attributes(key)] == []
        assert "http" not in SCRIPT
        assert all(re.fullmatch(r"(\.\./|networks/)?[\w.-]*(#[\w.-]+)?", value) for value in read.attributes("href"))


def test_the_policy_lets_the_page_load_nothing(pages):
    import base64
    import hashlib

    for page in pages.values():
        (policy,) = [attributes["content"] for tag, attributes in Page(page).elements if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"]
        style = re.findall(rb"<style>(.*?)</style>", page, re.DOTALL)
        script = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
        digest, pinned = (base64.b64encode(hashlib.sha256(block[0]).digest()).decode() for block in (style, script))
        assert len(style) == len(script) == page.count(b"<script") == 1
        assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'sha256-{pinned}'; img-src data:; base-uri 'none'; form-action 'none'"
        assert page.index(b"Content-Security-Policy") < page.index(b"<style>")


def test_no_page_names_this_machine(pages):
    import getpass
    import platform
    from pathlib import Path

    for page in pages.values():
        for secret in (str(Path.cwd()), str(Path.home()) + "/", platform.node(), f"/{getpass.getuser()}/"):
            assert secret not in page.decode()
