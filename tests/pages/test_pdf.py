"""The PDF of a page: tagged, with bookmarks and a title, the same bytes wherever it is made, and silent about where that was."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdf
import pytest

from pipeline.errors import PdfUnavailable
from pipeline.pages import pdf
from pipeline.pages.pdf import pdf_bytes
from tests.conftest import ROOT

MOMENT = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A report</title><style>body{color:#111}</style></head><body><h1>A report</h1><h2 id="one">1 One</h2>'
    '<p>Text, <b>bold</b>, <em>leaning</em>, <code>code <b>bold</b></code> and <a href="#two">a link</a>, <a href="data/a.csv">data</a>. ● → ≥ λ Ж</p>'
    "<details><summary>More</summary><p>Hidden on the screen</p></details>"
    '<svg role="img" width="100" height="30" viewBox="0 0 100 30"><title>Drawing</title><text x="5" y="20">drawn words</text></svg>'
    '<table><caption>Table 1. Things</caption><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>'
    '<h2 id="two">2 Two</h2><p>End</p></body></html>'
)


@pytest.fixture(scope="module")
def made() -> bytes:
    """The PDF of the page."""
    return pdf_bytes(PAGE, MOMENT)


@pytest.fixture(scope="module")
def read(made: bytes) -> pypdf.PdfReader:
    """The PDF, opened."""
    return pypdf.PdfReader(io.BytesIO(made))


def _root(reader: pypdf.PdfReader) -> Any:
    return reader.trailer["/Root"]


def test_it_is_tagged_and_says_its_language_title_and_standard(read: pypdf.PdfReader, made: bytes) -> None:
    assert _root(read)["/MarkInfo"]["/Marked"]
    assert _root(read)["/Lang"] == "en"
    assert "/StructTreeRoot" in _root(read)
    assert read.metadata is not None
    assert read.metadata.title == "A report"
    assert b"pdfuaid" in _root(read)["/Metadata"].get_object().get_data()


def test_it_has_bookmarks_and_the_words_of_the_page_the_folded_ones_too(read: pypdf.PdfReader) -> None:
    titles = [entry.title for level in read.outline for entry in (level if isinstance(level, list) else [level])]
    assert titles == ["A report", "1 One", "2 Two"]
    text = " ".join(" ".join(page.extract_text() for page in read.pages).split())
    for words in ("Text, bold, leaning", "Hidden on the screen", "drawn words", "Table 1. Things", "page 1 of 1"):
        assert words in text


def test_only_the_shipped_fonts_are_in_it(read: pypdf.PdfReader) -> None:
    fonts = {str(font.get_object()["/BaseFont"]).split("+")[1] for page in read.pages for font in page["/Resources"]["/Font"].values()}
    assert fonts == {"Report-Sans", "Report-Sans-Bold", "Report-Mono"}


def test_its_date_is_the_one_given(read: pypdf.PdfReader) -> None:
    assert read.metadata is not None
    assert read.metadata.creation_date == read.metadata.modification_date == MOMENT
    assert set(read.metadata) == {"/Producer", "/Title", "/CreationDate", "/ModDate"}


def test_other_processes_zones_and_folders_make_the_same_bytes_and_are_not_named(made: bytes, tmp_path: Path) -> None:
    code = (
        "import sys, datetime as dt, hashlib; from pipeline.pages.pdf import pdf_bytes; page = sys.stdin.buffer.read().decode(); "
        "print(hashlib.sha256(pdf_bytes(page, dt.datetime(2026, 5, 4, tzinfo=dt.UTC))).hexdigest())"
    )
    for seed, zone, language, folder in (("1", "Asia/Tokyo", "C", tmp_path), ("7", "America/Lima", "C.UTF-8", ROOT)):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": seed}
        result = subprocess.run([sys.executable, "-c", code], input=PAGE.encode(), cwd=folder, env=environment, capture_output=True, check=True)
        assert result.stdout.decode().strip() == hashlib.sha256(made).hexdigest()
        assert result.stderr == b""
    texts = b"".join([made, *(entry.get_object().get_data() for entry in [_root(pypdf.PdfReader(io.BytesIO(made)))["/Metadata"]])])
    for told in (os.uname().nodename, str(tmp_path), str(ROOT), "file:"):
        assert told.encode() not in texts


def test_a_page_can_load_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>SECRET</text></svg>')
    page = PAGE.replace("</body>", f'<img src="file://{tmp_path}/secret.svg" alt="none"><img src="http://127.0.0.1:9/x.png" alt="none"></body>')
    text = " ".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(pdf_bytes(page, MOMENT))).pages)
    assert "SECRET" not in text
    assert "End" in text


def test_a_system_without_pango_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """`import weasyprint` fails as it does where libpango is missing."""

    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    pdf.load.cache_clear()
    with monkeypatch.context() as patch:
        for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
            patch.delitem(sys.modules, name)
        patch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
        with pytest.raises(PdfUnavailable, match="apt-get install") as error:
            pdf_bytes(PAGE, MOMENT)
    pdf.load.cache_clear()
    assert error.value.exit_code == 5
    assert pdf.INSTALL.split()[-1] in (ROOT / "Makefile").read_text()
