"""The incident report: a frozen record in, one self-contained HTML document out, for the screen, for paper and for a tagged PDF.

No script, no network, no clock: a policy in the document's head lets it load nothing but its own style. Equal records give equal bytes. jinja2, altair
and vl-convert are imported when a report is rendered, never when this package is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.pages.incident.records import Incident


def render_incident(incident: Incident) -> str:
    """The whole document as text. Raises jinja2.UndefinedError or TypeError for a record that the template cannot print: nothing is left out silently."""
    from pipeline.pages.incident.render import rendered

    return rendered(incident)
