"""The evasion ladder: twelve campaigns, each the one before with a few dials turned.

L0 hides nothing. Each rung adds one tactic that was seen in the wild or follows from one that was; the last shares nothing that a log shows and ought to be missed, and be
reported as missed. A rung keeps what the rung below had learned, so recall along the ladder says what each tactic costs the detector.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pipeline.simulate.campaign import Campaign

MIXED_PATHWAYS = (("self_serve", 0.4), ("education", 0.2), ("research", 0.15), ("startup_credits", 0.1), ("reseller", 0.15))


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: its name, the tactic in words, and the dials that it turns, with their new values."""

    name: str
    tactic: str
    turned: tuple[tuple[str, object], ...]


GROUND = Campaign(
    "L0",
    requests_per_account_day=120.0,
    payment_group=0,
    payment_type="mixed",
    device_group=0,
    infrastructure="shared",
    schedule="batch",
    policy="round_robin",
    clients="harness",
    signup_days=1.0,
    output_tokens=700.0,
)
STEPS = (
    Rung("L0", "one address, one card, one prompt word for word, a timetable", ()),
    Rung("L1", "many accounts, opened over weeks, each below its limits, in turn", (("requests_per_account_day", 14.0), ("signup_days", 60.0))),
    Rung("L2", "random gaps, the hours of each account's country, days of rest", (("schedule", "mimic"), ("policy", "random"), ("duty", 0.45))),
    Rung(
        "L3",
        "a home line for each account, throwaway mail, virtual cards, devices of their own",
        (("infrastructure", "residential"), ("domain", "mixed"), ("payment_group", 3), ("device_group", 1)),
    ),
    Rung("L4", "sessions stay on an account for an hour; a throttled one goes on elsewhere", (("policy", "sticky"), ("workers", 0.2), ("failover", True))),
    Rung("L5", "names and defaults of popular clients, masked session ids", (("clients", "rewritten"), ("settings", "client"), ("sessions", "masked"))),
    Rung("L6", "strangers' chats resold over the same accounts, handed on between them", (("noise_share", 0.6), ("handoff", 0.1))),
    Rung("L7", "each request's preamble worded afresh", (("template", "paraphrase"),)),
    Rung("L8", "aged and bought accounts with cards of their own", (("purchased_share", 0.6), ("payment_group", 1), ("signup", "organic"))),
    Rung("L9", "several kinds of account, and a spare pool for the day of the ban", (("pathways", MIXED_PATHWAYS), ("spare_share", 0.35), ("ban_days", (5,)))),
    Rung("L10", "stored conversations of genuine users, sent again", (("source", "replay"), ("foreign_share", 0.6), ("turns", 2.4))),
    Rung(
        "L11",
        "people's own prompts as they come, nothing shared, nobody banned; ought to be missed",
        (("source", "live"), ("template", "none"), ("clients", "varied"), ("failover", False), ("handoff", 0.0), ("ban_days", ()), ("spare_share", 0.0)),
    ),
)


def _climb() -> dict[str, Campaign]:
    made, campaign = {}, GROUND
    for step in STEPS:
        campaign = dataclasses.replace(campaign, name=step.name, **dict(step.turned))  # type: ignore[arg-type]
        made[step.name] = campaign
    return made


RUNGS = _climb()
