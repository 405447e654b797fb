-- Values that an account used in the window: the days' account_entities added up.
-- Kinds are sorted by their place in the order of names, because integers sort at a fraction of the price of words.
-- grain: kind, account_key, value_key
-- reads: account_entities
-- params: none
WITH merged AS (
  SELECT
    kind,
    account_key,
    value_key,
    count(*) AS day_count,
    CAST(sum(request_count) AS BIGINT) AS request_count,
    min(day) AS first_day,
    max(day) AS last_day
  FROM account_entities
  GROUP BY kind, account_key, value_key
)
SELECT kind, account_key, value_key, day_count, request_count, first_day, last_day
FROM merged
ORDER BY
  CASE kind
    WHEN 'agent' THEN 0
    WHEN 'agent_product' THEN 1
    WHEN 'api_key' THEN 2
    WHEN 'asn' THEN 3
    WHEN 'country' THEN 4
    WHEN 'end_user' THEN 5
    WHEN 'headers' THEN 6
    WHEN 'ip' THEN 7
    WHEN 'ip_prefix' THEN 8
    WHEN 'ja4' THEN 9
    WHEN 'model' THEN 10
    WHEN 'settings' THEN 11
    WHEN 'stack' THEN 12
    WHEN 'system' THEN 13
    WHEN 'tools' THEN 14
  END,
  account_key,
  value_key
