-- An account's requests by weekday (0 Monday .. 6 Sunday, UTC) and hour of the day over the window.
-- grain: account_key, weekday
-- reads: account_days
-- params: none
WITH dated AS (
  SELECT
    account_key,
    (fx_epoch_day(day) + 3) % 7 AS weekday,
    request_count,
    h00, h01, h02, h03, h04, h05, h06, h07, h08, h09, h10, h11,
    h12, h13, h14, h15, h16, h17, h18, h19, h20, h21, h22, h23
  FROM account_days
)
SELECT
  account_key,
  weekday,
  CAST(sum(request_count) AS BIGINT) AS request_count,
  CAST(sum(h00) AS BIGINT) AS h00,
  CAST(sum(h01) AS BIGINT) AS h01,
  CAST(sum(h02) AS BIGINT) AS h02,
  CAST(sum(h03) AS BIGINT) AS h03,
  CAST(sum(h04) AS BIGINT) AS h04,
  CAST(sum(h05) AS BIGINT) AS h05,
  CAST(sum(h06) AS BIGINT) AS h06,
  CAST(sum(h07) AS BIGINT) AS h07,
  CAST(sum(h08) AS BIGINT) AS h08,
  CAST(sum(h09) AS BIGINT) AS h09,
  CAST(sum(h10) AS BIGINT) AS h10,
  CAST(sum(h11) AS BIGINT) AS h11,
  CAST(sum(h12) AS BIGINT) AS h12,
  CAST(sum(h13) AS BIGINT) AS h13,
  CAST(sum(h14) AS BIGINT) AS h14,
  CAST(sum(h15) AS BIGINT) AS h15,
  CAST(sum(h16) AS BIGINT) AS h16,
  CAST(sum(h17) AS BIGINT) AS h17,
  CAST(sum(h18) AS BIGINT) AS h18,
  CAST(sum(h19) AS BIGINT) AS h19,
  CAST(sum(h20) AS BIGINT) AS h20,
  CAST(sum(h21) AS BIGINT) AS h21,
  CAST(sum(h22) AS BIGINT) AS h22,
  CAST(sum(h23) AS BIGINT) AS h23
FROM dated
GROUP BY account_key, weekday
ORDER BY account_key, weekday
