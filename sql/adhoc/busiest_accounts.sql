-- The accounts with most output tokens between two days, both of them included, with their network if they are in one.
-- grain: account_id
-- reads: accounts, account_days
-- params: first_day DATE, last_day DATE, rows BIGINT
WITH totals AS (
  SELECT
    account_key,
    count(*) AS active_days,
    CAST(sum(request_count) AS BIGINT) AS request_count,
    CAST(sum(output_tokens) AS BIGINT) AS output_tokens
  FROM account_days
  WHERE day >= $first_day AND day <= $last_day
  GROUP BY account_key
),
ranked AS (
  SELECT
    accounts.account_id AS account_id,
    accounts.network_id AS network_id,
    totals.active_days AS active_days,
    totals.request_count AS request_count,
    totals.output_tokens AS output_tokens,
    row_number() OVER (ORDER BY coalesce(totals.output_tokens, 0) DESC, accounts.account_id) AS place
  FROM totals
  JOIN accounts ON accounts.account_key = totals.account_key
)
SELECT account_id, network_id, active_days, request_count, output_tokens
FROM ranked
WHERE place <= $rows
ORDER BY place
