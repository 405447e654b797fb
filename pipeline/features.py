"""The features of an account, each documented here and nowhere else: formula, unit, range, what empty gives, source.

`pipeline/stages/features.py` computes exactly these; schema.py's table, `stillhunt features` and the README are made from
this list. A feature is null where nothing it needs was logged. Names end in their unit: _count, _days, _share (0..1),
_bits, _s, _tokens, _chars, _words, _octaves (doublings), _ratio (no unit), _usd; a _mean or _median stands after it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One feature: where it belongs, its unit and range (ends included), its formula, when it is null and where the formula is from."""

    group: str
    name: str
    type: str
    unit: str
    low: float
    high: float
    formula: str
    empty: str
    source: str

    @property
    def meaning(self) -> str:
        """Formula and what empty gives, as one line."""
        return f"{self.formula}; {self.empty}" if self.empty else self.formula


_TEXT = """
volume | request_count | BIGINT | requests | 1 | inf | requests in the window | never null | count
volume | active_days | BIGINT | days | 1 | inf | UTC days with a request | never null | count
volume | span_days | BIGINT | days | 1 | inf | days from the first active day to the last, both included | never null | count
volume | requests_per_day | DOUBLE | requests per day | 1 | inf | requests / active days | never null | mean
volume | peak_day_share | DOUBLE | | 0 | 1 | requests of the busiest day / requests | never null | share
volume | daily_dispersion_ratio | DOUBLE | | 0 | inf | variance / mean of requests over active days | null with one active day | index of dispersion
    (Fano 1947)
volume | ramp_share | DOUBLE | | 0 | 1 | where the centre of gravity of requests lies between first (0) and last (1) active day | null with one active
    day | mean
volume | input_tokens | BIGINT | tokens | 0 | inf | input tokens | 0 if none logged | sum
volume | output_tokens | BIGINT | tokens | 0 | inf | output tokens | 0 if none logged | sum
volume | harvested_tokens | BIGINT | tokens | 0 | inf | output tokens of harvested requests (succeeded, generated, not from a cache) | 0 if none | sum
volume | cost_usd | DOUBLE | USD | -inf | inf | price of all requests | null if none logged | sum
diversity | prompt_distinct_share | DOUBLE | | 0 | 1 | distinct exact prompts / requests with a prompt | null without prompts | type-token ratio
diversity | skeleton_distinct_share | DOUBLE | | 0 | 1 | distinct masked prompts / requests with one | null without prompts | type-token ratio
diversity | prefix_distinct_share | DOUBLE | | 0 | 1 | distinct openings (8 words) / requests with one | null without prompts | type-token ratio
diversity | prompt_entropy_bits | DOUBLE | bits | 0 | 63 | entropy of exact prompts over requests | null without prompts | Shannon 1948
diversity | skeleton_entropy_bits | DOUBLE | bits | 0 | 63 | entropy of masked prompts over requests | null without prompts | Shannon 1948
diversity | template_top_share | DOUBLE | | 0 | 1 | requests with the commonest masked prompt / requests with one | null without prompts |
    Berger-Parker 1970
diversity | prefix_top_share | DOUBLE | | 0 | 1 | requests with the commonest opening / requests with one | null without prompts | Berger-Parker 1970
diversity | near_duplicate_share | DOUBLE | | 0 | 1 | sampled prompts whose smallest 4-gram hash another one shares / sampled prompts of four words or
    more | null without such prompts | Broder 1997 (min-hash)
diversity | vocabulary_distinct_share | DOUBLE | | 0 | 1 | distinct words / words (once a prompt), over words sampled by hash in sampled prompts |
    null without prompt text | type-token ratio
diversity | prompt_chars_mean | DOUBLE | characters | 0 | inf | mean prompt length | null if no length logged | mean
diversity | prompt_chars_median | DOUBLE | characters | 0 | 32768 | median prompt length, read off the length histogram (geometric inside a bin, ends
    32 and 32,768) | null if no length logged | grouped median
diversity | prompt_chars_spread_octaves | DOUBLE | octaves | 0 | 10 | log2 of the upper over the lower quartile of prompt length, read off the length
    histogram | null if no length logged | interquartile range
diversity | own_words_median | DOUBLE | words | 0 | inf | median over sampled prompts of the words left without a public client's leading text (mined from the log:
    its first 8, 16, 32, 64, 128 or 256 words) | null without prompt text | median
diversity | client_preamble_share | DOUBLE | | 0 | 1 | sampled prompts that begin with a public client's leading text / sampled prompts with text |
    null without prompt text | share
timing | hour_of_day_entropy_bits | DOUBLE | bits | 0 | 4.584963 | entropy of the UTC hour over requests | never null | Shannon 1948
timing | hour_of_week_entropy_bits | DOUBLE | bits | 0 | 7.392318 | entropy of weekday x hour over requests | never null | Shannon 1948
timing | gap_entropy_bits | DOUBLE | bits | 0 | 3.321929 | entropy of inter-arrival times over ten bins, each eight times as wide as the one before |
    null with one request | Shannon 1948
timing | gap_mean_s | DOUBLE | s | 0 | inf | mean inter-arrival time | null with one request | mean
timing | gap_top_share | DOUBLE | | 0 | 1 | regularity: gaps in the fullest of those bins / gaps | null with one request | Berger-Parker 1970
timing | burstiness_ratio | DOUBLE | | -1 | 1 | (sd - mean) / (sd + mean) of inter-arrival times: -1 clockwork, 0 Poisson, towards 1 bursts; gaps
    are squared in whole milliseconds (seconds from day to day) | null under three requests, or at a mean gap under 10 ms | Goh and Barabasi 2008
timing | longest_quiet_gap_s | DOUBLE | s | 0 | inf | longest inter-arrival time | null with one request | maximum
timing | active_hours_per_day | DOUBLE | hours | 0 | 24 | UTC hours with a request, mean over active days | never null | mean
timing | active_day_share | DOUBLE | | 0 | 1 | regularity: active days / span days | never null | share
timing | night_share | DOUBLE | | 0 | 0.333334 | requests in the quietest eight consecutive hours of the day (no time zone assumed): 0 sleeps, 1/3
    never does | never null | minimum over 24 starts
timing | weekend_share | DOUBLE | | 0 | 1 | requests on Saturday and Sunday, UTC / requests | never null | share
timing | session_request_ratio | DOUBLE | | 0 | 1 | distinct sessions / requests with a session: 1 if no conversation ever goes on | null without
    sessions | ratio
ENTITIES
shape | input_tokens_mean | DOUBLE | tokens | 0 | inf | input tokens a request where logged | null if none logged | mean
shape | output_tokens_mean | DOUBLE | tokens | 0 | inf | output tokens a harvested request (each cut at 2^20) | null if no harvested request | mean
shape | output_tokens_variation_ratio | DOUBLE | | 0 | inf | standard deviation / mean of output tokens of harvested requests | null if no harvested
    request, or all empty | coefficient of variation
shape | output_to_input_ratio | DOUBLE | | 0 | inf | output / input tokens of harvested requests | null without input | ratio
shape | cache_read_share | DOUBLE | | 0 | 1 | prompt-cache hits / input tokens, where logged | null if not logged | share
shape | reasoning_share | DOUBLE | | 0 | 1 | thinking / output tokens, where logged | null if not logged | share
shape | max_tokens_use_share | DOUBLE | | 0 | 1 | output tokens / cap, mean over requests, each in whole thousandths | null if no cap logged | mean
shape | length_finish_share | DOUBLE | | 0 | 1 | requests ended by the cap / requests with a finish reason | null if none logged | share
shape | temperature_mean | DOUBLE | | 0 | inf | mean sampling temperature | null if none logged | mean
shape | temperature_deviation | DOUBLE | | 0 | inf | standard deviation of it | null if none logged | standard deviation
shape | stream_share | DOUBLE | | 0 | 1 | streamed / requests with the flag | null if not logged | share
shape | batch_share | DOUBLE | | 0 | 1 | batch API / requests with the flag | null if not logged | share
shape | single_turn_share | DOUBLE | | 0 | 1 | requests of at most one message / requests with a message count | null if not logged | share
shape | messages_mean | DOUBLE | messages | 0 | inf | messages a request | null if not logged | mean
shape | messages_max_count | BIGINT | messages | 0 | inf | deepest request | null if not logged | maximum
shape | model_count | BIGINT | | 0 | inf | distinct models | 0 if none | count
shape | model_entropy_bits | DOUBLE | bits | 0 | 63 | entropy of models over requests | null if none | Shannon 1948
shape | settings_count | BIGINT | | 0 | inf | distinct combinations of output cap, temperature and streaming | 0 if none logged | count
shape | settings_entropy_bits | DOUBLE | bits | 0 | 63 | their entropy over requests | null if none logged | Shannon 1948
shape | system_count | BIGINT | | 0 | inf | distinct system prompts | 0 if none logged | count
shape | tools_count | BIGINT | | 0 | inf | distinct tool sets | 0 if none logged | count
shape | error_share | DOUBLE | | 0 | 1 | failed (status 400 and above, not throttled) / requests | never null | share
shape | rate_limited_share | DOUBLE | | 0 | 1 | throttled / requests | never null | share
shape | policy_share | DOUBLE | | 0 | 1 | requests with a policy action / requests with a verdict | null if no verdict logged | share
shape | cached_response_share | DOUBLE | | 0 | 1 | answered from a gateway cache / requests | never null | share
"""

ENTITY_KINDS = {
    "ip": "addresses",
    "ip_prefix": "address prefixes",
    "asn": "AS numbers",
    "country": "countries",
    "agent": "user agents",
    "ja4": "TLS fingerprints",
    "api_key": "credentials",
}

_ENTITY = """
entities | {kind}_count | BIGINT | | 0 | inf | distinct {words} | 0 if none logged | count
entities | {kind}_entropy_bits | DOUBLE | bits | 0 | 63 | entropy of {words} over requests | null if none logged | Shannon 1948
entities | {kind}_churn_share | DOUBLE | | 0 | 1 | after the first active day: first uses of {words} / uses, each counted once a day | null if none
    was used after the first day | share
"""


def _read(text: str) -> tuple[Feature, ...]:
    """Lines of `group | name | type | unit | low | high | formula | empty | source`; an indented line goes on with the one before."""
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().replace("\n    ", " ").splitlines()]
    return tuple(Feature(group, name, kind, unit, float(low), float(high), formula, empty, source) for group, name, kind, unit, low, high, formula, empty, source in rows)


FEATURES = _read(_TEXT.replace("ENTITIES\n", "".join(_ENTITY.lstrip().format(kind=kind, words=words) for kind, words in ENTITY_KINDS.items())))
