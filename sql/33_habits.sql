-- Habits of an account: the word 4-grams that recur in its prompts and that no public client wrote (client_wording). All that wording
-- can show about an account rests on these: links, templated prompts, the test on prompts kept apart.
-- grain: account_key, half, shingle
-- reads: recurring_shingles, client_wording
-- params: none
WITH discounted AS (
    SELECT value_key
    FROM client_wording
    WHERE kind = 'template'
)
SELECT
    recurring.account_key AS account_key,
    recurring.half AS half,
    recurring.shingle AS shingle,
    recurring.document_count AS document_count,
    recurring.document_total AS document_total
FROM recurring_shingles AS recurring
LEFT JOIN discounted ON discounted.value_key = recurring.shingle
WHERE discounted.value_key IS NULL
ORDER BY recurring.account_key, recurring.half, recurring.shingle
