-- Windows whose parts do not make the whole. Gaps are one fewer than requests over the window too, because bridging gaps are in.
-- grain: account_key
-- reads: account_windows
-- params: none
SELECT account_key
FROM account_windows
WHERE
  account_key IS NULL
  OR active_days < 1
  OR request_count < active_days
  OR peak_day_count > request_count
  OR ok_count + error_count + rate_limited_count <> request_count
  OR g00 + g01 + g02 + g03 + g04 + g05 + g06 + g07 + g08 + g09 <> request_count - 1
  OR c00 + c01 + c02 + c03 + c04 + c05 + c06 + c07 + c08 + c09 <> prompt_known_count
  OR last_us - first_us < coalesce(longest_gap_us, 0)
  OR active_hours < active_days
  OR active_hours > 24 * active_days
ORDER BY account_key
