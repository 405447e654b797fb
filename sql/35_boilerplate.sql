-- Sampled prompts kept out of clustering (half 1) that carry the account's own recurring wording (habits of half 0), with what came back.
-- An account's wording is learned on one half of its prompts and looked for in the other, so that what is judged did not choose itself.
-- What a template is filled with is known by its smallest 4-gram that is no such wording: accounts that fill different templates with one text have it in common.
-- grain: account_key, prompt_key
-- reads: window_samples, habits
-- params: template_min_shingles BIGINT
WITH learned AS (
    SELECT account_key, shingle
    FROM habits
    WHERE half = 0
),
templated AS (
    SELECT DISTINCT account_key
    FROM learned
),
documents AS (
    SELECT
        samples.account_key AS account_key,
        samples.prompt_key AS prompt_key,
        samples.request_count AS request_count,
        samples.output_tokens AS output_tokens,
        samples.max_message_count AS max_message_count,
        samples.first_us AS first_us,
        samples.request_id AS request_id,
        samples.source_file AS source_file,
        samples.source_row AS source_row,
        samples.shingles AS shingles
    FROM window_samples AS samples
    JOIN templated ON templated.account_key = samples.account_key
    WHERE samples.prompt_key % 2 = 1
),
spread AS (
    SELECT account_key, prompt_key, fx_unnest(shingles) AS shingle
    FROM documents
),
matched AS (
    SELECT
        spread.account_key AS account_key,
        spread.prompt_key AS prompt_key,
        count(learned.shingle) AS habit_count,
        min(CASE WHEN learned.shingle IS NULL THEN spread.shingle END) AS item_shingle
    FROM spread
    LEFT JOIN learned ON learned.account_key = spread.account_key AND learned.shingle = spread.shingle
    GROUP BY spread.account_key, spread.prompt_key
    HAVING count(learned.shingle) >= $template_min_shingles
)
SELECT
    documents.account_key AS account_key,
    documents.prompt_key AS prompt_key,
    matched.habit_count AS habit_count,
    documents.request_count AS request_count,
    fx_div(documents.output_tokens, documents.request_count) AS output_tokens,
    documents.max_message_count AS max_message_count,
    matched.item_shingle AS item_shingle,
    documents.first_us AS first_us,
    documents.request_id AS request_id,
    documents.source_file AS source_file,
    documents.source_row AS source_row
FROM documents
JOIN matched ON matched.account_key = documents.account_key AND matched.prompt_key = documents.prompt_key
ORDER BY account_key, prompt_key
