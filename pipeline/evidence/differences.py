"""What changed between two runs, network by network, and what could have caused it: data, prior state, settings, code, versions.

Networks are matched by id within one folder, for ids last; where an id is in one run only, networks of both that share more than half of the smaller one's members are the
same, so that runs of two folders compare, too. Causes are read from the two run.json files, never guessed: if several differ, all are named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import redact
from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun, VerifiedRun
from pipeline.evidence.names import nearest
from pipeline.store import latest_run, read_json

TIERS = ("explained", "watch", "refer")
MOVE_BITS = 0.1
"""Least change of bits that is told as a move."""
_SCORES = ("coordination_bits", "extraction_bits", "q_value")
_KEPT = 10
"""Names that a cause quotes at most; the others are counted."""


@dataclass(frozen=True)
class Change:
    """A network that is not the same in both runs; what one run does not know is None."""

    change: str
    """new, gone, tier, grown, shrunk, moved (scores only), in the order of gravity; a network has the first that fits"""
    network_id: str
    """its id in the later run, of one that is gone in the earlier"""
    tier_before: str | None
    tier: str | None
    accounts_before: int | None
    accounts: int | None
    joined: int
    left: int
    bits_before: float | None
    bits: float | None
    extraction_before: float | None
    extraction: float | None
    q_before: float | None
    q: float | None


@dataclass(frozen=True)
class Cause:
    """Something that went into the runs and differs."""

    kind: str
    """data, prior_state, config, code, versions, reports"""
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two runs."""

    run_before: str
    run: str
    night_before: str
    night: str
    changes: tuple[Change, ...]
    same_count: int
    """networks that are the same in both"""
    causes: tuple[Cause, ...]


GRAVITY = ("tier", "new", "gone", "grown", "shrunk", "moved")


def find_runs(out: Path, names: tuple[str, ...]) -> tuple[FinishedRun, FinishedRun]:
    """(earlier, later) by what was typed: run ids or their beginnings, nights, `latest`. None: the latest and that of the night before it; one: that and the latest.

    Raises InputError for a name that fits no run or several.
    """
    latest = latest_run(out)
    if not names:
        return VerifiedRun(out, _night_before(out, latest)), VerifiedRun(out, latest)
    folders = [_folder(out, name) for name in names]
    earlier, later = folders if len(folders) == 2 else (folders[0], latest)
    return VerifiedRun(out, earlier), VerifiedRun(out, later)


def _night_before(out: Path, latest: Path) -> Path:
    night = read_json(latest / "run.json")["night"]
    earlier = {day: run for day, run in _nights(out).items() if day < night}
    if not earlier:
        raise InputError(
            f"{out}: holds no run of a night before {night} to compare with. Name two runs: stillhunt diff RUN RUN --out {out}. These are there: stillhunt runs --out {out}"
        )
    return out / "runs" / earlier[max(earlier)]


def _nights(out: Path) -> dict[str, str]:
    path = out / "nights.json"
    found = read_json(path) if path.is_file() else {}
    return {day: run for day, run in found.items() if (out / "runs" / run / "run.json").is_file()}


def _folder(out: Path, name: str) -> Path:
    nights = _nights(out)
    if name == "latest":
        return latest_run(out)
    if name in nights:
        return out / "runs" / nights[name]
    runs = sorted(path.parent.name for path in (out / "runs").glob("*/run.json"))
    matching = [run for run in runs if run == name] or [run for run in runs if len(name) >= 4 and run.startswith(name)]
    if len(matching) == 1:
        return out / "runs" / matching[0]
    why = f"is the beginning of {len(matching)} runs" if matching else "is no run and no night"
    near = " or ".join(nearest(name, [*runs, *nights]))
    hint = f" Did you mean {near}?" if near else ""
    raise InputError(f"'{redact.for_cell(name)}' {why} of {out}.{hint} Runs: {', '.join(runs[:_KEPT])}. Nights: {', '.join(sorted(nights)[-_KEPT:]) or 'none'}.")


def difference(before: FinishedRun, after: FinishedRun) -> Difference:
    """Compare two finished runs, whatever their order in time."""
    then, now = before.manifest(), after.manifest()
    pairs = _matched(before, after)
    changes, same = [], 0
    for old, new in pairs:
        change = _change(old, new)
        if change is None:
            same += 1
        else:
            changes.append(change)
    changes.sort(key=lambda one: (GRAVITY.index(one.change), -_tier(one.tier or one.tier_before), -(one.accounts or one.accounts_before or 0), one.network_id))
    return Difference(then["run_id"], now["run_id"], then["night"], now["night"], tuple(changes), same, causes(then, now))


Known = dict[str, Any]


def _networks(run: FinishedRun) -> dict[str, Known]:
    members = dict(run.columns("members", "network_id", "account_id").group_by("network_id").agg(pl.col("account_id")).iter_rows())
    weighed = set(run.columns("network_families", "network_id")["network_id"].to_list())
    return {row["network_id"]: _known(row, weighed) | {"members": frozenset(members.get(row["network_id"], ()))} for row in run.table("networks").rows(named=True)}


def _known(row: Known, weighed: Collection[str]) -> Known:
    """The row with no bits where the links were not weighed, and none of training where nothing was tested: the table holds 0 there."""
    bits = row["coordination_bits"] if row["coordination_bits"] or row["network_id"] in weighed else None
    return row | {"coordination_bits": bits, "extraction_bits": None if bits is None and row["q_value"] is None else row["extraction_bits"]}


def _matched(before: FinishedRun, after: FinishedRun) -> list[tuple[Known | None, Known | None]]:
    """Each network of both runs once: with its like, or with None."""
    old, new = _networks(before), _networks(after)
    pairs: list[tuple[Known | None, Known | None]] = [(old.pop(name), new.pop(name)) for name in sorted(old.keys() & new.keys())]
    overlaps = sorted(((-len(one["members"] & two["members"]), a, b) for a, one in old.items() for b, two in new.items() if one["members"] & two["members"]))
    for count, a, b in overlaps:
        if a in old and b in new and -2 * count > min(len(old[a]["members"]), len(new[b]["members"])):
            pairs.append((old.pop(a), new.pop(b)))
    return [*pairs, *((one, None) for one in old.values()), *((None, two) for two in new.values())]


def _change(old: Known | None, new: Known | None) -> Change | None:
    """What changed; None if nothing did."""
    mine, theirs = new or {}, old or {}
    some = mine or theirs
    joined, left = (len(mine["members"] - theirs["members"]), len(theirs["members"] - mine["members"])) if mine and theirs else (0, 0)
    word = _word(theirs, mine, joined, left)
    if not word:
        return None
    scores = [value for name in _SCORES for value in (theirs.get(name), mine.get(name))]
    return Change(word, some["network_id"], theirs.get("tier"), mine.get("tier"), theirs.get("account_count"), mine.get("account_count"), joined, left, *scores)


def _word(old: Known, new: Known, joined: int, left: int) -> str:
    if not old or not new:
        return "new" if new else "gone"
    if old["tier"] != new["tier"]:
        return "tier"
    if joined or left:
        return "grown" if joined >= left else "shrunk"
    moved = any(_far(old[name], new[name]) for name in ("coordination_bits", "extraction_bits"))
    return "moved" if moved else ""


def _far(one: float | None, other: float | None) -> bool:
    return (one is None) != (other is None) or (one is not None and other is not None and abs(one - other) >= MOVE_BITS)


def _tier(name: str | None) -> int:
    return TIERS.index(name) if name in TIERS else -1


def level(changes: tuple[Change, ...]) -> str:
    """The gravest level that the changes reach: refer (a network came to this tier or left it), tier (another change of tier, or a network that is new or gone), any, none."""
    if any(one.tier != one.tier_before and "refer" in (one.tier, one.tier_before) for one in changes):
        return "refer"
    if any(one.change in ("tier", "new", "gone") for one in changes):
        return "tier"
    return "any" if changes else "none"


def causes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Cause, ...]:
    """What went into two runs and differs, from their run.json."""
    return (*_data(then, now), *_prior(then, now), *_settings(then, now), *_code(then, now), *_versions(then, now))


def _data(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Cause]:
    found = [Cause("data", "window", _window(then), _window(now))] if _window(then) != _window(now) else []
    old, new = ({entry["name"]: entry["sha256"] for entry in one["inputs"]} for one in (then, now))
    parts = {
        "log files added": [name for name in new if name not in old],
        "log files left out": [name for name in old if name not in new],
        "log files changed": [name for name in new if name in old and old[name] != new[name]],
    }
    found += [Cause("data", what, "", _some(names)) for what, names in parts.items() if names]
    rows = [f"{one['counts']['rows_kept']:,} requests" for one in (then, now)]
    found += [Cause("data", "requests kept", *rows)] if rows[0] != rows[1] else []
    tables = [one["recipe"]["tables"].get("accounts") for one in (then, now)]
    found += [Cause("data", "accounts table", _short(tables[0]), _short(tables[1]))] if tables[0] != tables[1] else []
    context = [one["recipe"]["context"] for one in (then, now)]
    names = sorted(context[0].keys() | context[1].keys())
    return found + [Cause("data", f"context {name}", _short(context[0].get(name)), _short(context[1].get(name))) for name in names if context[0].get(name) != context[1].get(name)]


def _prior(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Cause]:
    """What earlier nights left: ids and lineage rest on it, judgements do not. And the validation that pages quote."""
    nights = [one["recipe"]["tables"].get("previous_night") or "none" for one in (then, now)]
    found = [Cause("prior_state", "night before", *nights)] if nights[0] != nights[1] else []
    quoted = [_short(one["recipe"]["tables"].get("validation")) for one in (then, now)]
    return found + ([Cause("reports", "error rates that pages quote", *quoted)] if quoted[0] != quoted[1] else [])


def _settings(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Cause]:
    old, new = ({f"{section}.{key}": value for section, keys in one["config"].items() for key, value in keys.items()} for one in (then, now))
    names = sorted(old.keys() | new.keys())
    return [Cause("config", name, _text(old.get(name)), _text(new.get(name))) for name in names if old.get(name) != new.get(name)]


def _code(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Cause]:
    codes = [one["recipe"]["code"] for one in (then, now)]
    return [Cause("code", "program", _short(codes[0]), _short(codes[1]))] if codes[0] != codes[1] else []


def _versions(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Cause]:
    old, new = then["versions"], now["versions"]
    return [Cause("versions", name, old.get(name, "absent"), new.get(name, "absent")) for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


def _window(one: Mapping[str, Any]) -> str:
    return f"{one['window']['first_day']}..{one['window']['last_day']}"


def _short(sha: str | None) -> str:
    return sha[:12] if sha else "none"


def _text(value: Any) -> str:
    return "none" if value is None else str(value)


def _some(names: list[str]) -> str:
    shown = ", ".join(redact.file_path(name) for name in sorted(names)[:3])
    return f"{len(names)}: {shown}{' ..' if len(names) > 3 else ''}"
