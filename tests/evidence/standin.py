"""A small document in the place of the incident report, for tests of what is built around it."""

from __future__ import annotations

import html
from collections.abc import Sequence

from pipeline.evidence.building import Document
from pipeline.evidence.cases import Case
from pipeline.evidence.finished import FinishedRun
from pipeline.redaction import Release


def stand_in(run: FinishedRun, case: Case, networks: Sequence[str], release: Release) -> Document:
    """Status, version, members, removed accounts and facts of the case, through the release."""
    members = run.among("members", {"network_id": list(networks)}).sort("account_id")["account_id"].to_list()
    removed = case.supersedes.removed if case.supersedes else ()
    parts = [
        f"<p>Case {html.escape(case.title)} is a {case.status}, version {case.version}, dated {case.created_on}.</p>",
        f"<p>It supersedes version {case.supersedes.version}.</p>" if case.supersedes else "",
        "<ul>" + "".join(f"<li>{html.escape(release.account(name))}</li>" for name in members) + "</ul>",
        "<ul>" + "".join(f"<li>{html.escape(release.account(name))}: {html.escape(why)}</li>" for name, why in removed) + "</ul>",
        "<h2>10 Attribution</h2>" + "".join(f"<p>{html.escape(release.text(fact.text))}</p>" for fact in case.facts),
        '<p><a href="data/members.csv">members</a></p>',
    ]
    page = f'<!DOCTYPE html><html lang="en"><head><title>{html.escape(case.title)}</title></head><body><h1>Report</h1>{"".join(parts)}</body></html>'
    return Document(page, {"data/members.csv": ("account\n" + "\n".join(release.account(name) for name in members) + "\n").encode()})
