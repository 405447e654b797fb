"""Campaign presets, and how a campaign's dials become a population.

The presets are rungs of a ladder: each evades more than the one before. `naive` and `synchronised` can be found from cards, an address
pool and a template; `pathways`, `hydra` and `slow` need more; `unlinked` shares nothing that a log shows and ought to be missed.
"""

from __future__ import annotations

import dataclasses

from pipeline.simulate.campaign import Campaign
from pipeline.simulate.dials import Access, Activity, Career, Identity, Pool, Population, Rhythm, Work
from pipeline.simulate.personas import CHAT, CHAT_TASKS

CAMPAIGNS = {
    "naive": Campaign(
        "naive",
        20,
        36.0,
        payment_group=10,
        device_group=7,
        infrastructure="pool",
        template="fixed",
        schedule="batch",
        policy="round_robin",
        domain="disposable",
        clients="harness",
        signup_days=2.0,
    ),
    "synchronised": Campaign(
        "synchronised",
        16,
        30.0,
        payment_group=6,
        device_group=4,
        infrastructure="pool",
        pool_addresses=6,
        template="fixed",
        schedule="batch",
        policy="round_robin",
        output_tokens=1100.0,
    ),
    "pathways": Campaign(
        "pathways",
        14,
        28.0,
        payment_group=3,
        device_group=2,
        infrastructure="residential",
        template="family",
        schedule="always",
        policy="random",
        active_share=0.85,
        output_tokens=800.0,
        signup_days=12.0,
        pathways=(("self_serve", 0.4), ("education", 0.25), ("research", 0.2), ("startup_credits", 0.15)),
    ),
    "hydra": Campaign(
        "hydra",
        30,
        26.0,
        payment_group=2,
        infrastructure="residential",
        template="family",
        schedule="mimic",
        policy="sticky",
        active_share=0.5,
        turns=1.4,
        noise_share=0.6,
        output_tokens=750.0,
        signup="organic",
        settings="script",
    ),
    "slow": Campaign(
        "slow",
        24,
        8.0,
        infrastructure="residential",
        template="family",
        schedule="mimic",
        policy="random",
        active_share=0.5,
        turns=1.7,
        signup="organic",
        settings="script",
        output_tokens=600.0,
    ),
    "unlinked": Campaign(
        "unlinked",
        16,
        14.0,
        infrastructure="residential",
        template="none",
        schedule="mimic",
        policy="random",
        active_share=0.55,
        turns=1.8,
        replacement=True,
        corpora=8,
        signup="organic",
        settings="script",
        output_tokens=420.0,
    ),
}
FORMER_LIFE = Activity(Rhythm("human", 2.0, 0.8, 0.5, 0.9, turns=2.6, phase="before"), CHAT, access=Access())
MACHINE_GAP_S, HUMAN_GAP_S = 4.0, 75.0
SCHEDULES = {"batch": "batch", "always": "always", "mimic": "human"}
TEMPLATES = {"fixed": "group", "family": "family", "injected": "injected", "paraphrase": "paraphrase", "none": "none"}


def population_of(campaign: Campaign) -> Population:
    """The campaign's accounts as one group that the engine can draw."""
    identity = Identity(
        campaign.payment_group,
        campaign.device_group,
        campaign.organization,
        domain=campaign.domain,
        pathways=campaign.pathways,
        signup=campaign.signup,
        signup_days=campaign.signup_days,
        plan="pro",
        payment_type=campaign.payment_type if campaign.payment_type != "auto" else "card" if campaign.payment_group == 1 else "prepaid",
        ageing_days=campaign.ageing_days,
        one_mail_shape=campaign.one_mail_shape,
    )
    access = Access(campaign.infrastructure, campaign.pool_addresses, 0.95, campaign.clients, campaign.sessions)
    activities = [_collection(campaign)]
    if campaign.noise_share:
        activities.append(_customers(campaign))
    if campaign.purchased_share:
        activities.append(FORMER_LIFE)
    career = Career(campaign.purchased_share, campaign.purchase_days, campaign.spare_share, campaign.ban_days, campaign.ban_share, campaign.succession_hours, campaign.pivot_share)
    name = f"campaign:{campaign.name}"
    return Population(name, identity, access, tuple(activities), campaign.accounts, malicious=True, size=campaign.accounts, one_group=True, career=career)


def _phase(campaign: Campaign) -> str:
    return "after" if campaign.purchased_share else "all"


def _pool(campaign: Campaign, best_of: int, handoff: float) -> Pool:
    return Pool(campaign.sticky_minutes, campaign.workers, campaign.weight_spread, campaign.duty, best_of, handoff, campaign.failover)


def _collection(campaign: Campaign) -> Activity:
    stored = campaign.source != "corpus"
    rhythm = Rhythm(
        SCHEDULES[campaign.schedule],
        campaign.requests_per_account_day / campaign.turns,
        0.3,
        campaign.active_share,
        1.0,
        campaign.turns,
        MACHINE_GAP_S if campaign.source == "replay" else HUMAN_GAP_S,
        phase=_phase(campaign),
    )
    work = Work(
        "people" if stored else "corpus",
        (*campaign.tasks, *CHAT_TASKS) if stored else campaign.tasks,
        campaign.corpora,
        campaign.beyond,
        campaign.replacement,
        TEMPLATES[campaign.template],
        output_tokens=campaign.output_tokens,
        output_spread=0.55,
        settings=campaign.settings,
        foreign_share=campaign.foreign_share if stored else 0.0,
        code_share=0.15,
        sharded=campaign.sharded,
    )
    return Activity(rhythm, work, pooled=True, policy=campaign.policy, share=1.0 - campaign.noise_share, pool=_pool(campaign, campaign.best_of, campaign.handoff))


def _customers(campaign: Campaign) -> Activity:
    rhythm = Rhythm("human", campaign.requests_per_account_day / 2.6, 0.5, campaign.active_share, 0.8, turns=2.6, phase=_phase(campaign))
    work = dataclasses.replace(CHAT, source="people")
    return Activity(rhythm, work, pooled=True, policy="sticky", share=campaign.noise_share, pool=_pool(campaign, 1, campaign.handoff))
