-- Distinct values that an account used on a UTC day, by kind, with the requests that used them; one or several days at once. Values are fingerprints; what the
-- log holds as words (country, model) gets a key of its own here, the AS number is its own key, and settings combines max_tokens
-- (cut at 2^38), temperature (cut at 2^20 thousandths) and stream into one integer, absent where none of the three is known.
-- Calls that generate nothing (embeddings, token counts) have no prompt, prefix, skeleton, system prompt or settings. What
-- a client keeps for many requests is counted once together before it is counted apart, a word gets its key once, and requests are
-- read once. Kinds are numbered in the order of their names, because integers sort at half the price of words.
-- grain: day, kind, account_key, value_key
-- reads: requests
-- params: none
WITH calls AS (
  SELECT
    fx_div(ts_us, 86400000000) AS day_number,
    account_key,
    coalesce(operation, 'chat') NOT IN ('embeddings', 'count_tokens') AS is_generation,
    max_tokens, temperature_milli, stream, system_key,
    agent_key, agent_product_key, ja4_key, stack_key, headers_key, tools_key, api_key_key, end_user_key,
    ip_key, ip_prefix_key, asn, country, model
  FROM requests
),
settings AS (
  SELECT
    day_number,
    account_key,
    (
      CASE WHEN max_tokens IS NULL THEN 0 ELSE least(greatest(max_tokens, 0), 274877906943) + 1 END * 2097152
      + CASE WHEN temperature_milli IS NULL THEN 0 ELSE least(greatest(CAST(temperature_milli AS BIGINT), 0), 1048575) + 1 END
    ) * 3
    + CASE WHEN stream IS NULL THEN 0 WHEN stream THEN 2 ELSE 1 END AS settings_key
  FROM calls
  WHERE is_generation AND (coalesce(max_tokens, temperature_milli) IS NOT NULL OR stream IS NOT NULL)
),
stacks AS (
  SELECT day_number, account_key, agent_key, agent_product_key, ja4_key, stack_key, headers_key, tools_key, api_key_key, end_user_key, count(*) AS request_count
  FROM calls
  GROUP BY day_number, account_key, agent_key, agent_product_key, ja4_key, stack_key, headers_key, tools_key, api_key_key, end_user_key
),
words AS (
  SELECT word, fx_key(word) AS word_key
  FROM (SELECT country AS word FROM calls WHERE country IS NOT NULL UNION SELECT model AS word FROM calls WHERE model IS NOT NULL) AS used
),
countries AS (
  SELECT day_number, account_key, country AS word, count(*) AS request_count FROM calls WHERE country IS NOT NULL GROUP BY day_number, account_key, country
),
models AS (
  SELECT day_number, account_key, model AS word, count(*) AS request_count FROM calls WHERE model IS NOT NULL GROUP BY day_number, account_key, model
),
found AS (
  SELECT 0 AS kind_number, 'agent' AS kind, day_number, account_key, agent_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE agent_key IS NOT NULL GROUP BY day_number, account_key, agent_key
  UNION ALL
  SELECT 1 AS kind_number, 'agent_product' AS kind, day_number, account_key, agent_product_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE agent_product_key IS NOT NULL GROUP BY day_number, account_key, agent_product_key
  UNION ALL
  SELECT 2 AS kind_number, 'api_key' AS kind, day_number, account_key, api_key_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE api_key_key IS NOT NULL GROUP BY day_number, account_key, api_key_key
  UNION ALL
  SELECT 3 AS kind_number, 'asn' AS kind, day_number, account_key, asn AS value_key, count(*) AS request_count FROM calls WHERE asn IS NOT NULL GROUP BY day_number, account_key, asn
  UNION ALL
  SELECT 4 AS kind_number, 'country' AS kind, day_number, account_key, word_key AS value_key, request_count FROM countries JOIN words ON words.word = countries.word
  UNION ALL
  SELECT 5 AS kind_number, 'end_user' AS kind, day_number, account_key, end_user_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE end_user_key IS NOT NULL GROUP BY day_number, account_key, end_user_key
  UNION ALL
  SELECT 6 AS kind_number, 'headers' AS kind, day_number, account_key, headers_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE headers_key IS NOT NULL GROUP BY day_number, account_key, headers_key
  UNION ALL
  SELECT 7 AS kind_number, 'ip' AS kind, day_number, account_key, ip_key AS value_key, count(*) AS request_count FROM calls WHERE ip_key IS NOT NULL GROUP BY day_number, account_key, ip_key
  UNION ALL
  SELECT 8 AS kind_number, 'ip_prefix' AS kind, day_number, account_key, ip_prefix_key AS value_key, count(*) AS request_count FROM calls WHERE ip_prefix_key IS NOT NULL GROUP BY day_number, account_key, ip_prefix_key
  UNION ALL
  SELECT 9 AS kind_number, 'ja4' AS kind, day_number, account_key, ja4_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE ja4_key IS NOT NULL GROUP BY day_number, account_key, ja4_key
  UNION ALL
  SELECT 10 AS kind_number, 'model' AS kind, day_number, account_key, word_key AS value_key, request_count FROM models JOIN words ON words.word = models.word
  UNION ALL
  SELECT 11 AS kind_number, 'settings' AS kind, day_number, account_key, settings_key AS value_key, count(*) AS request_count FROM settings GROUP BY day_number, account_key, settings_key
  UNION ALL
  SELECT 12 AS kind_number, 'stack' AS kind, day_number, account_key, stack_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE stack_key IS NOT NULL GROUP BY day_number, account_key, stack_key
  UNION ALL
  SELECT 13 AS kind_number, 'system' AS kind, day_number, account_key, system_key AS value_key, count(*) AS request_count FROM calls WHERE is_generation AND system_key IS NOT NULL GROUP BY day_number, account_key, system_key
  UNION ALL
  SELECT 14 AS kind_number, 'tools' AS kind, day_number, account_key, tools_key AS value_key, CAST(sum(request_count) AS BIGINT) AS request_count FROM stacks WHERE tools_key IS NOT NULL GROUP BY day_number, account_key, tools_key
)
SELECT
  fx_day(day_number * 86400000000) AS day,
  kind,
  account_key,
  value_key,
  request_count
FROM found
ORDER BY day_number, kind_number, account_key, value_key
