-- Rows of requests that lack a key, a time, an id or a source. That each is of its day is read off the files' statistics.
-- grain: source_file, source_row
-- reads: requests
-- params: none
SELECT source_file, source_row
FROM requests
WHERE
  account_key IS NULL
  OR ts_us IS NULL
  OR request_id IS NULL
  OR source_file IS NULL
  OR source_row IS NULL
ORDER BY source_file, source_row
