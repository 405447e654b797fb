-- Requests in each UTC hour of each account's days, of accounts with enough requests for their hours to be compared.
-- grain: account_key, day
-- reads: account_days, account_windows
-- params: synchrony_min_requests BIGINT
SELECT
    account_days.account_key AS account_key, account_days.day AS day,
    account_days.h00 AS h00, account_days.h01 AS h01, account_days.h02 AS h02, account_days.h03 AS h03, account_days.h04 AS h04, account_days.h05 AS h05,
    account_days.h06 AS h06, account_days.h07 AS h07, account_days.h08 AS h08, account_days.h09 AS h09, account_days.h10 AS h10, account_days.h11 AS h11,
    account_days.h12 AS h12, account_days.h13 AS h13, account_days.h14 AS h14, account_days.h15 AS h15, account_days.h16 AS h16, account_days.h17 AS h17,
    account_days.h18 AS h18, account_days.h19 AS h19, account_days.h20 AS h20, account_days.h21 AS h21, account_days.h22 AS h22, account_days.h23 AS h23
FROM account_days
JOIN account_windows ON account_windows.account_key = account_days.account_key
WHERE account_windows.request_count >= $synchrony_min_requests
ORDER BY account_key, day
