"""Campaign presets, and how a campaign's dials become a population.

The presets are rungs of a ladder: each evades more than the one before. `naive` and `synchronised` can be found from cards, an address
pool and a template; `pathways`, `hydra` and `slow` need more; `unlinked` shares nothing that a log shows and ought to be missed.
"""

from __future__ import annotations

from pipeline.simulate.dials import Access, Activity, Campaign, Identity, Population, Rhythm, Work
from pipeline.simulate.personas import CHAT

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
SCHEDULES = {"batch": "batch", "always": "always", "mimic": "human"}
TEMPLATES = {"fixed": "group", "family": "family", "none": "none"}


def population_of(campaign: Campaign) -> Population:
    """The campaign's accounts as one group that the engine can draw."""
    identity = Identity(
        campaign.payment_group,
        campaign.device_group,
        domain=campaign.domain,
        pathways=campaign.pathways,
        signup=campaign.signup,
        signup_days=campaign.signup_days,
        plan="pro",
        payment_type="card" if campaign.payment_group == 1 else "prepaid",
    )
    access = Access(campaign.infrastructure, campaign.pool_addresses, 0.95, campaign.clients)
    activities = (_collection(campaign), _customers(campaign)) if campaign.noise_share else (_collection(campaign),)
    return Population(f"campaign:{campaign.name}", identity, access, activities, campaign.accounts, malicious=True, size=campaign.accounts, one_group=True)


def _collection(campaign: Campaign) -> Activity:
    rhythm = Rhythm(SCHEDULES[campaign.schedule], campaign.requests_per_account_day / campaign.turns, 0.3, campaign.active_share, 1.0, campaign.turns)
    work = Work(
        "corpus",
        campaign.tasks,
        campaign.corpora,
        campaign.beyond,
        campaign.replacement,
        TEMPLATES[campaign.template],
        output_tokens=campaign.output_tokens,
        output_spread=0.55,
        settings=campaign.settings,
        foreign_share=0.0,
        code_share=0.15,
    )
    return Activity(rhythm, work, pooled=True, policy=campaign.policy, share=1.0 - campaign.noise_share)


def _customers(campaign: Campaign) -> Activity:
    rhythm = Rhythm("human", campaign.requests_per_account_day / 2.6, 0.5, campaign.active_share, 0.8, turns=2.6)
    return Activity(rhythm, CHAT, pooled=True, policy="sticky", share=campaign.noise_share)
