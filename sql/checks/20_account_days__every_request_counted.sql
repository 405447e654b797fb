-- One row for each day whose account days hold more or fewer requests than the day.
-- grain: epoch_day
-- reads: requests, account_days
-- params: none
WITH logged AS (
  SELECT fx_div(ts_us, 86400000000) AS epoch_day, count(*) AS request_count
  FROM requests
  GROUP BY fx_div(ts_us, 86400000000)
),
counted AS (
  SELECT fx_epoch_day(day) AS epoch_day, CAST(sum(request_count) AS BIGINT) AS request_count
  FROM account_days
  GROUP BY fx_epoch_day(day)
)
SELECT
  coalesce(logged.epoch_day, counted.epoch_day) AS epoch_day,
  coalesce(logged.request_count, 0) AS request_count,
  coalesce(counted.request_count, 0) AS counted
FROM logged
FULL OUTER JOIN counted ON counted.epoch_day = logged.epoch_day
WHERE coalesce(logged.request_count, 0) <> coalesce(counted.request_count, 0)
ORDER BY epoch_day
