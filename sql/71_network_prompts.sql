-- What the members of networks sent, by sampled prompt; all their other requests stand under prompt_key -1. For each prompt: how often, what it drew, what its requests' columns say of
-- the work, and how many of them show what the network's members have in common: a handed-on conversation, a client of theirs (counted where no conversation was handed on).
-- A prompt is worded if it carries the wording that a share of the members make a habit of (three at least), or that members who word each request afresh have in common
-- (pooled_templates). Habits are learned on even prompts and looked for in odd ones: of the others it is null. A long prompt keeps 48 of its 4-grams, so it must show its part of them
-- only, and two at least. Wording is looked for where a gate family admits the network (pool_wording has no others).
-- grain: account_key, prompt_key
-- reads: requests, window_samples, networks, members, account_records, cluster_ids, cluster_values, handoffs, pool_wording, pooled_templates
-- params: template_min_shingles BIGINT, pool_habit_min_share DOUBLE
WITH people AS (
  SELECT members.network_id AS network_id, records.account_key AS account_key
  FROM members
  JOIN account_records AS records ON records.account_id = members.account_id
),
common AS (
  SELECT cluster_ids.network_id AS network_id, shared.kind AS kind, shared.value_key AS value_key
  FROM cluster_values AS shared
  JOIN cluster_ids ON cluster_ids.cluster = shared.cluster
  JOIN networks ON networks.network_id = cluster_ids.network_id
  WHERE CAST(shared.inside_count AS DOUBLE) >= $pool_habit_min_share * CAST(networks.entity_count AS DOUBLE)
  AND ((shared.kind = 'template' AND shared.inside_count >= 3) OR (shared.qualifies AND shared.kind IN ('stack', 'headers', 'rewritten_client')))
),
texts AS (
  SELECT people.network_id AS network_id, samples.account_key AS account_key, samples.prompt_key AS prompt_key, samples.tokens AS tokens, samples.shingle_count AS shingle_count
  FROM window_samples AS samples
  JOIN people ON people.account_key = samples.account_key
),
habitual AS (
  SELECT texts.account_key AS account_key, texts.prompt_key AS prompt_key
  FROM texts
  JOIN pool_wording ON pool_wording.account_key = texts.account_key AND pool_wording.prompt_key = texts.prompt_key
  JOIN common ON common.network_id = texts.network_id AND common.value_key = pool_wording.shingle AND common.kind = 'template'
  WHERE texts.prompt_key % 2 = 1
  GROUP BY texts.account_key, texts.prompt_key
  HAVING count(*) >= 2 AND count(*) * greatest(max(texts.shingle_count), 48) >= $template_min_shingles * 48
),
worded AS (
  SELECT account_key, prompt_key FROM habitual
  UNION
  SELECT account_key, prompt_key FROM pooled_templates
),
conversations AS (
  SELECT people.network_id AS network_id, handoffs.session_key AS session_key
  FROM handoffs
  JOIN people ON people.account_key = handoffs.account_key
  GROUP BY people.network_id, handoffs.session_key
  HAVING count(DISTINCT people.account_key) >= 2
),
sent AS (
  SELECT
    people.network_id AS network_id,
    requests.account_key AS account_key,
    CASE WHEN texts.prompt_key IS NULL THEN CAST(-1 AS BIGINT) ELSE texts.prompt_key END AS prompt_key,
    requests.input_tokens AS input_tokens,
    requests.output_tokens AS output_tokens,
    requests.message_count AS message_count,
    CASE WHEN requests.tools_key IS NULL THEN 0 ELSE 1 END AS offers_tools,
    CASE WHEN requests.finish_reason IN ('tool_calls', 'tool_use') THEN 1 ELSE 0 END AS calls_tools,
    CASE WHEN requests.reasoning_tokens > 0 THEN 1 ELSE 0 END AS thinks,
    CASE WHEN conversations.session_key IS NULL THEN 0 ELSE 1 END AS handed,
    CASE WHEN stacks.value_key IS NULL AND headers.value_key IS NULL AND clients.value_key IS NULL THEN 0 ELSE 1 END AS client
  FROM requests
  JOIN people ON people.account_key = requests.account_key
  LEFT JOIN texts ON texts.account_key = requests.account_key AND texts.prompt_key = requests.prompt_key
  LEFT JOIN conversations ON conversations.network_id = people.network_id AND conversations.session_key = requests.session_key
  LEFT JOIN common AS stacks ON stacks.network_id = people.network_id AND stacks.kind = 'stack' AND stacks.value_key = requests.stack_key
  LEFT JOIN common AS headers ON headers.network_id = people.network_id AND headers.kind = 'headers' AND headers.value_key = requests.headers_key
  LEFT JOIN common AS clients ON clients.network_id = people.network_id AND clients.kind = 'rewritten_client' AND clients.value_key = requests.ja4_key
),
totals AS (
  SELECT
    network_id,
    account_key,
    prompt_key,
    count(*) AS request_count,
    CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
    CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
    max(message_count) AS max_message_count,
    CAST(sum(offers_tools) AS BIGINT) AS tool_count,
    CAST(sum(calls_tools) AS BIGINT) AS tool_call_count,
    CAST(sum(thinks) AS BIGINT) AS thinking_count,
    CAST(sum(handed) AS BIGINT) AS handed_count,
    CAST(sum(CASE WHEN handed = 0 THEN client ELSE 0 END) AS BIGINT) AS client_count
  FROM sent
  GROUP BY network_id, account_key, prompt_key
)
SELECT
  totals.network_id AS network_id,
  totals.account_key AS account_key,
  totals.prompt_key AS prompt_key,
  totals.request_count AS request_count,
  totals.input_tokens AS input_tokens,
  totals.output_tokens AS output_tokens,
  totals.max_message_count AS max_message_count,
  totals.tool_count AS tool_count,
  totals.tool_call_count AS tool_call_count,
  totals.thinking_count AS thinking_count,
  totals.handed_count AS handed_count,
  totals.client_count AS client_count,
  CASE WHEN totals.prompt_key % 2 = 1 THEN worded.prompt_key IS NOT NULL END AS is_worded,
  texts.tokens AS tokens
FROM totals
LEFT JOIN texts ON texts.account_key = totals.account_key AND texts.prompt_key = totals.prompt_key
LEFT JOIN worded ON worded.account_key = totals.account_key AND worded.prompt_key = totals.prompt_key
ORDER BY totals.account_key, totals.prompt_key
