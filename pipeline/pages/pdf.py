"""A report's HTML as a tagged PDF (PDF/UA-1) with bookmarks: the same page, printed.

Nothing is loaded but the fonts that are shipped in reports/fonts, and the clock is not asked: equal HTML gives equal bytes. Characters that those
fonts lack (such as Chinese) come from the machine's own. The file says its title, language and date, and no host, path or user.
weasyprint, and through it the system's Pango, is loaded when the first PDF is made.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import logging
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pipeline import assets
from pipeline.errors import PdfUnavailable

INSTALL = "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_FONT = "font:"


def pdf_bytes(html: str, moment: dt.datetime) -> bytes:
    """The PDF of a page; `moment`, with its zone, is the date it bears. Raises PdfUnavailable if the system lacks Pango."""
    weasyprint = load()
    dates = f'<meta name="dcterms.created" content="{_w3c(moment)}"><meta name="dcterms.modified" content="{_w3c(moment)}"></head>'
    dated = html.replace("</head>", dates, 1).replace("<svg ", '<svg font-family="Report Sans" ')  # style does not reach into drawings
    with _source_date(moment):
        fonts = weasyprint.text.fonts.FontConfiguration()
        style = weasyprint.CSS(string=_style(), font_config=fonts, url_fetcher=_fetcher(weasyprint), base_url=_FONT)
        page = weasyprint.HTML(string=dated, url_fetcher=_fetcher(weasyprint))
        made: bytes = page.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", pdf_identifier=hashlib.sha256(dated.encode()).digest()[:16])
    return made


@functools.cache
def load() -> ModuleType:
    """weasyprint, quiet. Raises PdfUnavailable if a library of the system is missing."""
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it cannot draw it leaves out; its warnings quote the page
    try:
        import weasyprint
        import weasyprint.text.fonts
        import weasyprint.urls
    except OSError:
        raise PdfUnavailable(f"the PDF needs Pango, which this system lacks. On Debian or Ubuntu type: sudo {INSTALL}. The HTML is complete without it.") from None
    found: ModuleType = weasyprint
    return found


def _fetcher(weasyprint: ModuleType) -> Any:
    """Hands out the fonts that are shipped and nothing else: no file, no network."""
    known = {f"{_FONT}{path.name}": path for path in (assets.reports_folder() / "fonts").glob("*.ttf")}

    class Shipped(weasyprint.URLFetcher):  # type: ignore[misc, name-defined]  # the package has no types
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002  # the signature it is called with
            if url not in known:
                raise ValueError("a report loads nothing")
            return weasyprint.urls.URLFetcherResponse(url, known[url].read_bytes(), {"Content-Type": "font/ttf"})

    return Shipped()


def _style() -> str:
    return (assets.reports_folder() / "pdf.css").read_text(encoding="utf-8")


def _w3c(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def _source_date(moment: dt.datetime) -> Iterator[None]:
    """SOURCE_DATE_EPOCH for as long as the fonts are cut to what is used; they carry a date."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(moment.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
