"""A case and a validation for the made run, and the golden report: `python -m tests.incident.made_case` writes it anew."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.config import load_config
from pipeline.evidence.cases import Case, Clause, OutsideFact, Superseded
from pipeline.evidence.dossier.skeletons import Logs
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.incident import build_incident
from pipeline.history.prices import PriceSheet
from pipeline.pages.incident import render_incident
from pipeline.pages.incident.records import Incident
from pipeline.pages.ratios import ratio_table
from pipeline.redaction import Profile, Release
from tests.incident.made_run import MODELS, NETWORK, Plan, make_run

GOLDEN = Path(__file__).parents[1] / "golden" / "incident.html"
SMALL = Plan(members=14, controls=24, days=7, requests_a_day=4)
KEY = b"k" * 32
PRICES = tuple((model, 3_000_001 + place, 15_000_007 + place) for place, model in enumerate(MODELS[:2]))


def case(**changes: Any) -> Case:
    """A case with something of everything."""
    facts = (OutsideFact("The processor reports that the cards were issued to Example Relay Ltd.", "letter of the processor", "B2", "L4", "A. Analyst", dt.date(2026, 5, 6)),)
    terms = (
        Clause("4.2", "2026-01", "aa" * 32, dt.date(2026, 1, 1), None, "using output to train a model"),
        Clause("7.1", "2025-06", "bb" * 32, dt.date(2025, 6, 1), dt.date(2026, 4, 30), "passing on access"),
    )
    given: dict[str, Any] = {
        "case_id": "CASE-7",
        "version": 2,
        "title": "Suspected relay pool",
        "status": "REVIEWED",
        "author": "A. Analyst",
        "reviewer": "B. Reviewer",
        "facts": facts,
        "terms": terms,
        "prices": PriceSheet(dt.date(2026, 4, 1), "cc" * 32, PRICES),
        "supersedes": Superseded(1, (("acct-000099", "Its card is a carrier's billing account that strangers share."),)),
        "networks": (NETWORK,),
        "hold": True,
        "created_on": dt.date(2026, 5, 4),
    }
    return Case(**(given | changes))


def bare_case() -> Case:
    """A case nobody has added to."""
    return case(version=1, title="", status="DRAFT", author="", reviewer="", facts=(), terms=(), prices=None, supersedes=None, hold=False)


def write_context(folder: Path, plan: Plan) -> Path:
    """Releases, bans and regions of the made run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "releases.csv").write_text("model,released_at\natlas-5-pro,2026-05-01\natlas-3,2024-01-01\n")
    (folder / "bans.csv").write_text(f"account_id,banned_at\n{plan.account(2)},2026-04-29T08:00:00Z\n{plan.account(3)},2026-04-29\n{plan.account(plan.members + 5)},2026-04-28\n")
    (folder / "regions.csv").write_text("country\nUS\nDE\n")
    return folder


JUDGED = [
    {"archetype": kind, "is_operated": operated, "tier": tier, "admitted_families": families, "extraction_bits": bits, "networks": networks}
    for kind, operated, tier, families, bits, networks in (
        ("campaign:L1", True, "refer", 1, 11, 30),
        ("campaign:L4", True, "refer", 2, 9, 15),
        ("campaign:L8", True, "watch", 0, 10, 5),
        ("campaign:L8", True, "explained", 0, 0, 2),
        ("synthetic_data", False, "watch", 1, 10, 3),
        ("classroom", False, "explained", 1, 0, 240),
        ("classroom", False, "watch", 0, 2, 6),
        ("small_team", False, "explained", 2, 0, 50),
    )
]
"""Networks that a made-up validation judged: 52 of one operator, 299 innocent groups."""


def write_validation(out: Path, nulls: int = 300, **changes: Any) -> None:
    """A validation.json that fits version and settings, newer than any other. Its code is nobody's, so pages say that the code has changed since."""
    rows = [
        ("networks_false", "all", 0.0, None, None, "none", 40, "networks", "networks"),
        ("networks_referred", "all", 40.0, None, None, "none", 60, "networks", "networks"),
        ("innocent_groups_flagged", "all", 0.0, 0.0, 0.01, "upper", nulls, "innocent groups", "share"),
        ("innocent_groups_flagged", "classroom", 0.0, 0.0, 0.05, "upper", 60, "innocent groups", "share"),
        ("innocent_accounts_flagged", "all", 0.0, None, None, "none", 9000, "accounts", "accounts"),
        ("false_accusations", "all", 0.0, 0.0, 33.2, "upper", nulls, "innocent groups", "per 100,000 innocent accounts"),
        ("campaigns_found", "all", 0.8, 0.7, 0.9, "two_sided", 50, "worlds", "share"),
        ("campaigns_found", "campaign:L4", 0.9, 0.6, 0.98, "two_sided", 10, "worlds", "share"),
        ("membership_observed", "membership 0.8 to 1", 0.93, 0.9, 0.96, "two_sided", 500, "members", "share"),
        ("membership_stated", "membership 0.8 to 1", 0.95, None, None, "none", 500, "members", "share"),
        ("chance_networks_at_q", "q at most 0.05", 0.03, 0.01, 0.05, "two_sided", 200, "networks", "share"),
        ("try_agreement", "seed: seed = 1", 0.99, 0.97, 1.0, "two_sided", 20, "worlds", "share"),
        ("try_agreement", "threshold: edge_margin_bits = 9", 0.8, 0.7, 0.9, "two_sided", 20, "worlds", "share"),
    ]
    names = ("measure", "stratum", "value", "low", "high", "bound", "n", "cases", "unit")
    document = {
        "schema": "stillhunt.validation/1",
        "suite": "all",
        "date": "2199-01-01",
        "is_simulated": True,
        "version": __version__,
        "config_sha256": "cd" * 32,
        "code_sha256": "00" * 32,
        "config": load_config().as_dict(),
        "worlds": [f"world-{place}" for place in range(60)],
        "figures": [dict(zip(names, row, strict=True)) | {"suite": "all"} for row in rows],
        "ratios": ratio_table(JUDGED),
    }
    folder = out / "validation"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "validation.json").write_text(json.dumps(document | changes))


def incident(out: Path, profile: Profile = "counsel", context: Path | None = None, of: Case | None = None, logs: Logs | None = None) -> Incident:
    """The record of the made run's only network."""
    run = FinishedRun(out)
    release = Release(profile, KEY, run.table("accounts")["account_id"].to_list())
    return build_incident(run, of or case(), [NETWORK], release, context, logs)


def golden() -> str:
    """The report that has a golden copy."""
    with tempfile.TemporaryDirectory() as folder:
        out = make_run(Path(folder) / "out", SMALL)
        write_validation(out)
        return render_incident(incident(out, context=write_context(Path(folder) / "context", SMALL)))


if __name__ == "__main__":
    text = golden()
    GOLDEN.write_text(text, encoding="utf-8")
    print(f"{GOLDEN.name}: {len(text):,} characters")
