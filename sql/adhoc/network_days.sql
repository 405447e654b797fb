-- What a network did on each day of the window: members at work, requests, tokens, and how many of its requests failed or were throttled.
-- grain: day
-- reads: accounts, account_days
-- params: network VARCHAR
SELECT
  account_days.day AS day,
  count(*) AS account_count,
  CAST(sum(account_days.request_count) AS BIGINT) AS request_count,
  CAST(sum(account_days.input_tokens) AS BIGINT) AS input_tokens,
  CAST(sum(account_days.output_tokens) AS BIGINT) AS output_tokens,
  CAST(sum(account_days.error_count) AS BIGINT) AS error_count,
  CAST(sum(account_days.rate_limited_count) AS BIGINT) AS rate_limited_count
FROM account_days
JOIN accounts ON accounts.account_key = account_days.account_key
WHERE accounts.network_id = $network
GROUP BY account_days.day
ORDER BY day
