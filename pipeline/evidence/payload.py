"""What is in the data/ folder of a bag, as bytes by path, for the readers of one release. Raw logs are not: they are named with their hashes.

    10_report/    the report of the case as it was built, byte by byte        40_method/   run.json, settings, versions, the validation that was quoted
    20_exhibits/  rows about the case's networks, CSV                         50_repro/    verify.py, rerun.sh, expected hashes, fingerprints, nights to replay
    30_source/    every log file, accounts table and context file, by hash    60_custody/  the case and its journal

Everything out of a log or a person's hand passes the release; the same run, case and profile give the same bytes. Nothing here knows a clock, a host or an absolute path.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import assets, redact
from pipeline.evidence import agreement, bagfiles, ed25519, fingerprints, verify
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.nights import Nights, nights_behind
from pipeline.pages.error_rates import find_validations
from pipeline.provenance import code_sha256, sha256_file, versions
from pipeline.redaction import Release

EXHIBITS = ("networks", "network_families", "network_tests", "members", "findings", "evidence", "lineage")
ACCOUNTS = ("account_id", "strongest_account_id")
PLAIN = ("finding_id", "network_id", "other_id", "evidence_sha256")
"""Names that this program made of hashes."""
PUBLISHED = ("schema", "run_id", "version", "night", "window", "recipe", "versions", "config", "config_sha256", "seeds", "counts", "rejected", "tiers", "tables", "pages")
"""Parts of run.json that hold nothing out of a log; the others are for internal readers."""
SOURCE_COLUMNS = ("kind", "path", "rows", "bytes", "sha256", "of_this_run", "is_masked")


def payload(run: FinishedRun, networks: Sequence[str], report: Path, custody: tuple[bytes, bytes], release: Release) -> dict[str, bytes]:
    """Every file of the payload. `report` is the folder of the built report, `custody` the released case.json and journal.jsonl. The caller has verified run and report."""
    manifest, nights = run.manifest(), nights_behind(run)
    files = {f"{bagfiles.REPORT}{path.relative_to(report).as_posix()}": path.read_bytes() for path in sorted(report.rglob("*")) if path.is_file()}
    files |= {f"{bagfiles.EXHIBITS}{name}.csv": exhibit(run, name, networks, release) for name in EXHIBITS if run.holds(name)}
    files |= {bagfiles.SOURCES: sources(nights, release), bagfiles.CASE: custody[0], bagfiles.JOURNAL: custody[1]}
    return {**files, **_method(run, manifest, release), **_repro(run, manifest, nights, release)}


def exhibit(run: FinishedRun, name: str, networks: Sequence[str], release: Release) -> bytes:
    """The rows of a table about these networks as CSV, in the order of the table."""
    if name == "evidence":
        findings = run.among("findings", {"network_id": networks})["finding_id"].to_list()
        frame = run.among(name, {"finding_id": findings})
    else:
        frame = run.among(name, {"network_id": networks})
    shown = [_shown(column, release) for column in frame.columns]
    return _csv(frame.columns, ([show(value) for show, value in zip(shown, row, strict=True)] for row in frame.iter_rows()))


def sources(nights: Nights, release: Release) -> bytes:
    """Every file that the run and the nights before it read, each once; one that only an earlier night read is not `of_this_run`. Of other kinds than logs the hash is known."""
    last = nights.manifests[-1]
    own = {(one["name"], one["sha256"]) for one in last["inputs"]}
    every = {(one["name"], one["sha256"]): one for manifest in nights.manifests for one in manifest["inputs"]}
    rows = [
        ("log", *_path(name, release), one["rows"], one["size_bytes"], sha256, (name, sha256) in own) for (name, sha256), one in sorted(every.items(), key=lambda item: item[0])
    ]
    recipe = last["recipe"]
    accounts = recipe["tables"].get("accounts")
    rows += [("accounts", "", False, None, None, accounts, True)] if accounts else []
    rows += [("context", *_path(name, release), None, None, sha256, True) for name, sha256 in sorted(recipe["context"].items())]
    return _csv(SOURCE_COLUMNS, ([kind, redact.for_csv(path), count, size, sha256, _yes(mine), _yes(masked)] for kind, path, masked, count, size, sha256, mine in rows))


def _path(name: str, release: Release) -> tuple[str, bool]:
    """A file's path below its folder as it may be shown, and whether something is masked in it."""
    shown = name if release.is_internal else release.text(name, redact.TEXT_LIMIT)
    return shown, shown != name


def _method(run: FinishedRun, manifest: Mapping[str, Any], release: Release) -> dict[str, bytes]:
    made_with = {
        "run": manifest["versions"],
        "run_code_sha256": manifest["recipe"]["code"],
        "sealed_with": {**versions(), "python": platform.python_version(), "platform": f"{sys.platform}-{platform.machine()}"},
        "sealed_code_sha256": code_sha256(),
    }
    quoted = manifest["recipe"]["tables"].get("validation")
    validation = next((found.path for found in find_validations(run.out) if sha256_file(found.path) == quoted), None)
    files = {bagfiles.RUN: _json(_run_json(manifest, release)), bagfiles.CONFIG: _toml(manifest["config"]), f"{bagfiles.METHOD}versions.json": _json(made_with)}
    return files | ({bagfiles.VALIDATION: validation.read_bytes()} if validation else {})


def _run_json(manifest: Mapping[str, Any], release: Release) -> dict[str, Any]:
    """run.json without what was measured by a clock; outside internal only what holds nothing out of a log, and the log files by their shown path."""
    if release.is_internal:
        return {key: value for key, value in manifest.items() if key != "measured"}
    inputs = [{**one, "name": _path(one["name"], release)[0]} for one in manifest["inputs"]]
    recipe = {**manifest["recipe"], "context": {_path(name, release)[0]: sha256 for name, sha256 in manifest["recipe"]["context"].items()}}
    return {**{key: manifest[key] for key in PUBLISHED if key in manifest}, "recipe": recipe, "inputs": inputs, "skipped_count": len(manifest["skipped_files"])}


def _repro(run: FinishedRun, manifest: Mapping[str, Any], nights: Nights, release: Release) -> dict[str, bytes]:
    expected = "".join(f"{sha256}  {name}\n" for name, sha256 in fingerprints.file_hashes(manifest).items())
    packages = sorted((name, version) for name, version in manifest["versions"].items() if name != "stillhunt" and version != "absent")
    lock = f"# stillhunt {manifest['versions']['stillhunt']}: the packages whose version may change a number or a page, as the run had them.\n"
    told = [
        {
            "night": one["night"],
            "is_night": one["recipe"]["is_night"],
            "run_id": one["run_id"],
            "skipped": len(one["skipped_files"]),
            "inputs": [[_path(file["name"], release)[0], file["sha256"]] for file in one["inputs"]],
        }
        for one in nights.manifests
    ]
    made = {
        "expected.sha256": expected.encode(),
        "fingerprints.json": _json(fingerprints.of_run(run.folder, manifest, with_places=release.is_internal)),
        "nights.json": _json({"broken": nights.broken, "nights": told}),
        "requirements.lock": (lock + "".join(f"{name}=={version}\n" for name, version in packages)).encode(),
        "rerun.sh": (assets.reports_folder() / "bag" / "rerun.sh").read_bytes(),
    }
    made |= {path.name: path.read_bytes() for path in (Path(str(module.__file__)) for module in (verify, agreement, bagfiles, ed25519))}
    return {f"{bagfiles.REPRO}{name}": data for name, data in made.items()}


def _shown(column: str, release: Release) -> Callable[[Any], Any]:
    """How the values of a column are released. Text of the program's own (a measure, a unit) passes as it is."""
    if column in ACCOUNTS:
        return lambda value: None if value is None else redact.for_csv(release.account(value))
    if column == "request_id":
        return lambda value: redact.for_csv(release.value(value))
    if column in PLAIN:
        return lambda value: None if value is None else redact.for_csv(redact.identifier(value))
    return lambda value: _cell(value, release)


def _cell(value: Any, release: Release) -> Any:
    if isinstance(value, str):
        return redact.for_csv(release.text(value, redact.TEXT_LIMIT))
    if isinstance(value, bool):
        return _yes(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8")


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False, default=str).encode("ascii") + b"\n"


def _toml(config: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Settings as `--config` takes them: numbers, texts and booleans by section."""
    parts = [f"[{section}]\n" + "".join(f"{key} = {json.dumps(value, ensure_ascii=True)}\n" for key, value in sorted(keys.items())) for section, keys in sorted(config.items())]
    return "\n".join(parts).encode("ascii")
