-- Accounts that have a window and no features, or features and no window, or whose request counts differ.
-- grain: account_key
-- reads: account_windows, features
-- params: none
SELECT coalesce(account_windows.account_key, features.account_key) AS account_key
FROM account_windows
FULL JOIN features ON features.account_key = account_windows.account_key
WHERE features.account_key IS NULL OR account_windows.account_key IS NULL OR features.request_count <> account_windows.request_count
ORDER BY account_key
