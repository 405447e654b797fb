"""Which of the contract's columns the scan reads."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pipeline.contract import REQUEST_COLUMNS

_UNREAD = frozenset(
    "workspace_id provider response_model endpoint source_region messages_json prompt_language prompt_embedding tool_call_names input_modalities cache_creation_input_tokens "
    "top_k seed top_logprobs reasoning_effort output_type service_tier ttft_ms error_type sample_weight".split()
)
"""Columns that no table holds; their coverage comes from the footers."""
READ_COLUMNS = tuple(column for column in REQUEST_COLUMNS if column not in _UNREAD)
"""The columns that the scan reads, in the contract's order: bit i of `columns_seen` is READ_COLUMNS[i]."""
_PLAIN = frozenset({"request_id", "prompt", "response"})
"""String columns whose values hardly repeat: a dictionary would only cost."""
DICTIONARY_COLUMNS = tuple(column for column in READ_COLUMNS if REQUEST_COLUMNS[column].type == pa.string() and column not in _PLAIN)
"""String columns that are read as dictionaries."""


def read_bytes(group: Any) -> int:
    """Bytes that the read columns of a row group (its footer metadata) take once decompressed."""
    wanted = frozenset(READ_COLUMNS)
    chunks = (group.column(at) for at in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted)
