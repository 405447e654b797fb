-- The whole ladder of one prompt for each leading text: its place in it says how many words it is, and which shorter text it goes on from.
-- grain: prefix_key
-- reads: leads, window_samples
-- params: none
WITH examples AS (
    SELECT prefix_key, min(account_key) AS account_key
    FROM leads
    GROUP BY prefix_key
),
accounts AS (
    SELECT DISTINCT account_key
    FROM examples
),
rungs AS (
    SELECT samples.account_key AS account_key, samples.prompt_key AS prompt_key, fx_unnest(samples.prefixes) AS prefix_key
    FROM window_samples AS samples
    JOIN accounts ON accounts.account_key = samples.account_key
),
chosen AS (
    SELECT rungs.prefix_key AS prefix_key, rungs.account_key AS account_key, min(rungs.prompt_key) AS prompt_key
    FROM rungs
    JOIN examples ON examples.prefix_key = rungs.prefix_key AND examples.account_key = rungs.account_key
    GROUP BY rungs.prefix_key, rungs.account_key
)
SELECT chosen.prefix_key AS prefix_key, samples.prefixes AS prefixes
FROM chosen
JOIN window_samples AS samples ON samples.account_key = chosen.account_key AND samples.prompt_key = chosen.prompt_key
ORDER BY chosen.prefix_key
