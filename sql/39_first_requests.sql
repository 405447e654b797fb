-- The earliest sampled request of each account: the row that shows the account at work where the fact itself stands in the accounts table.
-- grain: account_key
-- reads: window_samples
-- params: none
WITH ordered AS (
    SELECT
        account_key, request_id, source_file, source_row,
        row_number() OVER (PARTITION BY account_key ORDER BY first_us, prompt_key) AS place
    FROM window_samples
)
SELECT account_key, request_id, source_file, source_row
FROM ordered
WHERE place = 1
ORDER BY account_key
