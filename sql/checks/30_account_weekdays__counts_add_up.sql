-- Weekdays that do not exist, or whose hours do not add up to their requests.
-- grain: account_key, weekday
-- reads: account_weekdays
-- params: none
SELECT account_key, weekday
FROM account_weekdays
WHERE account_key IS NULL OR weekday < 0 OR weekday > 6 OR h00 + h01 + h02 + h03 + h04 + h05 + h06 + h07 + h08 + h09 + h10 + h11 + h12 + h13 + h14 + h15 + h16 + h17 + h18 + h19 + h20 + h21 + h22 + h23 <> request_count
ORDER BY account_key, weekday
