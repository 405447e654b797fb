-- Masked prompts that several accounts send but few of all: how many accounts and requests stand behind each, largest first.
-- grain: value_key
-- reads: entities
-- params: least_accounts BIGINT, most_accounts BIGINT, rows BIGINT
WITH templates AS (
  SELECT
    value_key,
    count(*) AS account_count,
    CAST(sum(request_count) AS BIGINT) AS request_count,
    min(first_day) AS first_day,
    max(last_day) AS last_day
  FROM entities
  WHERE kind = 'skeleton'
  GROUP BY value_key
),
ranked AS (
  SELECT
    value_key,
    account_count,
    request_count,
    first_day,
    last_day,
    row_number() OVER (ORDER BY request_count DESC, value_key) AS place
  FROM templates
  WHERE account_count >= $least_accounts AND account_count <= $most_accounts
)
SELECT value_key, account_count, request_count, first_day, last_day
FROM ranked
WHERE place <= $rows
ORDER BY place
