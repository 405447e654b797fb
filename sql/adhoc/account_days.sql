-- What an account did on each day of the window.
-- grain: day
-- reads: accounts, account_days
-- params: account VARCHAR
SELECT
  account_days.day AS day,
  account_days.request_count AS request_count,
  account_days.ok_count AS ok_count,
  account_days.error_count AS error_count,
  account_days.rate_limited_count AS rate_limited_count,
  account_days.input_tokens AS input_tokens,
  account_days.output_tokens AS output_tokens,
  account_days.active_hours AS active_hours
FROM account_days
JOIN accounts ON accounts.account_key = account_days.account_key
WHERE accounts.account_id = $account
ORDER BY day
