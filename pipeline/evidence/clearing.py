"""Pages of networks that a case referred and then took back: DIR/cases/ID/corrections/<network_id>.html, for internal use.

Each is the network's working page with the correction at its head, its further members beside it. It is made from the latest run if that holds the network, else from the run
that the earlier version of the report was built on, as long as that is kept; a run's own pages are never changed, for their hashes are in run.json.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from pipeline.config import recorded_config
from pipeline.errors import InputError
from pipeline.evidence.casefile import CaseFolder
from pipeline.evidence.cases import Superseded
from pipeline.evidence.corrections import Version
from pipeline.evidence.finished import FinishedRun
from pipeline.pages import build_pages
from pipeline.store import write_bytes


def write_cleared(folder: CaseFolder, networks: Collection[str], before: Version, now: Version, superseded: Superseded) -> tuple[str, ...]:
    """Write the page of each cleared network; gives the ids of those that have one. A run that is gone gives none."""
    latest = FinishedRun(folder.out)
    known = set(latest.among("networks", {"network_id": sorted(networks)})["network_id"].to_list())
    made = list(_pages(folder, latest, sorted(known), before, now, superseded))
    gone = sorted(set(networks) - known)
    if gone:
        try:
            made += _pages(folder, FinishedRun(folder.out, folder.out / "runs" / before.run_id), gone, before, now, superseded)
        except InputError:
            return tuple(sorted(made))
    return tuple(sorted(made))


def sentences(case_id: str, network: str, before: Version, now: Version, superseded: Superseded) -> tuple[str, ...]:
    """What a cleared network's page says first."""
    accounts = set(before.networks[network].members)
    reasons = sorted({reason for account, reason in superseded.removed if account in accounts})
    today = f"is of tier {now.networks[network].tier}" if network in now.networks else "is no longer part of the report"
    return (
        f"Version {before.version} of the report of case {case_id}, night of {before.night}, referred {network} with {len(accounts):,} accounts.",
        f"Version {now.version}, night of {now.night}, takes this back: {network} {today}.",
        "No account may be acted on, or stay acted on, because of what the earlier version said.",
        *(f"Reason given for {sum(1 for account, given in superseded.removed if account in accounts and given == reason):,} of the accounts: {reason}" for reason in reasons),
    )


def _pages(folder: CaseFolder, run: FinishedRun, networks: Sequence[str], before: Version, now: Version, superseded: Superseded) -> Sequence[str]:
    if not networks:
        return ()
    manifest = run.manifest()
    config = recorded_config(manifest["config"], str(run.folder / "run.json"))
    frames = {name: run.table(name) for name in sorted(manifest["tables"])}
    told = {network: sentences(folder.case_id, network, before, now, superseded) for network in networks}
    target, made = folder.path / "corrections", []
    target.mkdir(exist_ok=True)
    for name, page in build_pages({**frames, "account_days": _account_days(run, frames)}, manifest, config, pages_for=set(networks), corrections=told):
        file = name.removeprefix("networks/")
        if file != name:
            write_bytes(target / file, page)
        if file.removesuffix(".html") in told:
            made.append(file.removesuffix(".html"))
    return made


def _account_days(run: FinishedRun, frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """account_days of members and controls, with account_id."""
    ids = pl.concat([frames["members"]["account_id"], frames["controls"]["account_id"]]).unique()
    named = frames["accounts"].select("account_key", "account_id").filter(pl.col("account_id").is_in(ids.implode()))
    columns = ("day", "account_key", "request_count", "input_tokens", "output_tokens", *(f"h{hour:02d}" for hour in range(24)))
    return run.days_among("account_days", columns, {"account_key": named["account_key"].to_list()}).join(named, on="account_key").sort("day", "account_id")
