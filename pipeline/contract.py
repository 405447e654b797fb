"""The input contract: the columns of `requests` and `accounts`, their Arrow types, and which are required.

Each line is `name | type | need | privacy`. Need: R required (a file without it is refused, a row without it is
rejected), C core (its absence is a blind spot), O optional. Privacy: I identifier, C content, M metadata. What a column
means is written once, in the README's input section; how it reaches a table is in `pipeline/ingest/`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float64": pa.float64(),
    "date32": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "list<string>": pa.list_(pa.string()),
    "list<uint32>": pa.list_(pa.uint32()),
    "list<uint64>": pa.list_(pa.uint64()),
    "list<float32>": pa.list_(pa.float32()),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}


@dataclass(frozen=True)
class ContractColumn:
    """One input column: name, Arrow type, need (R, C or O) and privacy class (I, C or M)."""

    name: str
    type: pa.DataType
    need: str
    privacy: str

    @property
    def required(self) -> bool:
        """Whether a file without the column is refused."""
        return self.need == "R"


def _contract(text: str) -> dict[str, ContractColumn]:
    """Read lines of `name | type | need | privacy`, in order."""
    rows = ([part.strip() for part in line.split("|")] for line in text.strip().splitlines())
    return {name: ContractColumn(name, _TYPES[kind], need, privacy) for name, kind, need, privacy in rows}


REQUEST_COLUMNS = _contract("""
    request_id | string | R | I
    timestamp | timestamp | R | M
    account_id | string | R | I
    model | string | R | M
    organization_id | string | C | I
    workspace_id | string | O | I
    api_key_id | string | C | I
    end_user_id | string | O | I
    session_id | string | O | I
    provider | string | O | M
    response_model | string | O | M
    operation | string | C | M
    endpoint | string | O | M
    source_region | string | O | M
    prompt | string | O | C
    messages_json | string | O | C
    message_count | int32 | O | M
    prompt_chars | int64 | O | M
    prompt_language | string | O | M
    prompt_hash | string | C | C
    prompt_simhash | uint64 | O | C
    prompt_minhash | list<uint32> | O | C
    prompt_block_hashes | list<uint64> | O | C
    prompt_embedding | list<float32> | O | C
    system_prompt | string | O | C
    system_prompt_hash | string | C | C
    response | string | O | C
    response_hash | string | O | C
    tool_names | list<string> | C | M
    tool_call_names | list<string> | O | M
    tool_definitions_hash | string | O | C
    input_modalities | list<string> | O | M
    input_tokens | int64 | C | M
    output_tokens | int64 | C | M
    cache_read_input_tokens | int64 | O | M
    cache_creation_input_tokens | int64 | O | M
    reasoning_output_tokens | int64 | O | M
    max_tokens | int64 | C | M
    temperature | float64 | C | M
    top_p | float64 | O | M
    top_k | float64 | O | M
    n | int32 | O | M
    seed | int64 | O | M
    top_logprobs | int32 | O | M
    reasoning_effort | string | O | M
    output_type | string | O | M
    stream | bool | C | M
    finish_reason | string | C | M
    is_batch | bool | C | M
    service_tier | string | O | M
    latency_ms | float64 | O | M
    ttft_ms | float64 | O | M
    status_code | int16 | C | M
    error_type | string | O | M
    is_rate_limited | bool | C | M
    policy_action | string | O | M
    client_ip | string | O | I
    client_ip_hash | string | C | I
    client_ip_prefix | string | C | I
    client_asn | uint32 | C | M
    client_ip_category | string | O | M
    client_country | string | C | M
    user_agent | string | C | M
    ja4 | string | C | M
    sdk_name | string | O | M
    sdk_version | string | O | M
    request_headers | map<string,string> | O | M
    cost_usd | float64 | C | M
    is_cached_response | bool | O | M
    sample_weight | float64 | O | M
    source_system | string | O | M
""")

ACCOUNT_COLUMNS = _contract("""
    account_id | string | R | I
    as_of | date32 | O | M
    organization_id | string | C | I
    created_at | timestamp | C | M
    signup_ip | string | O | I
    signup_ip_hash | string | O | I
    signup_ip_prefix | string | C | I
    signup_asn | uint32 | C | M
    signup_country | string | C | M
    email_domain | string | C | I
    email_domain_class | string | O | M
    email_hash | string | O | I
    email_local_shape | string | O | M
    phone_hash | string | O | I
    phone_country | string | O | M
    payment_fingerprint | string | C | I
    payment_type | string | O | M
    payment_country | string | O | M
    device_fingerprint | string | C | I
    verification_level | string | C | M
    access_pathway | string | C | M
    reseller_id | string | O | I
    referral_code | string | O | I
    credits_usd | float64 | O | M
    plan | string | O | M
    status | string | C | M
    status_reason | string | O | M
    status_changed_at | timestamp | O | M
""")

PARTITION_COLUMNS = frozenset({"date", "hour"})
"""Names that a hive path may carry; a row's day comes from its timestamp, so both are read and ignored."""
