"""A network of 25,000 members: the report stays small, quick and modest in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.incident.made_run import Plan, make_run, write_log

ROOT = Path(__file__).parents[2]
CPU_SECONDS, MEMORY_BYTES, PAGE_BYTES = 40.0, 1_000_000_000, 3_000_000
PROGRAM = """
import json, resource, sys
from pathlib import Path
from pipeline.evidence.dossier.skeletons import Logs
from pipeline.pages.incident import render_incident
from tests.incident.made_case import incident
page = render_incident(incident(Path(sys.argv[1]), logs=Logs((Path(sys.argv[2]),))))
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss * 1024, "page": len(page.encode()), "drawn": page.count("<svg"), "quoted": page.count("<q>")}))
"""


@pytest.mark.slow
def test_25_000_members_with_nine_million_requests(tmp_path):
    out = make_run(tmp_path / "out", Plan(members=25_000, controls=60, days=14, requests_a_day=26))
    log = write_log(tmp_path / "log", out)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(out), str(log)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    cost = json.loads(done.stdout)
    assert cost["cpu"] < CPU_SECONDS, cost
    assert cost["rss"] < MEMORY_BYTES, cost
    assert cost["page"] < PAGE_BYTES, cost
    assert cost["drawn"] >= 16
    assert cost["quoted"] >= 10, "frequent skeletons are read again from the log"
