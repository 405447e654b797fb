"""Do the files of a sealed bag agree with each other? The journal with itself and the case, the report with the journal, the lists with run.json.

Also a file inside each bag, beside verify.py: standard library only. Nothing here raises on what a bag holds.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
from pathlib import Path
from typing import Any

if __name__ == "agreement":
    import bagfiles  # type: ignore[import-not-found,unused-ignore]
else:
    from pipeline.evidence import bagfiles


def custody_problems(bag: Path) -> list[str]:
    """What is wrong with the journal: each line holds the hash of the one before, and the last is the one that case.json names."""
    data, head = bagfiles.read(bag, bagfiles.JOURNAL), bagfiles.read_object(bag, bagfiles.CASE).get("journal")
    lines = (data or b"").split(b"\n")
    previous = "0" * 64
    for number, line in enumerate(lines[:-1], start=1):
        entry = bagfiles.loads(line)
        if entry.get("seq") != number or entry.get("prev_sha256") != previous:
            return [f"{bagfiles.JOURNAL}: line {number} does not follow from the line before it"]
        previous = hashlib.sha256(line).hexdigest()
    if not data or lines[-1] or head != {"lines": len(lines) - 1, "sha256": previous}:
        return [f"{bagfiles.JOURNAL}: does not end where {bagfiles.CASE} says"]
    return []


def problems(bag: Path, info: dict[str, str], payload: dict[str, str]) -> list[str]:
    """Where two files of the bag say different things of one fact. `info`: bag-info.txt; `payload`: the manifest."""
    try:
        return [*_of_report(bag, info, payload), *_of_run(bag, info)]
    except (KeyError, TypeError, AttributeError, ValueError, csv.Error) as error:
        return [f"a file of the bag does not hold what it should ({type(error).__name__})"]


def _of_report(bag: Path, info: dict[str, str], payload: dict[str, str]) -> list[str]:
    profile, case, folder = info.get("Stillhunt-Profile"), bagfiles.read_object(bag, bagfiles.CASE), bagfiles.REPORT
    lint, found = bagfiles.read_object(bag, f"{folder}lint.json"), []
    if (lint.get("case_id"), lint.get("profile"), lint.get("version")) != (case.get("case_id"), profile, case.get("version")):
        found.append(f"{folder}lint.json: is about another case, profile or version than {bagfiles.CASE} and {bagfiles.INFO}")
    if lint.get("html_sha256") != payload.get(f"{folder}incident.html"):
        found.append(f"{folder}incident.html: is not the page that lint.json is about")
    entries = [bagfiles.loads(line) for line in (bagfiles.read(bag, bagfiles.JOURNAL) or b"").split(b"\n")[:-1]]
    built = [entry["details"]["files"] for entry in entries if entry.get("action") == "build" and entry["details"].get("profile") == profile]
    files = {name[len(folder) :]: digest for name, digest in payload.items() if name.startswith(folder)}
    if not built or built[-1] != files:
        found.append(f"{folder}: its files are not those whose hashes the journal holds")
    return found


def _of_run(bag: Path, info: dict[str, str]) -> list[str]:
    run = bagfiles.read_object(bag, bagfiles.RUN)
    expected = {f"tables/{name}.parquet": table["sha256"] for name, table in run["tables"].items()} | run["pages"]
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(expected.items()))
    rows = list(csv.DictReader(io.StringIO((bagfiles.read(bag, bagfiles.SOURCES) or b"").decode("utf-8"), newline="")))
    logs = sorted((row["sha256"], row["rows"], row["bytes"]) for row in rows if row["kind"] == "log" and row["of_this_run"] == "yes")
    inputs = sorted((one["sha256"], str(one["rows"]), str(one["size_bytes"])) for one in run["inputs"])
    replayed = bagfiles.read_object(bag, bagfiles.NIGHTS)["nights"][-1]
    config = _canonical_sha256(run["config"])
    found = {
        f"{bagfiles.EXPECTED}: is not what run.json recorded": lines.encode() != bagfiles.read(bag, bagfiles.EXPECTED),
        f"{bagfiles.SOURCES}: lists other log files than run.json": logs != inputs,
        f"{bagfiles.NIGHTS}: ends with another run than run.json": (replayed["run_id"], replayed["inputs"])
        != (run["run_id"], [[one["name"], one["sha256"]] for one in run["inputs"]]),
        f"{bagfiles.RUN}: its settings do not have their hash": config != run["config_sha256"],
        f"{bagfiles.CONFIG}: holds other settings than run.json": _toml_sha256(bag) != config,
        f"{bagfiles.INFO}: names another run than run.json": info.get("Stillhunt-Run") != run["run_id"],
    }
    return [what for what, is_wrong in found.items() if is_wrong]


def _toml_sha256(bag: Path) -> str:
    return _canonical_sha256(tomllib.loads((bagfiles.read(bag, bagfiles.CONFIG) or b"").decode("utf-8")))


def _canonical_sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")).hexdigest()
