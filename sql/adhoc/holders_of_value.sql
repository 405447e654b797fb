-- Who sent requests with a value: every account, with days and requests. Kinds are those of account_entities (ip, ip_prefix, stack, headers, ja4, settings ...).
-- grain: account_id
-- reads: accounts, account_entities
-- params: kind VARCHAR, value_key BIGINT
WITH used AS (
  SELECT
    account_key,
    count(*) AS day_count,
    CAST(sum(request_count) AS BIGINT) AS request_count,
    min(day) AS first_day,
    max(day) AS last_day
  FROM account_entities
  WHERE kind = $kind AND value_key = $value_key
  GROUP BY account_key
)
SELECT
  accounts.account_id AS account_id,
  used.day_count AS day_count,
  used.request_count AS request_count,
  used.first_day AS first_day,
  used.last_day AS last_day
FROM used
JOIN accounts ON accounts.account_key = used.account_key
ORDER BY request_count DESC, account_id
