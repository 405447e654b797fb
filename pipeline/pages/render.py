"""Records into bytes: Jinja with autoescape on, one style sheet inlined, and a policy that lets the page load nothing at all.

Templates print text and checked markup, nothing else: an undefined name, a bare number or None stops the page, and every
text passes `redact.visible` once more on its way out, so that no control or reordering character can reach the file.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pipeline import assets, redact
from pipeline.pages.records import IndexPage, NetworkPage
from pipeline.pages.working.records import MembersPage

_POLICY = "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
_SCRIPT_POLICY = "default-src 'none'; style-src 'sha256-{digest}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
STYLE, WORKING_STYLE = "report.css", "working.css"
SCRIPT_LIMIT = 3_072
"""Bytes of the one script that a working page may run."""


def index_bytes(page: IndexPage) -> bytes:
    """index.html."""
    return _rendered("index.html", page, root="", is_working=True)


def network_bytes(page: NetworkPage) -> bytes:
    """networks/<network_id>.html."""
    return _rendered("network.html", page, root="../", is_working=True)


def members_bytes(page: MembersPage) -> bytes:
    """networks/<network_id>-members-<n>.html."""
    return _rendered("members.html", page, root="../", is_working=True)


def _rendered(template: str, page: IndexPage | NetworkPage | MembersPage, *, root: str, is_working: bool = False) -> bytes:
    """A page; only a working page has a script, and only its policy lets that one run."""
    folder = assets.reports_folder()
    style, script = _style(folder, is_working=is_working), _script(folder) if is_working else Markup("")
    policy = (_SCRIPT_POLICY if is_working else _POLICY).format(digest=_digest(style), script=_digest(script))
    text = _environment(folder).get_template(template).render(page=page, root=root, style=style, script=script, policy=policy)
    return text.encode("utf-8")


def _digest(text: str) -> str:
    """The SHA-256 by which a policy names an inline block that may stand on the page."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@functools.cache
def _environment(folder: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@functools.cache
def _style(folder: Path, *, is_working: bool) -> Markup:
    """The style sheet, and that of working pages, without comments, indentation and blank lines."""
    names = (STYLE, WORKING_STYLE) if is_working else (STYLE,)
    text = re.sub(r"/\*.*?\*/", "", "\n".join((folder / name).read_text(encoding="utf-8") for name in names), flags=re.DOTALL)
    if "<" in text or "url(" in text or "@import" in text:
        raise ValueError("a style sheet must not hold markup or refer to another file")
    return Markup("\n".join(line.strip() for line in text.splitlines() if line.strip()))  # noqa: S704  # our own file, checked above


@functools.cache
def _script(folder: Path) -> Markup:
    """The script without comments, indentation and blank lines. Raises ValueError if it outgrew its room, or could end its own element."""
    text = re.sub(r"/\*.*?\*/", "", (folder / "tables.js").read_text(encoding="utf-8"), flags=re.DOTALL)
    kept = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    if "</" in kept or "<!" in kept or len(kept.encode()) > SCRIPT_LIMIT:
        raise ValueError("tables.js must be small and hold no markup")
    return Markup(kept)  # noqa: S704  # our own file, checked above


def _printable(value: Any) -> Any:
    if isinstance(value, Markup | jinja2.Undefined):
        return value
    if isinstance(value, str):
        return redact.visible(value)
    raise TypeError(f"a template printed {type(value).__name__}, not text: format it in pipeline/pages/numbers.py")
