-- Values that an account used in the window: the days' account_entities added up.
-- grain: kind, account_key, value_key
-- reads: account_entities
-- params: none
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
ORDER BY kind, account_key, value_key
