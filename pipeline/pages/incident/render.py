"""The record through its template: autoescape on, undefined names an error, two style sheets inlined under a policy that knows their hash."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path

from markupsafe import Markup

from pipeline import assets
from pipeline.pages.incident.records import Incident
from pipeline.pages.incident.report import report
from pipeline.pages.render import _POLICY, _environment

STYLES = ("report.css", "incident.css")


def rendered(incident: Incident) -> str:
    """The document."""
    folder = assets.reports_folder()
    style = _style(folder)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text = _environment(folder).get_template("incident.html").render(page=report(incident), style=style, policy=_POLICY.format(digest=digest))
    return re.sub(r"\n{2,}", "\n", text)


@functools.cache
def _style(folder: Path) -> Markup:
    """Both style sheets without comments, indentation and blank lines."""
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in STYLES)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    if "<" in text or "url(" in text or "@import" in text:
        raise ValueError("a style sheet of the report must not hold markup or refer to another file")
    return Markup("\n".join(line.strip() for line in text.splitlines() if line.strip()))  # noqa: S704  # our own files, checked above
