-- Requests of each account on each day of the window, for the test of shared days.
-- grain: account_key, day
-- reads: account_days
-- params: none
SELECT account_key, day, request_count
FROM account_days
ORDER BY account_key, day
