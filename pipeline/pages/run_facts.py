"""What run.json says, as the pages need it, and the verdict that follows: OK, DEGRADED or FAILED.

Keys read (all but the first three may be missing, and then the page says that they were not recorded):
    run_id, night (ISO date), window {first_day, last_day, days}
    version, config_sha256, command
    inputs [{name, rows, sha256, size_bytes, conforms}], skipped_files [{name, reason}]
    counts {rows_read, rows_kept, accounts, ...}, rejected {reason: rows}
    coverage {column: share 0..1, or {non_null, rows}}, accounts_table {values {column: accounts}, accounts}
    error_rates (pipeline/pages/error_rates.py: `summary`, or null if nothing was measured)
    health {days {day: counts}} (pipeline/history/health.py)
    degraded [sentence], failed_checks [{check, count}], stages_skipped [{stage, reason}], status (may only make the verdict worse)
Manifest text passes the redaction gate here. A run whose checks failed is FAILED whatever else it says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import redact
from pipeline.contract import ACCOUNT_COLUMNS, REQUEST_COLUMNS
from pipeline.pages import numbers
from pipeline.pages.records import Fact, PageHead, Verdict

PROFILE = "INTERNAL"
_TONES = {"OK": "ok", "DEGRADED": "degraded", "FAILED": "failed"}
_SENTENCES = {
    "OK": "Everything that should have run did. Nothing was skipped.",
    "DEGRADED": "The run finished, but part of what should have run did not. Absence of a network below is weaker evidence than on other nights.",
    "FAILED": "A check of the run's own tables failed. Do not rely on anything below, an empty list included.",
}


@dataclass(frozen=True)
class InputFile:
    """One input file of the run."""

    name: str
    rows: int | None
    size_bytes: int | None
    sha256: str


@dataclass(frozen=True)
class Coverage:
    """How much of a contract column is filled, 0..1 (0 if the log does not carry it); None if not recorded."""

    column: str
    share: float | None


@dataclass(frozen=True)
class RunFacts:
    """The manifest, typed."""

    run_id: str
    night: str
    first_day: str
    last_day: str
    days: int | None
    version: str
    config_sha256: str
    inputs: tuple[InputFile, ...]
    skipped: tuple[tuple[str, str], ...]
    counts: Mapping[str, int]
    rejected: tuple[tuple[str, int], ...]
    coverage: tuple[Coverage, ...]
    """Every column of the contract for requests, in its order; empty if the run recorded none."""
    account_coverage: tuple[Coverage, ...]
    """The same of the accounts table, as shares of the log's accounts; empty without such a table."""
    error_rates: Mapping[str, Any] | None
    degraded: tuple[str, ...]
    failed: tuple[str, ...]
    status: str
    rows_by_day: Mapping[str, int]
    """Rows read of each day of which the run kept a record; empty if it kept none."""

    @property
    def rejected_rows(self) -> int:
        """Rejected rows, all reasons."""
        return sum(rows for _, rows in self.rejected)


def read_manifest(manifest: Mapping[str, Any]) -> RunFacts:
    """The typed manifest. Raises KeyError when run_id, night or window is missing: without them a page could not say what it shows."""
    window = manifest["window"]
    return RunFacts(
        run_id=redact.identifier(str(manifest["run_id"])),
        night=_text(manifest["night"]),
        first_day=_text(window.get("first_day", "")),
        last_day=_text(window.get("last_day", "")),
        days=window.get("days"),
        version=_text(manifest.get("version", "")),
        config_sha256=_text(manifest.get("config_sha256", "")),
        inputs=tuple(_input(entry) for entry in manifest.get("inputs", ())),
        skipped=tuple((redact.file_path(str(entry["name"])), _text(entry.get("reason", ""))) for entry in manifest.get("skipped_files", ())),
        counts=dict(manifest.get("counts", {})),
        rejected=tuple(sorted((_text(reason), int(rows)) for reason, rows in manifest.get("rejected", {}).items())),
        coverage=_coverage(REQUEST_COLUMNS, manifest.get("coverage", {})),
        account_coverage=_account_coverage(manifest.get("accounts_table", {})),
        error_rates=manifest.get("error_rates"),
        degraded=(*map(_text, manifest.get("degraded", ())), *_pairs(manifest.get("stages_skipped", ()), "stage", "was skipped")),
        failed=_pairs(manifest.get("failed_checks", ()), "check", "failed"),
        status=str(manifest.get("status", "")).upper(),
        rows_by_day={str(day): int(counts["rows_read"]) for day, counts in manifest.get("health", {}).get("days", {}).items()},
    )


def page_head(facts: RunFacts, title: str, description: str) -> PageHead:
    """The head that every page carries."""
    return PageHead(
        title=title,
        description=description,
        night=facts.night,
        window=window_text(facts),
        run_id=facts.run_id,
        version=facts.version or "not recorded",
        config_sha256=facts.config_sha256[:16] or "not recorded",
        profile=PROFILE,
    )


def window_text(facts: RunFacts) -> str:
    """`2026-04-09 to 2026-05-06 (28 days, UTC)`; both days are inside."""
    days = f"{numbers.counted(facts.days, 'days')}, UTC" if facts.days else "UTC"
    return f"{facts.first_day} to {facts.last_day} ({days})" if facts.first_day and facts.last_day else f"not recorded ({days})"


def verdict(facts: RunFacts, max_rejected_share: float, problems: Sequence[str] = ()) -> Verdict:
    """Whether the night can be trusted. `problems` are reasons that the tables themselves give."""
    own = (*_skipped_reasons(facts), *_rejected_reasons(facts, max_rejected_share))
    degraded = (*(facts.degraded or own), *problems)  # the run's own sentences say the same at more length
    word = _worst("FAILED" if facts.failed else "DEGRADED" if degraded else "OK", facts.status)
    reasons = (*facts.failed, *degraded)
    if word != "OK" and not reasons:
        reasons = (f"The run's manifest records the status {word} without a reason.",)
    return Verdict(word, _TONES[word], _SENTENCES[word], reasons, _verdict_facts(facts))


def _verdict_facts(facts: RunFacts) -> tuple[Fact, ...]:
    kept, read = facts.counts.get("rows_kept"), facts.counts.get("rows_read")
    return (
        Fact("Night", facts.night),
        Fact("Window", f"{facts.first_day} to {facts.last_day}", numbers.counted(facts.days, "days") if facts.days else "length not recorded"),
        Fact("Requests kept", numbers.count(kept), f"of {numbers.count(read)} rows read"),
        Fact("Accounts", numbers.count(facts.counts.get("accounts")), "with a request in the window"),
        Fact("Rejected", numbers.counted(facts.rejected_rows, "rows"), _share_of(facts.rejected_rows, read)),
        Fact("Skipped", numbers.counted(len(facts.skipped), "files"), f"{numbers.counted(len(facts.inputs), 'files')} read"),
    )


def _share_of(part: int, whole: int | None) -> str:
    return f"{numbers.percent(part / whole)} of rows read" if whole else "share unknown"


def _skipped_reasons(facts: RunFacts) -> tuple[str, ...]:
    if not facts.skipped:
        return ()
    first = "; ".join(f"{name} ({reason or 'no reason recorded'})" for name, reason in facts.skipped[:3])
    rest = f" and {len(facts.skipped) - 3} more" if len(facts.skipped) > 3 else ""
    return (f"{numbers.counted(len(facts.skipped), 'input files').capitalize()} could not be read: {first}{rest}.",)


def _rejected_reasons(facts: RunFacts, limit: float) -> tuple[str, ...]:
    read = facts.counts.get("rows_read")
    lost = sum(rows for reason, rows in facts.rejected if reason != "duplicate")  # a duplicate is resolved, not lost
    if not read or lost <= limit * read:
        return ()
    return (f"{numbers.percent(lost / read)} of the rows were rejected; the limit is {numbers.percent(limit)}.",)


def _worst(word: str, recorded: str) -> str:
    order = list(_TONES)
    return max(word, recorded, key=order.index) if recorded in order else word


def _pairs(entries: Sequence[Any], key: str, what: str) -> tuple[str, ...]:
    return tuple(_pair(entry, key, what) for entry in entries)


def _pair(entry: Any, key: str, what: str) -> str:
    if not isinstance(entry, Mapping):
        return f"{key.capitalize()} {_text(entry)} {what}."
    remark = f" on {numbers.counted(entry['count'], 'rows')}" if "count" in entry else f": {_text(entry['reason'])}" if entry.get("reason") else ""
    return f"{key.capitalize()} {_text(entry.get(key, 'unnamed'))} {what}{remark}."


def _input(entry: Mapping[str, Any]) -> InputFile:
    return InputFile(redact.file_path(str(entry["name"])), entry.get("rows"), entry.get("size_bytes"), _text(entry.get("sha256", "")))


def _coverage(columns: Collection[str], recorded: Mapping[str, Any]) -> tuple[Coverage, ...]:
    """A column that the run does not name was in no file."""
    return tuple(Coverage(column, _share(recorded.get(column, 0))) for column in columns) if recorded else ()


def _account_coverage(recorded: Mapping[str, Any]) -> tuple[Coverage, ...]:
    accounts = recorded.get("accounts", 0)
    return _coverage(ACCOUNT_COLUMNS, {column: {"non_null": count, "rows": accounts} for column, count in recorded.get("values", {}).items()})


def _share(value: Any) -> float | None:
    if isinstance(value, Mapping):
        return value["non_null"] / value["rows"] if value.get("rows") else None
    return None if value is None else float(value)


def _text(value: Any) -> str:
    return redact.for_html(str(value))
