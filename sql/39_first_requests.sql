-- The earliest request of each account: the row that shows the account at work where the fact itself stands in the accounts table.
-- grain: account_key
-- reads: requests
-- params: none
WITH starts AS (
    SELECT account_key, min(ts_us) AS first_us
    FROM requests
    GROUP BY account_key
),
ordered AS (
    SELECT
        requests.account_key AS account_key,
        requests.request_id AS request_id,
        requests.source_file AS source_file,
        requests.source_row AS source_row,
        row_number() OVER (PARTITION BY requests.account_key ORDER BY requests.request_id, requests.source_file, requests.source_row) AS place
    FROM requests
    JOIN starts ON starts.account_key = requests.account_key AND starts.first_us = requests.ts_us
)
SELECT account_key, request_id, source_file, source_row
FROM ordered
WHERE place = 1
ORDER BY account_key
