"""Every table of the pipeline: its columns, types, units, meaning and grain, in one place.

Types are those that DuckDB and Spark share (BIGINT, INTEGER, DOUBLE, VARCHAR, BOOLEAN, DATE, lists of them, BINARY). A `_key` is a
63-bit fingerprint (0 <= key < 2^63) of a value in its own namespace; null means that the log did not carry
the value. `_us` is microseconds since 1970 UTC. Day tables live in days/date=D/ and are made once a
day; run tables live in runs/<run_id>/tables/.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.features import FEATURES as FEATURE_LIST


@dataclass(frozen=True)
class Column:
    """One column: name, portable SQL type, unit ('' if none) and meaning."""

    name: str
    type: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table: its stage number, its grain (the key its rows are sorted by) and its columns."""

    name: str
    stage: int
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    per_day: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(c.name for c in self.columns)


def _columns(text: str) -> tuple[Column, ...]:
    """Read lines of `name | type | unit | meaning`."""
    rows = (line.split("|") for line in text.strip().splitlines())
    return tuple(Column(*(part.strip() for part in row)) for row in rows)


def _packed(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The same columns with lists of integers as bytes."""
    sizes = {"INTEGER[]": 4, "BIGINT[]": 8}
    return tuple(Column(c.name, "BINARY", c.unit, f"{c.meaning}; {sizes[c.type]} bytes each, lowest first") if c.type in sizes else c for c in columns)


def _bins(letter: str, count: int, meaning: str) -> tuple[Column, ...]:
    """Columns of a histogram, letter00 and on; `{k}` in the meaning is the bin's number."""
    return tuple(Column(f"{letter}{k:02d}", "BIGINT", "", meaning.format(k=k)) for k in range(count))


REQUESTS = Table("requests", 10, ("account_key", "ts_us", "request_id", "source_file", "source_row"), _columns("""
    account_key | BIGINT | | fingerprint of account_id
    ts_us | BIGINT | us | arrival, UTC
    gap_us | BIGINT | us | since the account's previous kept request of the UTC day, in the order of the table's rows; null for its first of the day
    request_id | VARCHAR | | as logged
    source_file | VARCHAR | | POSIX path below the LOGS root
    source_row | BIGINT | | zero-based row in that file
    source_system | VARCHAR | | adapter that wrote the row
    organization_key | BIGINT | | organisation
    api_key_key | BIGINT | | credential
    end_user_key | BIGINT | | end user that the caller names
    session_key | BIGINT | | conversation or session id
    is_opaque_session | BOOLEAN | | the id reads as drawn at random or hashed, not as a name, a date or a number that another program may count to; null without one
    model | VARCHAR | | requested model
    operation | VARCHAR | | chat, embeddings, ...
    input_tokens | BIGINT | tokens | all input tokens, cached ones too
    output_tokens | BIGINT | tokens | all output tokens, reasoning too
    cache_read_tokens | BIGINT | tokens | prompt-cache hits
    reasoning_tokens | BIGINT | tokens | thinking tokens
    max_tokens | BIGINT | tokens | requested output cap
    temperature_milli | INTEGER | 1/1000 | sampling temperature, rounded
    top_p_milli | INTEGER | 1/1000 | nucleus, rounded
    choice_count | INTEGER | | choices asked for (n)
    stream | BOOLEAN | | streamed
    is_batch | BOOLEAN | | batch API
    finish_reason | VARCHAR | | stop, length, ...
    status_code | INTEGER | | HTTP status
    is_rate_limited | BOOLEAN | | 429 or throttled
    is_cached_response | BOOLEAN | | answered from a gateway cache: no output harvested
    policy_action | VARCHAR | | moderation verdict
    latency_us | BIGINT | us | total duration
    cost_micro_usd | BIGINT | micro-USD | list or billed price
    ip_key | BIGINT | | client address (client_ip, else client_ip_hash)
    ip_prefix_key | BIGINT | | /24 or /48
    asn | BIGINT | | AS number
    ip_category | VARCHAR | | hosting, residential, ...
    country | VARCHAR | | ISO alpha-2
    agent_key | BIGINT | | whole user agent
    agent_product_key | BIGINT | | user agent up to its first '/' , space or '('
    ja4_key | BIGINT | | TLS client fingerprint
    stack_key | BIGINT | | user agent and JA4 together (null if both are)
    headers_key | BIGINT | | sdk_name, sdk_version and request_headers together
    tools_key | BIGINT | | tool_definitions_hash, else the sorted tool names
    system_key | BIGINT | | system prompt (text, else its hash in its own namespace)
    system_chars | INTEGER | characters | length of the system prompt
    prompt_key | BIGINT | | exact normalised prompt
    prefix_key | BIGINT | | first 8 words
    skeleton_key | BIGINT | | prompt with digits, quotes, names, code and URLs masked
    prompt_source | INTEGER | | namespace of the three keys above: 0 none, 1 text, 2 simhash, 3 minhash, 4 block hashes, 5 prompt_hash
    prompt_chars | INTEGER | characters | length of the prompt
    prompt_words | INTEGER | words | words of the prompt
    message_count | INTEGER | | messages in the request
    response_key | BIGINT | | exact response (text, else its hash in its own namespace)
"""), per_day=True)

_SAMPLE = _columns("""
    account_key | BIGINT | | account
    prompt_key | BIGINT | | exact normalised prompt; the sample is the smallest keys of an account and day
    skeleton_key | BIGINT | | masked prompt
    request_count | BIGINT | | requests of that account and day with this prompt
    output_tokens | BIGINT | tokens | their output, summed
    max_message_count | INTEGER | | deepest turn among them
    first_us | BIGINT | us | the first of them
    request_id | VARCHAR | | the first of them (ties: the id that sorts first)
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
    prompt_chars | INTEGER | characters | length
    prompt_words | INTEGER | words | words
    shingles | INTEGER[] | | at most 48 smallest hashes of word 4-grams, their 31 high bits, ascending
    shingle_count | INTEGER | | word 4-grams that the sketch was taken from, repeats counted
    tokens | INTEGER[] | | at most 32 smallest 31-bit hashes of words, ascending
    prefixes | BIGINT[] | | hashes of the first 8, 16, 32, 64, 128, 256 words, as far as there are words
""")
PROMPT_SAMPLES = Table("prompt_samples", 12, ("account_key", "prompt_key"), _packed(_SAMPLE), per_day=True)
"""Its lists are packed (measures/packed.py): read element by element they cost ten times as much as all else of a window of samples."""

LABELS = Table("labels", 13, ("kind", "value_key"), _columns("""
    kind | VARCHAR | | agent, agent_product, ja4 (metadata only; never an identifier or content)
    value_key | BIGINT | | as in requests
    label | VARCHAR | | the value as logged, at most 200 characters
"""), per_day=True)

ACCOUNT_RECORDS = Table("account_records", 11, ("account_key",), _columns("""
    account_key | BIGINT | | fingerprint of account_id
    account_id | VARCHAR | | as logged
    has_record | BOOLEAN | | false: seen in the log but not in the accounts table
    organization_key | BIGINT | | organisation (accounts table, else the log's most frequent)
    is_vouched | BOOLEAN | | the organisation is vouched for: pathway enterprise or reseller, verification kyb, or vouched.csv
    created_us | BIGINT | us | sign-up
    signup_ip_key | BIGINT | | address at sign-up
    signup_prefix_key | BIGINT | | its /24 or /48
    signup_asn | BIGINT | | its AS
    signup_country | VARCHAR | | its country
    email_domain_key | BIGINT | | mail domain
    email_domain_class | VARCHAR | | free, disposable, corporate, edu, gov, unknown
    email_key | BIGINT | | canonical mailbox
    email_shape_key | BIGINT | | pattern class of the local part
    phone_key | BIGINT | | phone
    payment_key | BIGINT | | payment instrument
    payment_type | VARCHAR | | card, prepaid, ...
    device_key | BIGINT | | device at sign-up
    referral_key | BIGINT | | promo or invite code
    reseller_key | BIGINT | | parent reseller
    verification_level | VARCHAR | | none ... kyb
    access_pathway | VARCHAR | | self_serve, education, ...
    plan | VARCHAR | | tier
    status | VARCHAR | | active, suspended, banned, closed
    status_changed_us | BIGINT | us | last change
"""))

ACCOUNT_DAYS = Table("account_days", 20, ("day", "account_key"), _columns("""
    day | DATE | | UTC day
    account_key | BIGINT | | account
    request_count | BIGINT | | requests
    ok_count | BIGINT | | status below 400 or unknown, not throttled
    error_count | BIGINT | | status 400 and above, rate limits apart
    rate_limited_count | BIGINT | | throttled, or status 429
    cached_response_count | BIGINT | | answered from a gateway cache
    policy_count | BIGINT | | a policy action other than none
    policy_known_count | BIGINT | | policy action logged
    harvest_count | BIGINT | | harvested: succeeded, generated text, not from a cache, output length logged
    harvest_tokens | BIGINT | tokens | output of harvested requests, each cut at 2^20, sum
    harvest_tokens_squared | BIGINT | tokens^2 | their squares, summed
    ratio_output_tokens | BIGINT | tokens | output of harvested requests whose input length is logged too
    ratio_input_tokens | BIGINT | tokens | their input
    input_tokens | BIGINT | tokens | sum
    input_known_count | BIGINT | | input length logged
    output_tokens | BIGINT | tokens | sum
    cache_read_tokens | BIGINT | tokens | prompt-cache hits, sum
    cache_known_input_tokens | BIGINT | tokens | input where cache hits are logged
    reasoning_tokens | BIGINT | tokens | sum
    reasoning_known_output_tokens | BIGINT | tokens | output where reasoning is logged
    cost_micro_usd | BIGINT | micro-USD | sum
    cost_known_count | BIGINT | | cost logged
    stream_count | BIGINT | | streamed
    stream_known_count | BIGINT | | stream flag logged
    batch_count | BIGINT | | batch API
    batch_known_count | BIGINT | | batch flag logged
    length_finish_count | BIGINT | | ended by the output cap
    finish_known_count | BIGINT | | finish reason logged
    max_tokens_use_milli | BIGINT | 1/1000 | used share of the output cap, each request cut at 1000 and rounded down, sum
    max_tokens_use_count | BIGINT | | output cap above 0 and output length logged
    temperature_known_count | BIGINT | | temperature logged
    temperature_milli | BIGINT | 1/1000 | sum
    temperature_milli_squared | BIGINT | 1/10^6 | sum of squares
    single_turn_count | BIGINT | | at most one message
    message_known_count | BIGINT | | message count logged
    message_count | BIGINT | | messages, sum
    max_message_count | BIGINT | | deepest request, null if unknown
    session_known_count | BIGINT | | session logged
    prompt_known_count | BIGINT | | prompt length logged
    prompt_chars | BIGINT | characters | sum
    first_us | BIGINT | us | first request
    last_us | BIGINT | us | last request
    longest_gap_us | BIGINT | us | longest gap between requests of the day, null with one request
    gap_ms_squared | BIGINT | ms^2 | sum of squared gaps in whole milliseconds
    active_hours | BIGINT | hours | hours of the day with a request
""")
    + _bins("h", 24, "requests in the UTC hour {k}")
    + _bins("g", 10, "gaps in bin {k}: under 2^10 us, then eightfold, the last from 2^34 us")
    + _bins("c", 10, "prompts in length bin {k}: under 64 characters, then twofold, the last from 16,384"), per_day=True)

SESSION_DAYS = Table("session_days", 22, ("day", "session_key", "account_key"), _columns("""
    day | DATE | | UTC day
    session_key | BIGINT | | conversation that more than one account used on the day
    account_key | BIGINT | | one of them
    request_count | BIGINT | requests | of this account in it
    first_us | BIGINT | us | the first of them
    last_us | BIGINT | us | the last of them
    taken_count | BIGINT | requests | that follow another account's in the conversation
    near_count | BIGINT | requests | of these, within an hour of it
    is_continued | BOOLEAN | | its first request carries more messages than the conversation began with; null if it began it or messages are not counted
    is_opaque | BOOLEAN | | the id reads as drawn at random or hashed
    request_id | VARCHAR | | the first of them
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
"""), per_day=True)

REWRITTEN_CLIENTS = Table("rewritten_clients", 38, ("ja4_key", "account_key"), _columns("""
    ja4_key | BIGINT | | TLS fingerprint that few show, under the names of several products whose other users do not
    account_key | BIGINT | | an account that shows it in at least half of its requests
    request_count | BIGINT | requests | of this account with it
"""))

FANOUTS = Table("fanouts", 38, ("prompt_key", "account_key"), _columns("""
    prompt_key | BIGINT | | prompt that the accounts of several entities sent within seconds of each other
    account_key | BIGINT | | one of the accounts
    request_count | BIGINT | requests | of this account with it
    half | INTEGER | | 0: makes links and clusters; 1: kept out to test them
"""))

HANDOFFS = Table("handoffs", 38, ("session_key", "account_key"), _columns("""
    session_key | BIGINT | | conversation that was handed from one entity's account to another's
    account_key | BIGINT | | one of the accounts
    request_count | BIGINT | requests | of this account in it
    half | INTEGER | | 0: makes links and clusters; 1: kept out to test them
"""))

ACCOUNT_ENTITIES = Table("account_entities", 21, ("day", "kind", "account_key", "value_key"), _columns("""
    day | DATE | | UTC day
    kind | VARCHAR | | ip, ip_prefix, asn, country, agent, agent_product, ja4, stack, headers, api_key, end_user, system, tools, settings, model
    account_key | BIGINT | | account
    value_key | BIGINT | | the value's key in its kind's namespace
    request_count | BIGINT | | requests of the account that day with the value
"""), per_day=True)

_LINK = """
    account_a | BIGINT | | smaller account_key
    account_b | BIGINT | | larger account_key
    kind | VARCHAR | | what is shared, e.g. payment, ip, template
    bits | DOUBLE | bits | weight of evidence for one operator, signed, rounded to 1e-6
    support | BIGINT | | how many shared values or requests stand behind it
    df | BIGINT | entities | entities that hold the rarest shared value
    value_key | BIGINT | | the rarest shared value
"""
LINK_GRAIN = ("account_a", "account_b", "kind")
LINK_RARITY = Table("link_rarity", 41, LINK_GRAIN, _columns(_LINK))

RECURRING_SHINGLES = Table("recurring_shingles", 33, ("account_key", "half", "shingle"), _columns("""
    account_key | BIGINT | | account
    half | BIGINT | | 0: prompts that form networks, 1: prompts kept out to test them (parity of prompt_key)
    shingle | BIGINT | | word 4-gram that recurs
    document_count | BIGINT | prompts | sampled prompts of the half that hold it
    document_total | BIGINT | prompts | sampled prompts of the half
"""))
HABITS = Table("habits", 33, RECURRING_SHINGLES.grain, RECURRING_SHINGLES.columns)

REACHES = Table("reaches", 33, ("account_key",), _columns("""
    account_key | BIGINT | | account with enough sampled prompts (half 0) for a habit
    levels | BIGINT | | 64ths of the range of 4-gram hashes that enough of its prompts show whole, 0 to 64
"""))

COMMON_HOLDERS = Table("common_holders", 33, ("kind", "value_key", "account_key"), _columns("""
    kind | VARCHAR | | template (word 4-gram), skeleton, prompt, system
    value_key | BIGINT | | wording that nearly all users of some client product hold
    account_key | BIGINT | | a holder, whatever it uses
"""))

TOPIC_WORDS = Table("topic_words", 33, ("account_key", "half", "token"), _columns("""
    account_key | BIGINT | | account whose topics are compared
    half | BIGINT | | half of its prompts (parity of prompt_key)
    token | BIGINT | | hash of a word, in the lowest eighth
    document_count | BIGINT | prompts | compared prompts of the half that hold it
    document_total | BIGINT | prompts | compared prompts of the half
"""))

PUBLIC_CLIENTS = Table("public_clients", 33, ("product",), _columns("""
    product | BIGINT | | client product (agent_product in labels) with enough entities to be public
    entity_count | BIGINT | entities | that send at least half their requests with it
    tested_count | BIGINT | entities | of these, compared by topic; too few leave it not public
    own_likeness | DOUBLE | 0..1 | median cosine of two halves of one user's prompts; null if not compared
    pair_likeness | DOUBLE | 0..1 | median cosine of halves of two users' prompts
    likeness_ratio | DOUBLE | | pair_likeness / own_likeness: 1 if all draw from one pool of work, near 0 for strangers
    one_pool_p | DOUBLE | | p-value of the null that all draw from one pool
    threshold_ratio | DOUBLE | | halfway between 1 and the upper quantile of random groups of strangers; 0 if there are too few of them
    is_public | BOOLEAN | | its ratio is at most the threshold and one pool is refuted: users work each on something of their own
    levels | BIGINT | | 64ths of the range of 4-gram hashes for which that holds among the users who show them; -1 if it is not public
"""))

LEADS = Table("leads", 33, ("prefix_key", "account_key"), _columns("""
    prefix_key | BIGINT | | first 8, 16, 32, 64, 128 or 256 words of a prompt
    account_key | BIGINT | | account that begins several sampled prompts so
    document_count | BIGINT | prompts | those prompts
"""))

LEAD_LADDERS = Table("lead_ladders", 33, ("prefix_key",), _columns("""
    prefix_key | BIGINT | | leading text
    prefixes | BIGINT[] | | hashes of the first 8, 16, ... 256 words of one prompt that begins with it
"""))

PREAMBLES = Table("preambles", 33, ("prefix_key",), _columns("""
    prefix_key | BIGINT | | leading text: with which accounts of two or more entities each begin several sampled prompts
    opening_key | BIGINT | | its first 8 words (prefix_key of requests)
    words | BIGINT | words | its length, 8 to 256: the longest rung of the ladder that keeps its holders
    product | BIGINT | | the client product whose users hold it most, public ones first; null if none has a user who does
    product_holders | BIGINT | entities | users of the product that hold it
    user_count | BIGINT | entities | users of the product with enough sampled prompts to hold one
    holder_count | BIGINT | entities | that hold it, whatever they use
    inside_count | BIGINT | entities | of these, users of a public client
    sample_count | BIGINT | prompts | sampled prompts that begin with it
    held_share | DOUBLE | 0..1 | product_holders / user_count
    inside_share | DOUBLE | 0..1 | inside_count / holder_count
    is_client | BOOLEAN | | a public client's: nearly all its users hold it, and nearly all holders use a public client
"""))

CLIENT_WORDING = Table("client_wording", 33, ("kind", "value_key"), _columns("""
    kind | VARCHAR | | template (word 4-gram), skeleton, prompt, system
    value_key | BIGINT | | wording that a public client brings; it carries no bits
    product | BIGINT | | the public client whose users hold it most
    holder_count | BIGINT | entities | users of the product that hold it
    user_count | BIGINT | entities | users of the product whose prompts could show it
    total_count | BIGINT | entities | that hold it, whatever they use
    inside_count | BIGINT | entities | of these, users of a public client
"""))

PROMPT_PREAMBLES = Table("prompt_preambles", 34, ("account_key", "prompt_key"), _columns("""
    account_key | BIGINT | | account
    prompt_key | BIGINT | | sampled prompt that begins with a public client's leading text; one that is not listed has 0 words of it
    preamble_words | BIGINT | words | how many of its leading words are that text (the longest that is known)
"""))

OWN_TEXTS = Table("own_texts", 34, ("account_key",), _columns("""
    account_key | BIGINT | | account
    prompt_count | BIGINT | prompts | sampled prompts with text
    preamble_count | BIGINT | prompts | of these, prompts that begin with a public client's leading text
    own_words_median | DOUBLE | words | median of the words that are left without it
"""))

WIDE_VALUES = Table("wide_values", 34, ("kind", "value_key"), _columns("""
    kind | VARCHAR | | kind of evidence, see kinds.py
    value_key | BIGINT | | a value that many hold: a card, device, mailbox or telephone, or what marks a large group
    df | BIGINT | entities | entities that hold it
    counted_df | BIGINT | entities | holders that its rarity counts; of a large group's own fact the group as one of set size (links.group_max_entities) and all others
"""))

SHARED_VALUES = Table("shared_values", 34, ("kind", "value_key", "account_key"), _columns("""
    kind | VARCHAR | | kind of evidence, see kinds.py
    value_key | BIGINT | | the value
    account_key | BIGINT | | a holder
    entity_key | BIGINT | | its vouched organisation, else itself
    family | VARCHAR | | evidence family
    share | DOUBLE | 0..1 | how much of the account's prompts hold it; 1 for kinds that do not weigh by share
    df | BIGINT | entities | entities that hold it
    counted_df | BIGINT | entities | holders that its rarity counts: df, or fewer of what a large group shares (wide_values)
    rarity_micro_bits | BIGINT | 1e-6 bits | log2(entities / counted_df)
"""))

BOILERPLATE = Table("boilerplate", 35, ("account_key", "prompt_key"), _columns("""
    account_key | BIGINT | | account
    prompt_key | BIGINT | | sampled prompt of half 1 that carries habits of half 0
    habit_count | BIGINT | 4-grams | habits in it
    request_count | BIGINT | requests | requests with this prompt
    output_tokens | BIGINT | tokens | output per request, floor of the mean
    max_message_count | INTEGER | messages | largest number in a request with it; null if not counted
    item_shingle | INTEGER | | smallest of its sampled word 4-grams that is no habit of the account: what the template is filled with; null without one
    first_us | BIGINT | us | the first of them
    request_id | VARCHAR | | the first of them
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
"""))

SAMPLE_TOTALS = Table("sample_totals", 36, ("account_key",), _columns("""
    account_key | BIGINT | | account
    document_count | BIGINT | prompts | sampled prompts of half 1
"""))

DAILY_REQUESTS = Table("daily_requests", 37, ("account_key", "day"), _columns("""
    account_key | BIGINT | | account
    day | DATE | | UTC day
    request_count | BIGINT | requests | on that day
"""))

HOURLY_REQUESTS = Table("hourly_requests", 37, ("account_key", "day"), _columns("""
    account_key | BIGINT | | account with at least links.synchrony_min_requests requests in the window
    day | DATE | | UTC day
""")
    + _bins("h", 24, "requests in the UTC hour {k}"))

ACCOUNT_WORDS = Table("account_words", 37, ("account_key", "half", "token"), _columns("""
    account_key | BIGINT | | account
    half | BIGINT | | 0: prompts that form networks, of some accounts only; 1: prompts kept out to test them (parity of prompt_key)
    token | BIGINT | | hash of a word, in the lowest eighth
    document_count | BIGINT | prompts | sampled prompts of the half that hold it
"""))

WORD_USERS = Table("word_users", 37, ("half", "token"), _columns("""
    half | BIGINT | | as in account_words
    token | BIGINT | | hash of a word that two accounts or more use in the half
    user_count | BIGINT | accounts | that use it
    account_total | BIGINT | accounts | with any word in the half
"""))

DAY_LEVELS = Table("day_levels", 37, ("day",), _columns("""
    day | DATE | | UTC day with a request
    level | DOUBLE | | mean over all accounts of the root of the day's requests less the account's own mean root
"""))

PRODUCTS = Table("products", 33, ("account_key", "value_key"), _columns("""
    account_key | BIGINT | | account
    value_key | BIGINT | | client product behind at least half of its requests
    request_count | BIGINT | requests | with it
"""))

FIRST_REQUESTS = Table("first_requests", 39, ("account_key",), _columns("""
    account_key | BIGINT | | account
    request_id | VARCHAR | | its earliest request
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
"""))

CANDIDATE_PAIRS = Table("candidate_pairs", 40, ("account_a", "account_b"), _columns("""
    account_a | BIGINT | | smaller account_key
    account_b | BIGINT | | larger account_key
"""))

PAIR_LINKS = Table("pair_links", 50, LINK_GRAIN, _columns("""
    account_a | BIGINT | | smaller account_key
    account_b | BIGINT | | larger account_key
    kind | VARCHAR | | what is shared
    family | VARCHAR | | evidence family
    bits | DOUBLE | bits | after fusion inside the family
    support | BIGINT | | shared values
    df | BIGINT | entities | holders of the rarest shared value
    value_key | BIGINT | | the rarest shared value
"""))

CLUSTERS = Table("clusters", 55, ("cluster", "account_key"), _columns("""
    cluster | BIGINT | | number in this run
    account_key | BIGINT | | member
    origin | VARCHAR | | network (by links), vouched (one vouched organisation), small or one_fact (two to four, or more, that only a specific fact joins)
    bits | DOUBLE | bits | median bits to the other members
"""))

JOINING_CLIENTS = Table("joining_clients", 55, ("client", "account_key"), _columns("""
    client | BIGINT | | number in this run, the client of most accounts first
    account_key | BIGINT | | account that it serves
"""))

_FAMILY = """
    family | VARCHAR | | evidence family
    evidence_class | VARCHAR | | specific, operational, likeness
    median_bits | DOUBLE | bits | median over sampled member pairs
    coverage_share | DOUBLE | 0..1 | entities of the network that hold a qualifying shared value, counted leave-the-group-out
    linked_pair_share | DOUBLE | 0..1 | member pairs with positive bits in the family
    control_percentile | DOUBLE | 0..100 | where median_bits falls among equal-size groups of matched controls
    control_count | BIGINT | | control groups behind the percentile
    kinds | VARCHAR | | kinds that contribute, strongest first, comma separated
    admitted | BOOLEAN | | passes the gate for its class
"""
CLUSTER_FAMILIES = Table("cluster_families", 57, ("cluster", "family"), _columns("    cluster | BIGINT | | cluster" + _FAMILY))

PAIR_LIKENESS = Table("pair_likeness", 56, LINK_GRAIN, _columns("""
    account_a | BIGINT | | smaller account_key
    account_b | BIGINT | | larger account_key
    kind | VARCHAR | | topic, behaviour, synchrony
    family | VARCHAR | | the same
    bits | DOUBLE | bits | -log2 of the share of random pairs of the same stratum that are as alike, capped; no row below links.likeness_min_bits
    support | BIGINT | | prompts (topic) or requests (behaviour) of both, hours with requests of both (synchrony)
"""))
CLUSTER_LIKENESS = Table("cluster_likeness", 56, CLUSTER_FAMILIES.grain, CLUSTER_FAMILIES.columns)

CLUSTER_VALUES = Table("cluster_values", 57, ("cluster", "kind", "value_key"), _columns("""
    cluster | BIGINT | | cluster
    kind | VARCHAR | | kind of evidence
    value_key | BIGINT | | value that two or more of its entities hold
    inside_count | BIGINT | entities | holders inside
    df | BIGINT | entities | holders in all
    qualifies | BOOLEAN | | most holders are inside and few are outside
"""))

_TEST = """
    test | VARCHAR | | machine name; wording.toml holds its sentence
    family | VARCHAR | | evidence family it belongs to
    supports | VARCHAR | | coordination, extraction, benign; extraction_description: describes the traffic, and no verdict reads it
    statistic | DOUBLE | | observed value
    unit | VARCHAR | | of statistic and expected
    expected | DOUBLE | | under the null
    p_value | DOUBLE | | in the stated null; null if the test had no power
    null_count | BIGINT | groups | random groups that were measured as well: 299 if these tell enough, else all that were asked for; 0 if none
    sample_size | BIGINT | | pairs, documents or accounts behind it
    null_model | VARCHAR | | the null in words of the method page
    status | VARCHAR | | ran, not_run, undecided
    reason | VARCHAR | | why not, if not
"""
CLUSTER_TESTS = Table("cluster_tests", 60, ("cluster", "test"), _columns("    cluster | BIGINT | | cluster" + _TEST))

POOL_DOCUMENTS = Table("pool_documents", 59, ("account_key", "prompt_key"), _columns("""
    account_key | BIGINT | | member of a network that a gate family admits, or an account to compare with
    prompt_key | BIGINT | | sampled prompt
    request_count | BIGINT | requests | with it
    output_tokens | BIGINT | tokens | output per request, floor of the mean
    max_message_count | INTEGER | messages | largest number in a request with it; null if not counted
    request_id | VARCHAR | | its earliest request
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
"""))

POOL_WORDING = Table("pool_wording", 59, ("account_key", "prompt_key", "shingle"), _columns("""
    account_key | BIGINT | | account
    prompt_key | BIGINT | | prompt of pool_documents
    shingle | BIGINT | | word 4-gram of it that three or more of the accounts use
"""))

POOLED_MEMBERS = Table("pooled_members", 60, ("cluster", "account_key"), _columns("""
    cluster | BIGINT | | cluster whose members' common wording was looked for
    account_key | BIGINT | | member
    harvest_share | DOUBLE | 0..1 | prompts of the half that formed nothing that carry common wording, went on from nothing and drew a long answer
    likeness | DOUBLE | 0..1 | cosine of its mix of common wording to the other members'
"""))

POOLED_TEMPLATES = Table("pooled_templates", 60, ("cluster", "account_key", "prompt_key"), _columns("""
    cluster | BIGINT | | cluster
    account_key | BIGINT | | member
    prompt_key | BIGINT | | prompt of the half that formed nothing that carries wording common to the members
    habit_count | BIGINT | | common 4-grams in it
    request_count | BIGINT | requests | with it
    output_tokens | BIGINT | tokens | output per request, floor of the mean
    request_id | VARCHAR | | its earliest request
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
"""))

CONTEXT_EVENTS = Table("context_events", 58, ("kind", "at_us", "model", "account_key"), _columns("""
    kind | VARCHAR | | release, ban
    at_us | BIGINT | us | when, as the provider says
    model | VARCHAR | | model that was released; empty for a ban
    account_key | BIGINT | | account of the window that was banned; 0 for a release
"""))

WORK_ITEMS = Table("work_items", 61, ("account_key", "item_key"), _columns("""
    account_key | BIGINT | | account
    item_key | BIGINT | | what one sampled prompt of it is about, without the account's recurring wording: its two smallest 4-grams
    prompt_key | BIGINT | | that prompt
"""))

RELEASE_MOVES = Table("release_moves", 61, ("model", "account_key"), _columns("""
    model | VARCHAR | | model that appeared in the window
    account_key | BIGINT | | account that was active in the week before and in the 24 hours after, and had not used the model before
    before_count | BIGINT | requests | in the week before
    after_count | BIGINT | requests | in the 24 hours after
    new_count | BIGINT | requests | of these, to the model
    request_id | VARCHAR | | the first of these; null without one
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
"""))

OPERATIONAL_TESTS = Table("operational_tests", 63, ("cluster", "test"), _columns("    cluster | BIGINT | | cluster" + _TEST))

OPERATIONAL_REQUESTS = Table("operational_requests", 63, ("cluster", "test", "account_key", "request_id", "source_file", "source_row"), _columns("""
    cluster | BIGINT | | cluster
    test | VARCHAR | | operational test that it stands behind
    account_key | BIGINT | | member
    request_id | VARCHAR | | request
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
    strength | BIGINT | | larger shows it better
"""))

CLUSTER_CONTROLS = Table("cluster_controls", 60, ("cluster", "account_key"), _columns("""
    cluster | BIGINT | | cluster
    account_key | BIGINT | | account outside every cluster, nearest in volume and active days
"""))

SENT_PROMPTS = Table("sent_prompts", 61, ("account_key", "prompt_key"), _columns("""
    account_key | BIGINT | | account
    prompt_key | BIGINT | | a sampled prompt of half 1 of at least links.duplicate_min_chars characters
"""))

REPEATED_PROMPTS = Table("repeated_prompts", 61, ("cluster", "account_key"), _columns("""
    cluster | BIGINT | | cluster of five or more
    account_key | BIGINT | | member with long prompts in the half that formed nothing
    document_count | BIGINT | | these
    repeated_count | BIGINT | | of them, sent word for word by another member
    elsewhere_count | BIGINT | | of them, sent word for word by an account outside the cluster
    templated_count | BIGINT | | of its templated prompts that formed nothing, those with an item_shingle
    item_elsewhere_count | BIGINT | | of these, filled with what an account outside the cluster fills a template of its own with
"""))

CLUSTER_ALTERNATIVES = Table("cluster_alternatives", 62, ("cluster", "alternative"), _columns("""
    cluster | BIGINT | | cluster
    alternative | VARCHAR | | innocent explanation
    fit_share | DOUBLE | 0..1 | members that fit it
    applies | BOOLEAN | | enough of them do
    margin_bits | DOUBLE | bits | what it leaves unexplained, less an edge's margin
    is_unchecked | BOOLEAN | | does not apply, but would if every member fitted of whom the log does not say
"""))

CLUSTER_IDS = Table("cluster_ids", 65, ("cluster",), _columns("""
    cluster | BIGINT | | cluster
    network_id | VARCHAR | | provisional id of the network it became
"""))

ADDRESS_REQUESTS = Table("address_requests", 69, ("cluster", "account_key", "value_key"), _columns("""
    cluster | BIGINT | | cluster
    account_key | BIGINT | | member
    value_key | BIGINT | | address that the cluster shares
    request_id | VARCHAR | | first request of the member from it
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
    request_count | BIGINT | requests | of the member from it
"""))

HANDOFF_REQUESTS = Table("handoff_requests", 69, ("cluster", "account_key", "session_key"), _columns("""
    cluster | BIGINT | | cluster
    account_key | BIGINT | | member
    session_key | BIGINT | | conversation that the cluster handed on
    request_id | VARCHAR | | first request of the member in it
    source_file | VARCHAR | | of that request
    source_row | BIGINT | | of that request
    request_count | BIGINT | requests | of the member in it
"""))

LINKS = Table("links", 56, ("account_a", "account_b", "kind"), _columns("""
    account_a | VARCHAR | | account_id that sorts first
    account_b | VARCHAR | | account_id that sorts second
    kind | VARCHAR | | what is shared
    family | VARCHAR | | identity, infrastructure, settings, client, handoff, duplicates, templates; topic, behaviour, synchrony
    bits | DOUBLE | bits | weight of evidence after fusion inside the family, signed
    bits_kind | VARCHAR | | rarity, tail or calibrated
    support | BIGINT | | shared values; of likeness the prompts (topic) or requests (behaviour) of both, or the hours with requests of both (synchrony)
    df | BIGINT | entities | entities that hold the rarest shared value; null for likeness, which shares none
"""))

NETWORKS = Table("networks", 65, ("network_id",), _columns("""
    network_id | VARCHAR | | stable across nights in one DIR, N- and ten hex digits
    flagged | BOOLEAN | | exactly tier = refer
    tier | VARCHAR | | refer, watch, explained
    account_count | BIGINT | accounts | members
    entity_count | BIGINT | entities | members with each vouched organisation counted once
    request_count | BIGINT | requests | of the members in the window
    first_seen_at | TIMESTAMP | | first request of a member in the window, UTC
    last_seen_at | TIMESTAMP | | last request of a member in the window, UTC
    coordination_bits | DOUBLE | bits | median over members of their median bits to other members
    extraction_bits | DOUBLE | bits | evidence that the traffic is training-shaped, against volume-matched controls
    q_value | DOUBLE | | Benjamini-Hochberg over the candidate networks of the run; null if no test had power
    p_value | DOUBLE | | the combined p behind q_value
    best_alternative | VARCHAR | | innocent hypothesis that explains most: vouched_organisation, self_serve_team, classroom, event, public_client ...; none if none applies
    alternative_margin_bits | DOUBLE | bits | one-operator less best alternative; negative: the alternative explains more
    attribution_level | VARCHAR | | L0 share attributes, L1 common control, L2 run as a proxy, L3 bulk collection fit for training
    core_count | BIGINT | accounts | members with role core
    reason | VARCHAR | | machine word for why the tier is what it is; wording.toml holds the sentence
"""))

MEMBERS = Table("members", 65, ("account_id",), _columns("""
    account_id | VARCHAR | | as logged
    network_id | VARCHAR | | its network
    membership | DOUBLE | 0..1 | probability-like strength of belonging
    role | VARCHAR | | core, bridge, fringe
    bits | DOUBLE | bits | median bits to the other members
    strongest_account_id | VARCHAR | | member with most bits to this one
    strongest_bits | DOUBLE | bits | those bits
    strongest_kind | VARCHAR | | the kind with most bits in that pair
    request_count | BIGINT | requests | in the window
    extraction_score | DOUBLE | 0..1 | share of sampled documents that look collected for training
"""))

CONTROLS = Table("controls", 66, ("network_id", "account_id"), _columns("""
    network_id | VARCHAR | | network the control is matched to
    account_id | VARCHAR | | account in no network, nearest in request count and active days
"""))

NETWORK_FAMILIES = Table("network_families", 66, ("network_id", "family"), _columns("    network_id | VARCHAR | | network" + _FAMILY))

NETWORK_TESTS = Table("network_tests", 66, ("network_id", "test"), _columns("    network_id | VARCHAR | | network" + _TEST))

NETWORK_ABLATIONS = Table("network_ablations", 67, ("network_id", "family"), _columns("""
    network_id | VARCHAR | | network
    family | VARCHAR | | evidence family that is struck out: its kinds, its links, its tests, its place in the gate
    held_count | BIGINT | accounts | members that the other families still put into one network, the largest piece
    piece_count | BIGINT | | networks that the members fall into without it; 0: none of five accounts holds together
    coordination_bits | DOUBLE | bits | of the largest piece, as in networks; null if there is none
    q_value | DOUBLE | | with the tests of the other families, over the same candidates; null if none is left
    best_alternative | VARCHAR | | innocent hypothesis that explains most of what is left
    alternative_margin_bits | DOUBLE | bits | as in networks
    tier | VARCHAR | | the verdict on what is left: refer, watch, explained
    reason | VARCHAR | | as in networks; falls_apart if no piece is left
"""))

FINDINGS = Table("findings", 70, ("network_id", "rank"), _columns("""
    finding_id | VARCHAR | | F- and twelve hex digits, a hash of the members, the measure and the configuration
    network_id | VARCHAR | | network
    rank | BIGINT | | 1 = strongest reason
    measure | VARCHAR | | machine name; wording.toml holds its sentence
    family | VARCHAR | | evidence family
    value | DOUBLE | | observed
    unit | VARCHAR | | of value, threshold and baseline
    threshold | DOUBLE | | value from which it counts
    baseline | DOUBLE | | the same measure in the control population
    baseline_n | BIGINT | | size of that population
    p_value | DOUBLE | | null if no test
    kind | VARCHAR | | observation, inference
    supports | VARCHAR | | coordination, extraction, benign
    evidence_total | BIGINT | requests | rows that support it before the cap of 1,000
    evidence_sha256 | VARCHAR | | over the sorted evidence rows kept
"""))

EVIDENCE = Table("evidence", 70, ("finding_id", "request_id", "source_file", "source_row"), _columns("""
    finding_id | VARCHAR | | finding
    request_id | VARCHAR | | request
    source_file | VARCHAR | | POSIX path below the LOGS root
    source_row | BIGINT | | zero-based row in that file
    role | VARCHAR | | supports (holds the fact), shows_template, shares_value (sent from the shared address or in the shared conversation), context (shows the account at work)
"""))

NETWORK_PROMPTS = Table("network_prompts", 71, ("account_key", "prompt_key"), _columns("""
    network_id | VARCHAR | | network of the account
    account_key | BIGINT | | member
    prompt_key | BIGINT | | sampled prompt; -1: all its other requests
    request_count | BIGINT | requests | of the window with it
    input_tokens | BIGINT | tokens | their input; null if never logged
    output_tokens | BIGINT | tokens | their output; null if never logged
    max_message_count | INTEGER | messages | largest number in a request with it; null if not counted
    tool_count | BIGINT | requests | that offer tools
    tool_call_count | BIGINT | requests | whose answer calls a tool
    thinking_count | BIGINT | requests | whose answer holds thinking tokens
    handed_count | BIGINT | requests | of a conversation that members handed on
    client_count | BIGINT | requests | of no such conversation, with a client that the network shares and few others show
    is_worded | BOOLEAN | | it carries the network's wording; null of prompts that taught the wording, and of what was not sampled
    tokens | INTEGER[] | | at most 32 smallest 31-bit hashes of words, ascending; null if not sampled
"""))

NETWORK_CAPABILITIES = Table("network_capabilities", 72, ("network_id", "part", "capability"), _columns("""
    network_id | VARCHAR | | network
    part | VARCHAR | | all; where the network has wording in common also operator (prompts with it) and carried (the others)
    capability | VARCHAR | | reasoning, coding, agentic, planning, grading, rewriting, vision, general: what prompts ask for, by a weak classifier
    share | DOUBLE | 0..1 | of the part's requests
    low_share | DOUBLE | 0..1 | lower end of the 95 % interval over accounts; the classifier's own mistakes are not in it
    high_share | DOUBLE | 0..1 | upper end
    request_count | BIGINT | requests | estimate: each sampled prompt stands for its share of the account's requests
    input_tokens | BIGINT | tokens | estimate of their input; null if never logged
    output_tokens | BIGINT | tokens | estimate of their output; null if never logged
    prompt_count | BIGINT | prompts | sampled ones of the class
    account_count | BIGINT | accounts | that sent one of them
    sample_count | BIGINT | prompts | sampled ones of the part
    sample_account_count | BIGINT | accounts | that sent one of these
"""))

CONTROL_PROMPTS = Table("control_prompts", 71, ("network_id", "account_key", "prompt_key"), _columns("""
    network_id | VARCHAR | | network
    account_key | BIGINT | | account that it is compared with
    prompt_key | BIGINT | | sampled prompt of that account
    request_count | BIGINT | requests | with this prompt
    tokens | INTEGER[] | | at most 32 hashes of its words, ascending
"""))

NETWORK_ELICITATION = Table("network_elicitation", 72, ("network_id", "part"), _columns("""
    network_id | VARCHAR | | network
    part | VARCHAR | | all; where the network has wording in common also operator (prompts with it) and carried (the others); controls: the accounts that it is compared with
    share | DOUBLE | 0..1 | of the part's sampled requests, those whose words ask that reasoning be written out
    low_share | DOUBLE | 0..1 | lower end of the 95 % interval over accounts; the guess's own mistakes are not in it
    high_share | DOUBLE | 0..1 | upper end
    prompt_count | BIGINT | prompts | sampled ones that ask so
    account_count | BIGINT | accounts | that sent one of them
    sample_count | BIGINT | prompts | sampled ones of the part
    sample_account_count | BIGINT | accounts | that sent one of these
"""))

COMPONENT_MEMBERS = Table("component_members", 73, ("network_id", "account_id", "component"), _columns("""
    network_id | VARCHAR | | network
    account_id | VARCHAR | | member
    component | VARCHAR | | the first that holds: boilerplate (the network's wording), session_stream (a handed-on conversation), client_stack (the network's client), unexplained
    request_count | BIGINT | requests | of the member, estimated unless is_exact; null if nothing was sampled
    low_count | BIGINT | requests | lower end of the 95 % interval over the member's sampled prompts
    high_count | BIGINT | requests | upper end
    is_exact | BOOLEAN | | counted request by request: the network has no wording in common, or the member no request with the mark
    marked_count | BIGINT | requests | counted: with the mark, worded or not (client_stack: without those of session_stream); null where the component has none
    sampled_count | BIGINT | requests | of the sampled prompts behind the estimate
"""))

NETWORK_TRAFFIC = Table("network_traffic", 73, ("network_id", "part"), _columns("""
    network_id | VARCHAR | | network
    part | VARCHAR | | operator (least that is the operator's: boilerplate), carried (all else), and the four components
    share | DOUBLE | 0..1 | of the members' requests; null where nothing tells
    low_share | DOUBLE | 0..1 | lower end of the 95 % interval over accounts
    high_share | DOUBLE | 0..1 | upper end
    request_count | BIGINT | requests | share of the members' requests
    is_exact | BOOLEAN | | members' requests were counted, not estimated from a sample
    prompt_count | BIGINT | prompts | sampled ones behind the share; where counted, these and one more for each member's other requests
    sampled_count | BIGINT | requests | with them
    account_count | BIGINT | accounts | that sent them
"""))

TURN_PACES = Table("turn_paces", 74, ("network_id", "side", "account_key"), _columns("""
    network_id | VARCHAR | | network
    side | VARCHAR | | members, controls (matched on volume, outside every network)
    account_key | BIGINT | | account with a later turn; a control may serve several networks
    later_turn_count | BIGINT | requests | with two messages more than the account's request before, that day; none that has to do with tools
    at_once_count | BIGINT | requests | of these, sent less than two seconds after the end of the answer before, or before its end
"""))

NETWORK_PACE = Table("network_pace", 74, ("network_id", "side"), _columns("""
    network_id | VARCHAR | | network
    side | VARCHAR | | members, controls (matched on volume, outside every network)
    share | DOUBLE | 0..1 | later turns that came at once / later turns, of all accounts of the side together
    low_share | DOUBLE | 0..1 | lower end of the 95 % interval over accounts
    high_share | DOUBLE | 0..1 | upper end
    at_once_count | BIGINT | requests | sent less than two seconds after the end of the answer before, or before its end
    later_turn_count | BIGINT | requests | with two messages more than the account's request before, that day; none that has to do with tools
    account_count | BIGINT | accounts | with a later turn
"""))

BLIND_SPOTS = Table("blind_spots", 58, ("family",), _columns("""
    family | VARCHAR | | a family of input.md section 3
    status | VARCHAR | | ran, partial, not_run
    reason | VARCHAR | | which columns are missing or below 80 % coverage
"""))

LINEAGE = Table("lineage", 80, ("night", "network_id", "event", "other_id", "account_count", "tier", "is_superseded"), _columns("""
    network_id | VARCHAR | | network
    night | DATE | | night it was seen or matched
    event | VARCHAR | | new, grown, shrunk, merged, split, dormant, returned
    other_id | VARCHAR | | the network merged into, split from, or returned from if that kept an id of its own
    account_count | BIGINT | accounts | members that night
    tier | VARCHAR | | its verdict that night: refer, watch, explained; null if merged or dormant
    matched_by | VARCHAR | | how it was known: members, values (returned_values says which); null if new or dormant
    matched_bits | DOUBLE | bits | of a match by values
    is_superseded | BOOLEAN | | published once, and not repeated when the night was judged again on late, corrected or deleted logs
"""))

ACCOUNT_IDS = Table("account_ids", 14, ("account_key",), _columns("""
    account_key | BIGINT | | fingerprint of account_id
    account_id | VARCHAR | | as logged
    organization_key | BIGINT | | the account's most frequent organisation that day (ties: smallest key), null if none logged
    columns_seen | BIGINT | | bit i: the i-th column that ingest reads had a value in a row of the account that day
"""), per_day=True)

ENTITIES = Table("entities", 31, ("kind", "account_key", "value_key"), _columns("""
    kind | VARCHAR | | as in account_entities
    account_key | BIGINT | | account
    value_key | BIGINT | | value
    day_count | BIGINT | days | days of the window on which the account used it
    request_count | BIGINT | requests | requests with it
    first_day | DATE | | first such day
    last_day | DATE | | last such day
"""))

WINDOW_SAMPLES = Table("window_samples", 32, ("account_key", "prompt_key"), _SAMPLE)

NIGHT = Table("night", 15, ("night",), _columns("""
    night | DATE | | the night that is judged: the last day of the window
    first_day | DATE | | first day of the window
    day_count | BIGINT | days | days of the window that hold a request
    previous_night | DATE | | the night judged before in this DIR, null if none
"""))

KNOWN_NETWORKS = Table("known_networks", 80, ("network_id", "account_id"), _columns("""
    network_id | VARCHAR | | every network of this or an earlier night
    account_id | VARCHAR | | its members when it was last seen
    first_night | DATE | | night it was first seen
    last_night | DATE | | night it was last seen
    first_flagged_night | DATE | | first night whose verdict was refer, superseded verdicts too; null if none
    tier | VARCHAR | | its verdict when it was last seen
    first_seen_at | TIMESTAMP | | first request of the account that a night saw in this network, UTC
    last_seen_at | TIMESTAMP | | last such request, UTC
    is_superseded | BOOLEAN | | published once, and not found when its nights were judged again
"""))
KNOWN_VALUES = Table("known_values", 80, ("network_id", "kind", "value_key"), _columns("""
    network_id | VARCHAR | | network
    kind | VARCHAR | | kind of evidence, see kinds.py
    value_key | BIGINT | | value that two of its entities hold, and of whose holders half are inside
    family | VARCHAR | | evidence family
    inside_count | BIGINT | entities | holders inside, when it was noted
    entity_count | BIGINT | entities | of the network then
    outside_count | BIGINT | entities | other holders then
    rarity_micro_bits | BIGINT | 1e-6 bits | log2((entities + 1) / (outside_count + 1) * inside_count / entity_count) then
    night | DATE | | when it was noted
"""))
RETURNED_VALUES = Table("returned_values", 80, ("night", "network_id", "other_id", "kind", "value_key"), _columns("""
    night | DATE | | night of the return
    network_id | VARCHAR | | network that returned
    other_id | VARCHAR | | the silent network it was known by: itself if it took the id back
    kind | VARCHAR | | kind of evidence
    value_key | BIGINT | | value that both hold
    family | VARCHAR | | evidence family
    inside_count | BIGINT | entities | holders inside that night
    outside_count | BIGINT | entities | holders in neither network that night
    earlier_inside_count | BIGINT | entities | holders in the earlier network when it was noted
    bits | DOUBLE | bits | log2(share of members / share of strangers who hold it), the smaller of the two nights
"""))
EARLIER_NETWORKS = Table("earlier_networks", 80, KNOWN_NETWORKS.grain, KNOWN_NETWORKS.columns)
EARLIER_LINEAGE = Table("earlier_lineage", 80, LINEAGE.grain, LINEAGE.columns)
EARLIER_VALUES = Table("earlier_values", 80, KNOWN_VALUES.grain, KNOWN_VALUES.columns)
EARLIER_RETURNS = Table("earlier_returns", 80, RETURNED_VALUES.grain, RETURNED_VALUES.columns)
PUBLISHED_NETWORKS = Table("published_networks", 80, KNOWN_NETWORKS.grain, KNOWN_NETWORKS.columns)
PUBLISHED_TONIGHT = Table("published_tonight", 80, KNOWN_NETWORKS.grain, KNOWN_NETWORKS.columns)
PUBLISHED_LINEAGE = Table("published_lineage", 80, LINEAGE.grain, LINEAGE.columns)

NETWORK_IDS = Table("network_ids", 80, ("provisional_id",), _columns("""
    provisional_id | VARCHAR | | id inside the run, P- and digits
    network_id | VARCHAR | | the id that is published
"""))

ACCOUNT_WINDOWS = Table("account_windows", 30, ("account_key",), _columns("""
    account_key | BIGINT | | account
    active_days | BIGINT | days | days with a request
    peak_day_count | BIGINT | | requests on the busiest day
    day_count_squared | BIGINT | | sum over days of squared requests
    day_weighted_count | BIGINT | | sum over days of requests times days since 1970
    longest_gap_us | BIGINT | us | longest gap between two requests, null with one request
    bridge_s_squared | BIGINT | s^2 | sum of squared gaps between one active day and the next, in whole seconds
    request_count | BIGINT | | requests
    ok_count | BIGINT | | status below 400 or unknown, not throttled
    error_count | BIGINT | | status 400 and above, rate limits apart
    rate_limited_count | BIGINT | | throttled, or status 429
    cached_response_count | BIGINT | | answered from a gateway cache
    policy_count | BIGINT | | a policy action other than none
    policy_known_count | BIGINT | | policy action logged
    harvest_count | BIGINT | | harvested: succeeded, generated text, not from a cache, output length logged
    harvest_tokens | BIGINT | tokens | output of harvested requests, each cut at 2^20, sum
    harvest_tokens_squared | BIGINT | tokens^2 | their squares, summed
    ratio_output_tokens | BIGINT | tokens | output of harvested requests whose input length is logged too
    ratio_input_tokens | BIGINT | tokens | their input
    input_tokens | BIGINT | tokens | sum
    input_known_count | BIGINT | | input length logged
    output_tokens | BIGINT | tokens | sum
    cache_read_tokens | BIGINT | tokens | prompt-cache hits, sum
    cache_known_input_tokens | BIGINT | tokens | input where cache hits are logged
    reasoning_tokens | BIGINT | tokens | sum
    reasoning_known_output_tokens | BIGINT | tokens | output where reasoning is logged
    cost_micro_usd | BIGINT | micro-USD | sum
    cost_known_count | BIGINT | | cost logged
    stream_count | BIGINT | | streamed
    stream_known_count | BIGINT | | stream flag logged
    batch_count | BIGINT | | batch API
    batch_known_count | BIGINT | | batch flag logged
    length_finish_count | BIGINT | | ended by the output cap
    finish_known_count | BIGINT | | finish reason logged
    max_tokens_use_milli | BIGINT | 1/1000 | used share of the output cap, each request cut at 1000 and rounded down, sum
    max_tokens_use_count | BIGINT | | output cap above 0 and output length logged
    temperature_known_count | BIGINT | | temperature logged
    temperature_milli | BIGINT | 1/1000 | sum
    temperature_milli_squared | BIGINT | 1/10^6 | sum of squares
    single_turn_count | BIGINT | | at most one message
    message_known_count | BIGINT | | message count logged
    message_count | BIGINT | | messages, sum
    max_message_count | BIGINT | | deepest request, null if unknown
    session_known_count | BIGINT | | session logged
    prompt_known_count | BIGINT | | prompt length logged
    prompt_chars | BIGINT | characters | sum
    first_us | BIGINT | us | first request
    last_us | BIGINT | us | last request
    gap_ms_squared | BIGINT | ms^2 | sum of squared gaps inside days, in whole milliseconds
    active_hours | BIGINT | hours | active hours, summed over days
""")
    + _bins("g", 10, "gaps in bin {k}, bridging ones too")
    + _bins("c", 10, "prompts in length bin {k}"))

ACCOUNT_WEEKDAYS = Table("account_weekdays", 30, ("account_key", "weekday"), _columns("""
    account_key | BIGINT | | account
    weekday | BIGINT | | 0 Monday .. 6 Sunday, UTC
    request_count | BIGINT | | requests
""")
    + _bins("h", 24, "requests in the UTC hour {k}"))

ENTITY_COUNTS = Table("entity_counts", 31, ("kind", "account_key", "request_count"), _columns("""
    kind | VARCHAR | | as in account_entities
    account_key | BIGINT | | account
    request_count | BIGINT | requests | how often a value was used in the window
    value_count | BIGINT | | values that were used exactly so often
    value_day_count | BIGINT | days | days on which they were used, summed
    first_day_count | BIGINT | | those already seen on the account's first day
"""))

REQUEST_COUNTS = Table("request_counts", 31, ("kind", "account_key", "request_count"), _columns("""
    kind | VARCHAR | | prefix, prompt, session, skeleton
    account_key | BIGINT | | account
    request_count | BIGINT | requests | how often a value was used in the window
    value_count | BIGINT | | values that were used exactly so often
"""))

SAMPLE_COUNTS = Table("sample_counts", 32, ("account_key",), _columns("""
    account_key | BIGINT | | account
    sample_count | BIGINT | | sampled prompts
    shingled_count | BIGINT | | those with four words or more
    near_duplicate_count | BIGINT | | those whose smallest 4-gram hash another sampled prompt of the account shares
    token_count | BIGINT | words | words of sampled prompts, each once a prompt, whose hash is in the lowest eighth
    distinct_token_count | BIGINT | words | distinct ones among them
"""))

FEATURES = Table("features", 30, ("account_key",), (
    Column("account_key", "BIGINT", "", "account"),
    Column("first_us", "BIGINT", "us", "first request in the window"),
    Column("last_us", "BIGINT", "us", "last request in the window"),
    *(Column(feature.name, feature.type, feature.unit, feature.meaning) for feature in FEATURE_LIST),
))

ACCOUNTS = Table("accounts", 75, ("account_id",), (
    Column("account_id", "VARCHAR", "", "as logged"),
    Column("account_key", "BIGINT", "", "the key that stands for it in the other tables"),
    Column("network_id", "VARCHAR", "", "its network, null if none"),
    Column("extraction_score", "DOUBLE", "0..1", "share of sampled documents that look collected for training"),
    *(column for column in FEATURES.columns if column.name != "account_key"),
))
