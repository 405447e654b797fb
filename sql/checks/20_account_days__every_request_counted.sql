-- One row for each day whose account days hold more or fewer requests than the day, or whose gaps between requests do not span its accounts' first to last.
-- grain: epoch_day
-- reads: requests, account_days
-- params: none
WITH logged AS (
  SELECT fx_div(ts_us, 86400000000) AS epoch_day, count(*) AS request_count, CAST(coalesce(sum(gap_us), 0) AS BIGINT) AS gap_us
  FROM requests
  GROUP BY fx_div(ts_us, 86400000000)
),
counted AS (
  SELECT fx_epoch_day(day) AS epoch_day, CAST(sum(request_count) AS BIGINT) AS request_count, CAST(sum(last_us - first_us) AS BIGINT) AS gap_us
  FROM account_days
  GROUP BY fx_epoch_day(day)
)
SELECT
  coalesce(logged.epoch_day, counted.epoch_day) AS epoch_day,
  coalesce(logged.request_count, 0) AS request_count,
  coalesce(counted.request_count, 0) AS counted,
  coalesce(logged.gap_us, 0) AS gap_us,
  coalesce(counted.gap_us, 0) AS spanned_us
FROM logged
FULL OUTER JOIN counted ON counted.epoch_day = logged.epoch_day
WHERE
  coalesce(logged.request_count, 0) <> coalesce(counted.request_count, 0)
  OR coalesce(logged.gap_us, 0) <> coalesce(counted.gap_us, 0)
ORDER BY epoch_day
