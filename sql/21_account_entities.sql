-- Distinct values that an account used on a UTC day, by kind, with the requests that used them. Values are fingerprints; what the
-- log holds as words (country, model) gets a key of its own here, the AS number is its own key, and settings combines max_tokens
-- (cut at 2^38), temperature (cut at 2^20 thousandths) and stream into one integer, absent where none of the three is known.
-- Calls that generate nothing (embeddings, token counts) have no prompt kinds.
-- grain: kind, account_key, value_key
-- reads: requests
-- params: none
WITH calls AS (
  SELECT
    fx_day(ts_us) AS day,
    account_key,
    CASE
      WHEN max_tokens IS NULL AND temperature_milli IS NULL AND stream IS NULL THEN NULL
      ELSE (coalesce(least(greatest(max_tokens, 0), 274877906943) + 1, 0) * 2097152 + coalesce(least(greatest(CAST(temperature_milli AS BIGINT), 0), 1048575) + 1, 0)) * 3
        + CASE WHEN stream IS NULL THEN 0 WHEN stream THEN 2 ELSE 1 END
    END AS settings_key,
    coalesce(operation, 'chat') NOT IN ('embeddings', 'count_tokens') AS is_generation,
    model, country, asn, api_key_key, end_user_key, session_key, ip_key, ip_prefix_key, agent_key, agent_product_key, ja4_key, stack_key, headers_key, tools_key, system_key,
    prompt_key, prefix_key, skeleton_key
  FROM requests
),
countries AS (
  SELECT day, account_key, country, count(*) AS request_count FROM calls WHERE country IS NOT NULL GROUP BY day, account_key, country
),
models AS (
  SELECT day, account_key, model, count(*) AS request_count FROM calls WHERE model IS NOT NULL GROUP BY day, account_key, model
)
SELECT day, 'country' AS kind, account_key, fx_key(country) AS value_key, request_count FROM countries
UNION ALL
SELECT day, 'model' AS kind, account_key, fx_key(model) AS value_key, request_count FROM models
UNION ALL
SELECT day, 'agent' AS kind, account_key, agent_key AS value_key, count(*) AS request_count FROM calls WHERE agent_key IS NOT NULL GROUP BY day, account_key, agent_key
UNION ALL
SELECT day, 'agent_product' AS kind, account_key, agent_product_key AS value_key, count(*) AS request_count FROM calls WHERE agent_product_key IS NOT NULL GROUP BY day, account_key, agent_product_key
UNION ALL
SELECT day, 'api_key' AS kind, account_key, api_key_key AS value_key, count(*) AS request_count FROM calls WHERE api_key_key IS NOT NULL GROUP BY day, account_key, api_key_key
UNION ALL
SELECT day, 'asn' AS kind, account_key, asn AS value_key, count(*) AS request_count FROM calls WHERE asn IS NOT NULL GROUP BY day, account_key, asn
UNION ALL
SELECT day, 'end_user' AS kind, account_key, end_user_key AS value_key, count(*) AS request_count FROM calls WHERE end_user_key IS NOT NULL GROUP BY day, account_key, end_user_key
UNION ALL
SELECT day, 'headers' AS kind, account_key, headers_key AS value_key, count(*) AS request_count FROM calls WHERE headers_key IS NOT NULL GROUP BY day, account_key, headers_key
UNION ALL
SELECT day, 'ip' AS kind, account_key, ip_key AS value_key, count(*) AS request_count FROM calls WHERE ip_key IS NOT NULL GROUP BY day, account_key, ip_key
UNION ALL
SELECT day, 'ip_prefix' AS kind, account_key, ip_prefix_key AS value_key, count(*) AS request_count FROM calls WHERE ip_prefix_key IS NOT NULL GROUP BY day, account_key, ip_prefix_key
UNION ALL
SELECT day, 'ja4' AS kind, account_key, ja4_key AS value_key, count(*) AS request_count FROM calls WHERE ja4_key IS NOT NULL GROUP BY day, account_key, ja4_key
UNION ALL
SELECT day, 'prefix' AS kind, account_key, prefix_key AS value_key, count(*) AS request_count FROM calls WHERE prefix_key IS NOT NULL AND is_generation GROUP BY day, account_key, prefix_key
UNION ALL
SELECT day, 'prompt' AS kind, account_key, prompt_key AS value_key, count(*) AS request_count FROM calls WHERE prompt_key IS NOT NULL AND is_generation GROUP BY day, account_key, prompt_key
UNION ALL
SELECT day, 'session' AS kind, account_key, session_key AS value_key, count(*) AS request_count FROM calls WHERE session_key IS NOT NULL GROUP BY day, account_key, session_key
UNION ALL
SELECT day, 'settings' AS kind, account_key, settings_key AS value_key, count(*) AS request_count FROM calls WHERE settings_key IS NOT NULL AND is_generation GROUP BY day, account_key, settings_key
UNION ALL
SELECT day, 'skeleton' AS kind, account_key, skeleton_key AS value_key, count(*) AS request_count FROM calls WHERE skeleton_key IS NOT NULL AND is_generation GROUP BY day, account_key, skeleton_key
UNION ALL
SELECT day, 'stack' AS kind, account_key, stack_key AS value_key, count(*) AS request_count FROM calls WHERE stack_key IS NOT NULL GROUP BY day, account_key, stack_key
UNION ALL
SELECT day, 'system' AS kind, account_key, system_key AS value_key, count(*) AS request_count FROM calls WHERE system_key IS NOT NULL AND is_generation GROUP BY day, account_key, system_key
UNION ALL
SELECT day, 'tools' AS kind, account_key, tools_key AS value_key, count(*) AS request_count FROM calls WHERE tools_key IS NOT NULL GROUP BY day, account_key, tools_key
ORDER BY kind, account_key, value_key, day
