-- How often an account used its prompts, prefixes, skeletons and sessions: for each number of requests, the values used exactly so often.
-- Nearly every request has values of its own, so they are counted out of the narrow requests and not kept a second time by day.
-- grain: kind, account_key, request_count
-- reads: requests
-- params: none
WITH generations AS (
  SELECT account_key, prompt_key, prefix_key, skeleton_key
  FROM requests
  WHERE coalesce(operation, 'chat') NOT IN ('embeddings', 'count_tokens')
),
prompts AS (
  SELECT account_key, prompt_key, count(*) AS request_count FROM generations WHERE prompt_key IS NOT NULL GROUP BY account_key, prompt_key
),
prefixes AS (
  SELECT account_key, prefix_key, count(*) AS request_count FROM generations WHERE prefix_key IS NOT NULL GROUP BY account_key, prefix_key
),
skeletons AS (
  SELECT account_key, skeleton_key, count(*) AS request_count FROM generations WHERE skeleton_key IS NOT NULL GROUP BY account_key, skeleton_key
),
sessions AS (
  SELECT account_key, session_key, count(*) AS request_count FROM requests WHERE session_key IS NOT NULL GROUP BY account_key, session_key
)
SELECT 'prefix' AS kind, account_key, request_count, count(*) AS value_count FROM prefixes GROUP BY account_key, request_count
UNION ALL
SELECT 'prompt' AS kind, account_key, request_count, count(*) AS value_count FROM prompts GROUP BY account_key, request_count
UNION ALL
SELECT 'session' AS kind, account_key, request_count, count(*) AS value_count FROM sessions GROUP BY account_key, request_count
UNION ALL
SELECT 'skeleton' AS kind, account_key, request_count, count(*) AS value_count FROM skeletons GROUP BY account_key, request_count
ORDER BY kind, account_key, request_count
