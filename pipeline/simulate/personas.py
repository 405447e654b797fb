"""The innocent populations: who uses a language model's API, as data.

Each entry says what share of a world's innocent accounts it is and how those people live. The hardest innocents are `hobby_script` (strangers
with scripts of their own over the same public corpora, similar settings, long answers), `classroom` and `evaluator`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulate.dials import Access, Activity, Identity, Population, Rhythm, Work

CHAT_TASKS = (("explain", 0.35), ("advise", 0.35), ("talk", 0.1), ("rewrite", 0.15), ("reason", 0.05))
CHAT = Work(tasks=CHAT_TASKS, sentences=2.0, output_tokens=320.0, foreign_share=0.35, code_share=0.06)
CODING = Work(tasks=(("code", 0.75), ("plan", 0.15), ("explain", 0.1)), sentences=4.0, output_tokens=380.0, system="client", foreign_share=0.1, code_share=0.6)


@dataclass(frozen=True)
class Persona:
    """A population and its share of the innocent accounts."""

    share: float
    population: Population


def persona(share: float, name: str, identity: Identity, access: Access, *activities: Activity, group_size: int = 0) -> Persona:
    """An entry: `share` of the innocent accounts (entries are scaled to add up to one), groups of about `group_size` (0: strangers)."""
    return Persona(share, Population(name, identity, access, activities, group_size))


PERSONAS = (
    persona(0.38, "individual", Identity(), Access(), Activity(Rhythm("human", 2.0, 0.8, 0.5, 0.9, turns=2.6), CHAT)),
    persona(
        0.06,
        "power_user",
        Identity(plan="max"),
        Access(clients="sdk"),
        Activity(Rhythm("human", 5.0, 0.7, 0.8, 0.8, turns=3.0), CHAT),
        Activity(Rhythm("human", 4.0, 0.7, 0.5, 0.8, turns=3.0), CODING),
    ),
    persona(
        0.13,
        "hobby_script",
        Identity(pathways=(("self_serve", 0.8), ("research", 0.12), ("startup_credits", 0.08))),
        Access(addresses="home", clients="sdk"),
        Activity(
            Rhythm("cron", 22.0, 0.8, 0.6, 1.0),
            Work(
                "corpus",
                (("reason", 0.4), ("code", 0.25), ("extract", 0.15), ("rewrite", 0.1), ("grade", 0.1)),
                corpora=2,
                template="own",
                template_holders=0.65,
                sentences=3.0,
                output_tokens=800.0,
                settings="script",
                code_share=0.2,
            ),
        ),
        Activity(Rhythm("human", 1.0, 0.6, 0.2, 1.2, turns=2.0), CHAT),
    ),
    persona(0.14, "developer", Identity(plan="max"), Access(clients="coding"), Activity(Rhythm("office", 2.4, 0.7, 0.65, 0.35, turns=6.0), CODING)),
    persona(
        0.02,
        "batch_company",
        Identity(payment_group=0, organization=True, domain="corporate", verification="kyc", plan="scale", innocent_sharing=False),
        Access("cloud", pool_addresses=3, pool_share=1.0, clients="sdk"),
        Activity(
            Rhythm("always", 60.0, 0.5, 0.95, 1.0),
            Work(
                tasks=(("extract", 0.8), ("rewrite", 0.2)),
                template="group",
                sentences=6.0,
                system="group",
                output_tokens=130.0,
                output_spread=0.5,
                settings="group",
                table_share=0.3,
            ),
        ),
        group_size=4,
    ),
    persona(
        0.09,
        "enterprise",
        Identity(
            payment_group=0,
            organization=True,
            domain="corporate",
            pathways=(("enterprise", 1.0),),
            verification="kyb",
            payment_type="invoice",
            plan="enterprise",
            signup="burst",
            signup_days=40,
            innocent_sharing=False,
        ),
        Access("office", pool_addresses=2, pool_share=0.85, clients="browser"),
        Activity(
            Rhythm("office", 4.0, 0.8, 0.7, 0.06, turns=2.5),
            Work(tasks=(("rewrite", 0.3), ("extract", 0.25), ("explain", 0.3), ("plan", 0.15)), sentences=5.0, system="group", output_tokens=350.0),
        ),
        group_size=24,
    ),
    persona(
        0.10,
        "classroom",
        Identity(device_group=3, domain="edu", pathways=(("education", 1.0),), verification="email", payment_type="credits", plan="education", signup="burst", signup_days=1.0),
        Access("campus", pool_addresses=2, pool_share=0.6),
        Activity(
            Rhythm("lesson", 5.0, 0.5, 0.45, 0.3, turns=1.6),
            Work("assignment", (("reason", 0.5), ("code", 0.3), ("explain", 0.2)), sentences=3.0, output_tokens=420.0, foreign_share=0.0, code_share=0.2),
        ),
        Activity(Rhythm("human", 1.0, 0.7, 0.3, 1.0, turns=2.0), CHAT),
        group_size=22,
    ),
    persona(
        0.05,
        "small_team",
        Identity(payment_group=0, organization=True, domain="corporate", signup="burst", signup_days=20, plan="team"),
        Access("office", pool_addresses=1, pool_share=0.8, clients="sdk"),
        Activity(
            Rhythm("office", 5.0, 0.7, 0.75, 0.15, turns=2.6),
            Work(tasks=(("code", 0.3), ("rewrite", 0.3), ("explain", 0.2), ("plan", 0.2)), sentences=4.0, system="own", output_tokens=380.0),
        ),
        group_size=6,
    ),
    persona(
        0.03,
        "evaluator",
        Identity(organization=True, domain="corporate", pathways=(("research", 0.7), ("self_serve", 0.3)), verification="kyc", plan="scale"),
        Access("cloud", pool_addresses=2, pool_share=0.8, clients="sdk"),
        Activity(
            Rhythm("batch", 70.0, 0.4, 0.4, 0.5),
            Work("benchmark", (("reason", 0.6), ("code", 0.2), ("grade", 0.2)), corpora=1, template="group", sentences=3.0, output_tokens=220.0, settings="group"),
        ),
        group_size=3,
    ),
)
