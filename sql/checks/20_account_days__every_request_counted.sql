-- One row if the account days of a day hold more or fewer requests than the day.
-- grain: request_count
-- reads: requests, account_days
-- params: none
WITH logged AS (
  SELECT count(*) AS request_count
  FROM requests
),
counted AS (
  SELECT CAST(coalesce(sum(request_count), 0) AS BIGINT) AS request_count
  FROM account_days
)
SELECT logged.request_count AS request_count, counted.request_count AS counted
FROM logged
CROSS JOIN counted
WHERE logged.request_count <> counted.request_count
ORDER BY request_count
