"""The innocent populations that look coordinated because they are, or strange because something happened to them.

With `personas.PERSONAS` they make up the full population. Each has its own rhythm, network, clients, prompts and account record; what makes it a hard case stands
beside it. Shares are of a world's innocent accounts, beside those of `PERSONAS`.
"""

from __future__ import annotations

import dataclasses

from pipeline.simulate.dials import Access, Activity, Identity, Pool, Rhythm, Work
from pipeline.simulate.personas import CHAT, CHAT_TASKS, CODING, PERSONAS, persona

LIFE = Activity(Rhythm("human", 2.0, 0.8, 0.5, 0.9, turns=2.6), CHAT)
OFFICE_CODING = Activity(Rhythm("office", 2.4, 0.7, 0.65, 0.35, turns=6.0), CODING)
BACKFILL = Work(tasks=(("extract", 0.7), ("rewrite", 0.3)), template="group", sentences=6.0, output_tokens=160.0, settings="group")
GOING_ROUND = Work(tasks=CHAT_TASKS, template="public", template_share=0.25, sentences=2.0, foreign_share=0.3)
SYNTHETIC = Work(
    "benchmark",
    (("reason", 0.4), ("rewrite", 0.4), ("extract", 0.2)),
    corpora=1,
    template="group",
    sentences=4.0,
    output_tokens=850.0,
    settings="group",
    items=3000,
)

LOOKALIKES = (
    # opened on one morning in one hall, with one starter kit: sign-up, address, wording and hours all agree
    persona(
        0.03,
        "hackathon",
        Identity(payment_type="credits", pathways=(("startup_credits", 0.7), ("self_serve", 0.3)), verification="email", signup="morning"),
        Access("campus", pool_addresses=1, pool_share=0.92, clients="sdk"),
        Activity(
            Rhythm("event", 16.0, 0.6, 0.95, 1.0, turns=2.5, lifetime_days=2.0),
            Work(tasks=(("code", 0.6), ("plan", 0.25), ("reason", 0.15)), sentences=3.0, system="group", output_tokens=600.0, settings="group", code_share=0.3),
        ),
        group_size=26,
    ),
    # adults on one course: the same exercises at the same hours, cards and mailboxes of their own
    persona(
        0.03,
        "bootcamp",
        Identity(device_group=1, verification="payment", signup="burst", signup_days=2.0, pathways=(("self_serve", 0.6), ("education", 0.4))),
        Access("campus", pool_addresses=1, pool_share=0.55, clients="sdk"),
        Activity(
            Rhythm("lesson", 6.0, 0.5, 0.7, 0.1, turns=2.0),
            Work("assignment", (("code", 0.8), ("explain", 0.2)), sentences=4.0, output_tokens=600.0, foreign_share=0.0, code_share=0.5),
        ),
        LIFE,
        group_size=16,
    ),
    # probes a model with variations of one prompt, in bursts, with a harness of its own
    persona(
        0.01,
        "red_team",
        Identity(payment_group=0, organization=True, domain="corporate", pathways=(("research", 1.0),), verification="kyc", plan="scale", innocent_sharing=False),
        Access("cloud", pool_addresses=2, pool_share=0.9, clients="harness"),
        Activity(
            Rhythm("batch", 60.0, 0.5, 0.35, 0.4),
            Work("benchmark", (("rewrite", 0.4), ("reason", 0.4), ("advise", 0.2)), corpora=1, template="family", sentences=3.0, output_tokens=180.0, settings="group", items=400),
        ),
        group_size=4,
    ),
    # everyone's traffic on a few accounts; names its end users
    persona(
        0.004,
        "aggregator",
        Identity(
            payment_group=0,
            organization=True,
            domain="corporate",
            pathways=(("reseller", 1.0),),
            verification="kyb",
            payment_type="invoice",
            plan="enterprise",
            innocent_sharing=False,
        ),
        Access("cloud", pool_addresses=2, pool_share=1.0, clients="harness"),
        Activity(
            Rhythm("always", 80.0, 0.4, 1.0, 1.0, turns=2.6),
            Work("people", (*CHAT_TASKS, ("code", 0.3)), sentences=3.0, output_tokens=380.0, foreign_share=0.4, code_share=0.15, end_users=4000),
        ),
        group_size=2,
    ),
    # a shared key in a build pipeline: another runner address for each job, whenever somebody pushes
    persona(
        0.02,
        "ci_key",
        Identity(organization=True, domain="corporate", plan="team", verification="payment"),
        Access("serverless", clients="sdk"),
        Activity(
            Rhythm("office", 18.0, 0.8, 0.75, 0.15),
            Work(tasks=(("code", 0.7), ("extract", 0.3)), template="own", sentences=8.0, output_tokens=220.0, settings="script", code_share=0.8),
        ),
    ),
    # one hour of equal requests, then silence
    persona(
        0.008,
        "load_test",
        Identity(organization=True, domain="corporate", plan="scale", signup="launch", verification="kyc"),
        Access("serverless", clients="sdk"),
        Activity(
            Rhythm("spike", 250.0, 0.5, 0.9, 1.0, lifetime_days=1.5),
            Work("benchmark", (("talk", 0.6), ("explain", 0.4)), corpora=1, sentences=1.0, output_tokens=16.0, output_spread=0.2, settings="group", items=5),
        ),
        group_size=2,
    ),
    # a company moves from one account to another: the old one falls silent, the new one starts at full rate
    persona(
        0.012,
        "migration",
        Identity(payment_group=0, organization=True, domain="corporate", plan="scale", verification="kyc", innocent_sharing=False),
        Access("cloud", pool_addresses=2, pool_share=1.0, clients="sdk"),
        Activity(
            Rhythm("always", 45.0, 0.3, 0.95, 0.9, phase="before", members="first"),
            BACKFILL,
        ),
        Activity(
            Rhythm("always", 60.0, 0.3, 0.95, 0.9, phase="after", members="others"),
            BACKFILL,
        ),
        group_size=2,
    ),
    # strangers behind the exits of one commercial tunnel
    persona(0.04, "vpn_user", Identity(), Access("vpn", pool_share=0.85), LIFE),
    # strangers behind a mobile carrier's few addresses, another one for each conversation
    persona(0.06, "mobile_user", Identity(), Access("mobile", pool_share=0.9), Activity(Rhythm("human", 2.5, 0.8, 0.6, 1.0, turns=2.2), CHAT)),
    # everyone who read about the product on one day; most have left after three
    persona(
        0.05,
        "launch_crowd",
        Identity(verification="email", payment_type="credits", plan="free", signup="launch"),
        Access(),
        Activity(Rhythm("human", 5.0, 0.8, 0.8, 1.0, turns=2.0, lifetime_days=4.0), GOING_ROUND),
    ),
    # a developer whose key somebody else uses for a few days
    persona(
        0.012,
        "stolen_key",
        Identity(plan="max"),
        Access(clients="coding"),
        OFFICE_CODING,
        Activity(
            Rhythm("always", 40.0, 0.5, 1.0, 1.0, turns=1.5, phase="after"),
            Work("people", (*CHAT_TASKS, ("code", 0.4)), sentences=3.0, output_tokens=500.0, foreign_share=0.5),
            access=Access("cloud", pool_addresses=1, pool_share=1.0, clients="sdk"),
        ),
    ),
    # makes training data for a model of its own, from its own list, long answers and all: one customer, openly
    persona(
        0.01,
        "synthetic_data",
        Identity(payment_group=0, organization=True, domain="corporate", pathways=(("self_serve", 0.5), ("startup_credits", 0.5)), verification="kyc", plan="scale"),
        Access("cloud", pool_addresses=2, pool_share=0.95, clients="sdk"),
        Activity(Rhythm("batch", 50.0, 0.5, 0.7, 0.8), SYNTHETIC),
        group_size=2,
    ),
    # a club or small company without an organisation: a gateway spreads its people's chats over the members' own accounts and goes on with another one when it likes
    persona(
        0.016,
        "shared_gateway",
        Identity(signup="burst", signup_days=20.0),
        Access(),
        Activity(
            Rhythm("human", 4.0, 0.6, 0.8, 0.6, turns=2.6),
            dataclasses.replace(CHAT, source="members", settings="group"),
            pooled=True,
            policy="sticky",
            pool=Pool(handoff=0.2, failover=True),
            access=Access("cloud", pool_addresses=1, pool_share=1.0, clients="gateway"),
        ),
        LIFE,
        group_size=8,
    ),
)
EVERYONE = PERSONAS + LOOKALIKES
