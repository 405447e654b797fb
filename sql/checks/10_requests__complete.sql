-- Rows of a day's requests that lack a key, a time, an id or a source, or that belong to another UTC day than the first one of the table.
-- grain: source_file, source_row
-- reads: requests
-- params: none
WITH day AS (
  SELECT fx_div(min(ts_us), 86400000000) AS epoch_day
  FROM requests
)
SELECT requests.source_file AS source_file, requests.source_row AS source_row
FROM requests
CROSS JOIN day
WHERE
  requests.account_key IS NULL
  OR requests.ts_us IS NULL
  OR requests.request_id IS NULL
  OR requests.source_file IS NULL
  OR requests.source_row IS NULL
  OR fx_div(requests.ts_us, 86400000000) <> day.epoch_day
ORDER BY source_file, source_row
