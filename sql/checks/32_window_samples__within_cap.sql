-- Accounts with more samples than the configured cap, and samples without an account.
-- grain: account_key
-- reads: window_samples
-- params: samples_per_account BIGINT
SELECT account_key, count(*) AS sample_count
FROM window_samples
GROUP BY account_key
HAVING account_key IS NULL OR count(*) > $samples_per_account
ORDER BY account_key
