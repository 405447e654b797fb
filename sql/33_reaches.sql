-- How much of the range of 4-gram hashes the prompts of an account show, in 64 equal parts. A sample keeps the 48 smallest hashes of a prompt, so a 4-gram with a
-- large one is seen in short prompts only: whoever writes long ones may well use it. A part counts if so many prompts (of the half that forms
-- networks) as make a habit show it whole; the shortest ones are asked. A prompt with no more than 48 shows all.
-- grain: account_key
-- reads: window_samples
-- params: habit_min_documents BIGINT
WITH ranked AS (
    SELECT account_key, prompt_key, row_number() OVER (PARTITION BY account_key ORDER BY shingle_count, prompt_key) AS place
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND shingle_count > 0
),
spread AS (
    SELECT samples.account_key AS account_key, samples.prompt_key AS prompt_key, samples.shingle_count AS shingle_count, CAST(fx_unnest(samples.shingles) AS BIGINT) AS shingle
    FROM ranked
    JOIN window_samples AS samples ON samples.account_key = ranked.account_key AND samples.prompt_key = ranked.prompt_key
    WHERE ranked.place <= $habit_min_documents
),
shown AS (
    SELECT account_key, prompt_key, CASE WHEN max(shingle_count) <= 48 THEN CAST(64 AS BIGINT) ELSE fx_div(max(shingle), 33554432) END AS levels
    FROM spread
    GROUP BY account_key, prompt_key
)
SELECT account_key, min(levels) AS levels
FROM shown
GROUP BY account_key
HAVING count(*) = $habit_min_documents
ORDER BY account_key
