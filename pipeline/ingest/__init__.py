"""Reading logs: files checked before anything is written, then one scan into day tables of fingerprints.

The public names are here; each is defined in the module of its subject.
"""

from __future__ import annotations

from pipeline.ingest.accounts import AccountTable, RecordCoverage, account_records
from pipeline.ingest.checking import LogCheck, check_logs
from pipeline.ingest.context import Context, read_context
from pipeline.ingest.coverage import Coverage, blind_spots, coverage_of
from pipeline.ingest.days import DayCounts
from pipeline.ingest.duplicates import repeats_across_days
from pipeline.ingest.events import context_events
from pipeline.ingest.finding import folders_of
from pipeline.ingest.heap import kept_heap
from pipeline.ingest.listing import LogFile, LogListing, SkippedFile, absolute, list_logs, opened_again
from pipeline.ingest.scan import IngestReport, ingest_days
from pipeline.ingest.stamps import Stamp

__all__ = [
    "AccountTable",
    "Context",
    "Coverage",
    "DayCounts",
    "IngestReport",
    "LogCheck",
    "LogFile",
    "LogListing",
    "RecordCoverage",
    "SkippedFile",
    "Stamp",
    "absolute",
    "account_records",
    "blind_spots",
    "check_logs",
    "context_events",
    "coverage_of",
    "folders_of",
    "ingest_days",
    "kept_heap",
    "list_logs",
    "opened_again",
    "read_context",
    "repeats_across_days",
]
