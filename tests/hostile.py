"""Strings that break programs which trust their input, and a log that carries them in every text column.

`STRINGS` names them. `requests_table` gives a log in the input contract's columns with one row for each of them in every text column (identifiers get a
number behind, so that rows stay distinct); `accounts_table` does the same for accounts. No tool must crash on them, and no page or terminal may carry one
unescaped (`MARKS` are the pieces that must never appear as they are).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

LONG = "long " * 209_716  # just over one megabyte
STRINGS: dict[str, str] = {
    "script_end": '</script><script>alert("hostile")</script>',
    "style_end": "</style><img src=x onerror=alert('hostile')>",
    "attribute": '" onmouseover="alert(1)" x="',
    "svg": "<svg/onload=alert(`hostile`)>",
    "comment": "--><!-- <b>hostile</b> ]]>",
    "entity": "&lt;b&gt; &amp;amp; &#x3c;script&#x3e;",
    "template": "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "rtl": "\u202eevil\u202c \u2066isolated\u2069 \u200fright",
    "zero_width": "in\u200bvi\u200dsi\ufeffble",
    "nul": "before\x00after",
    "escape": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://hostile.invalid\x1b\\link\x1b]8;;\x1b\\",
    "control": "bell\x07 back\x08 tab\t return\r\nline\x0bform\x0c delete\x7f c1\x9b31m",
    "formula": "=cmd|' /C calc'!A0",
    "formula_plus": "+SUM(1+1)*cmd",
    "formula_at": '@SUM(1+9)",="x"',
    "formula_minus": "-2+3+cmd|' /C calc'!A0",
    "path": "../../../../etc/passwd",
    "windows_path": "C:\\Windows\\system32\\..\\con",
    "sql": "'; DROP TABLE requests; --",
    "dollar": "$night $1 :name ? %s {0}",
    "glob": "*[!a]?{b,c}**/date=2026-01-01/",
    "json": '{"a": [1, 2, {"b": null}]}',
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e007f",
    "combining": "Z" + "\u0301\u0316\u0334" * 60,
    "non_characters": "\ufffe\uffff \ufffd \U0010ffff",
    "unicode_lines": "one\u2028two\u2029three\x85four",
    "spaces": "   \u00a0\u3000  ",
    "number": "1e309",
    "null_word": "null",
    "nan_word": "NaN",
    "long": LONG,
}
MARKS = ("<script>alert", "onerror=alert('", "<svg/onload", "\x1b[", "\x1b]", "\x00", "\u202e", "\x9b")
TEXT_COLUMNS = (
    "model", "organization_id", "workspace_id", "api_key_id", "end_user_id", "session_id", "provider", "operation", "endpoint", "prompt", "messages_json", "prompt_language",
    "system_prompt", "response", "reasoning_effort", "output_type", "finish_reason", "service_tier", "error_type", "policy_action", "client_ip", "client_ip_prefix",
    "client_ip_category", "client_country", "user_agent", "ja4", "sdk_name", "sdk_version", "source_system",
)  # fmt: skip
ACCOUNT_COLUMNS = (
    "organization_id", "signup_ip", "signup_ip_prefix", "signup_country", "email_domain", "email_domain_class", "email_hash", "email_local_shape", "phone_hash", "phone_country",
    "payment_fingerprint", "payment_type", "payment_country", "device_fingerprint", "verification_level", "access_pathway", "reseller_id", "referral_code", "plan", "status",
    "status_reason",
)  # fmt: skip
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")


def requests_table(requests_each: int = 6) -> pa.Table:
    """A log of one account for each string, each with a few requests an hour apart; every text column holds the string."""
    rows = [(name, number) for name in STRINGS for number in range(requests_each)]
    texts = [STRINGS[name] for name, _ in rows]
    short = [text[:2000] for text in texts]
    columns = {
        "request_id": pa.array([f"{text} {number}" for text, (_, number) in zip(short, rows, strict=True)]),
        "timestamp": pa.array([FIRST + timedelta(hours=number, seconds=place) for place, (_, number) in enumerate(rows)], UTC_MICROSECONDS),
        "account_id": pa.array(short),
        "tool_names": pa.array([[text, "tool"] for text in short]),
        "request_headers": pa.array([[(text, text)] for text in short], pa.map_(pa.string(), pa.string())),
        "input_tokens": pa.array([40] * len(rows), pa.int64()),
        "output_tokens": pa.array([900] * len(rows), pa.int64()),
    }
    return pa.table(columns | {name: pa.array(texts if name in ("prompt", "system_prompt", "response", "messages_json") else short) for name in TEXT_COLUMNS})


def accounts_table() -> pa.Table:
    """The accounts of `requests_table`; every text column holds the account's string."""
    short = [text[:2000] for text in STRINGS.values()]
    columns = {"account_id": pa.array(short), "created_at": pa.array([FIRST - timedelta(days=1)] * len(short), UTC_MICROSECONDS)}
    return pa.table(columns | {name: pa.array(short) for name in ACCOUNT_COLUMNS})
