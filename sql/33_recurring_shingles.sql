-- Word 4-grams that recur in the sampled prompts of an account, whoever wrote them: its own wording and its client's. Apart for prompts
-- that form networks (half 0) and prompts that test them (half 1).
-- grain: account_key, half, shingle
-- reads: window_samples
-- params: habit_min_documents BIGINT, habit_min_share DOUBLE
WITH documents AS (
    SELECT account_key, prompt_key % 2 AS half, shingles
    FROM window_samples
    WHERE shingle_count > 0
),
totals AS (
    SELECT account_key, half, count(*) AS document_total
    FROM documents
    GROUP BY account_key, half
),
spread AS (
    SELECT account_key, half, CAST(fx_unnest(shingles) AS BIGINT) AS shingle
    FROM documents
),
counted AS (
    SELECT account_key, half, shingle, count(*) AS document_count
    FROM spread
    GROUP BY account_key, half, shingle
    HAVING count(*) >= $habit_min_documents
)
SELECT
    counted.account_key AS account_key,
    counted.half AS half,
    counted.shingle AS shingle,
    counted.document_count AS document_count,
    totals.document_total AS document_total
FROM counted
JOIN totals ON totals.account_key = counted.account_key AND totals.half = counted.half
WHERE CAST(counted.document_count AS DOUBLE) >= CAST($habit_min_share AS DOUBLE) * CAST(totals.document_total AS DOUBLE)
ORDER BY account_key, half, shingle
