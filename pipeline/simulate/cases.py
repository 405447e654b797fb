"""The public cases as presets: what was published, and the campaign that has those numbers.

Published figures are kept beside the dials, so that a reader can tell fact from assumption: where accounts, exchanges or days were not published, the
campaign's rate is an assumption and `published` holds None. A world takes the accounts down to its own size; what an account does in a day stays as published. Cases
are named by what they did, not by whom a report holds responsible: that is not for this program to repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulate.campaign import Campaign

PATHWAYS = (("self_serve", 0.4), ("education", 0.25), ("research", 0.2), ("startup_credits", 0.15))
AGENTIC = (("code", 0.5), ("plan", 0.3), ("reason", 0.2))


@dataclass(frozen=True)
class Published:
    """What a report said: exchanges, accounts and days, None where it did not, and where it can be read."""

    source: str
    exchanges: int | None = None
    accounts: int | None = None
    days: int | None = None
    per_account_day: float | None = None  # stated, or exchanges / accounts / days


@dataclass(frozen=True)
class Case:
    """A public case and the campaign that stands for it."""

    published: Published
    campaign: Campaign


FEBRUARY = "provider's post of 23 February 2026"
SEPTEMBER = "provider's threat report of September 2026"
CASES = (
    Case(
        Published(FEBRUARY, exchanges=16_000_000, accounts=24_000),
        Campaign("three-labs-2026", 24_000, 26.0, payment_group=6, template="family", policy="round_robin", noise_share=0.3, pathways=PATHWAYS),
    ),
    Case(
        Published(FEBRUARY, accounts=20_000),
        Campaign("hydra-2026", 20_000, 26.0, payment_group=4, noise_share=0.7, handoff=0.1, policy="sticky", failover=True, spare_share=0.3, ban_days=(4, 9), pathways=PATHWAYS),
    ),
    Case(
        Published(FEBRUARY, exchanges=150_000),
        Campaign(
            "grading-2026",
            200,
            25.0,
            payment_group=8,
            infrastructure="pool",
            template="family",
            schedule="batch",
            policy="round_robin",
            tasks=(("reason", 0.6), ("grade", 0.4)),
        ),
    ),
    Case(
        Published(FEBRUARY, exchanges=3_400_000),
        Campaign("pathways-2026", 600, 80.0, payment_group=4, template="family", policy="random", pathways=PATHWAYS, tasks=AGENTIC),
    ),
    Case(
        Published(FEBRUARY, exchanges=13_000_000),
        Campaign("pivot-2026", 5_000, 50.0, payment_group=4, template="family", policy="headroom", pivot_share=0.5, tasks=AGENTIC),
    ),
    Case(
        Published("letter to the Senate of 10 June 2026", exchanges=28_800_000, accounts=25_000, days=45, per_account_day=25.6),
        Campaign("letter-2026", 25_000, 25.6, payment_group=2, template="injected", domain="disposable", tasks=AGENTIC),
    ),
    Case(
        Published(SEPTEMBER, exchanges=151_000_000, accounts=3_500, days=92, per_account_day=857.0),
        Campaign(
            "injection-2026",
            7_000,
            857.0,
            payment_group=2,
            template="injected",
            domain="disposable",
            policy="headroom",
            spare_share=0.5,
            ban_days=(5,),
            ban_share=1.0,
            succession_hours=2.0,
        ),
    ),
    Case(
        Published(SEPTEMBER, exchanges=300_000, accounts=5_380, days=10, per_account_day=5.6),
        Campaign("relay-2026", 5_380, 5.6, template="none", source="live", schedule="mimic", turns=3.0, foreign_share=0.7, policy="sticky", clients="rewritten"),
    ),
    Case(
        Published(SEPTEMBER, exchanges=12_100_000, days=14),
        Campaign("harness-2026", 8_000, 108.0, template="injected", source="live", schedule="mimic", turns=4.0, foreign_share=0.5, clients="rewritten", tasks=AGENTIC),
    ),
    Case(
        Published(SEPTEMBER, exchanges=3_400_000, days=17),
        Campaign("cleaning-2026", 4_000, 50.0, payment_group=3, template="family", policy="random", output_tokens=1400.0, tasks=(("reason", 0.6), ("rewrite", 0.4))),
    ),
    Case(
        Published(SEPTEMBER, exchanges=400_000, accounts=1_500, days=20, per_account_day=13.0),
        Campaign("replay-2026", 1_500, 13.0, template="none", source="replay", schedule="batch", turns=3.0, foreign_share=0.75, clients="harness", tasks=AGENTIC),
    ),
    Case(
        Published("threat tracker of February 2026", exchanges=100_000),
        Campaign("coercion-2026", 100, 100.0, payment_group=5, template="injected", source="replay", foreign_share=0.9, tasks=(("reason", 0.5), ("explain", 0.3), ("code", 0.2))),
    ),
    Case(
        Published("tool maker's account of October 2025", accounts=20_000, days=3),
        Campaign(
            "signups-2025",
            20_000,
            15.0,
            payment_group=5,
            template="none",
            source="live",
            turns=4.0,
            clients="stripped",
            signup_days=3.0,
            pathways=(("self_serve", 1.0),),
            tasks=AGENTIC,
        ),
    ),
    Case(
        Published("one relay seen in the wild", exchanges=53_655, accounts=6),
        Campaign(
            "relay-of-six",
            6,
            300.0,
            payment_group=2,
            infrastructure="pool",
            template="none",
            source="live",
            turns=4.0,
            policy="sticky",
            failover=True,
            handoff=0.2,
            clients="harness",
        ),
    ),
)
PRESETS = {case.campaign.name: case for case in CASES}
