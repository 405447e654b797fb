-- Leading texts that recur: the first 8, 16, 32, 64, 128 or 256 words with which enough sampled prompts of an account begin, where accounts of two
-- or more entities do so. One prompt repeated is no leading text: the prompts of a sample differ from each other. Openings (the first rung) are
-- counted alone and first: most prompts begin like no other one, and their ladders need not be climbed.
-- grain: prefix_key, account_key
-- reads: window_samples, account_records
-- params: habit_min_documents BIGINT
WITH openings AS (
    SELECT account_key, fx_first(prefixes) AS opening_key
    FROM window_samples
    GROUP BY account_key, fx_first(prefixes)
    HAVING count(*) >= $habit_min_documents
),
rungs AS (
    SELECT samples.account_key AS account_key, fx_unnest(samples.prefixes) AS prefix_key
    FROM window_samples AS samples
    JOIN openings ON openings.account_key = samples.account_key AND openings.opening_key = fx_first(samples.prefixes)
),
repeated AS (
    SELECT prefix_key, account_key, count(*) AS document_count
    FROM rungs
    GROUP BY prefix_key, account_key
    HAVING count(*) >= $habit_min_documents
),
people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
spread AS (
    SELECT repeated.prefix_key AS prefix_key
    FROM repeated
    JOIN people ON people.account_key = repeated.account_key
    GROUP BY repeated.prefix_key
    HAVING count(DISTINCT people.entity_key) >= 2
)
SELECT repeated.prefix_key AS prefix_key, repeated.account_key AS account_key, repeated.document_count AS document_count
FROM repeated
JOIN spread ON spread.prefix_key = repeated.prefix_key
ORDER BY repeated.prefix_key, repeated.account_key
