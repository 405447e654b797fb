-- Account days whose parts do not make the whole: outcomes, hours, gaps and lengths each add up to the requests they describe.
-- grain: day, account_key
-- reads: account_days
-- params: none
SELECT day, account_key
FROM account_days
WHERE
  account_key IS NULL
  OR request_count < 1
  OR ok_count + error_count + rate_limited_count <> request_count
  OR h00 + h01 + h02 + h03 + h04 + h05 + h06 + h07 + h08 + h09 + h10 + h11 + h12 + h13 + h14 + h15 + h16 + h17 + h18 + h19 + h20 + h21 + h22 + h23 <> request_count
  OR g00 + g01 + g02 + g03 + g04 + g05 + g06 + g07 + g08 + g09 <> request_count - 1
  OR c00 + c01 + c02 + c03 + c04 + c05 + c06 + c07 + c08 + c09 <> prompt_known_count
  OR harvest_count > ok_count
  OR single_turn_count > message_known_count
  OR last_us - first_us < coalesce(longest_gap_us, 0)
  OR fx_day(first_us) <> day
  OR fx_day(last_us) <> day
ORDER BY day, account_key
