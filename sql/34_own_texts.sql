-- How much of an account's sampled prompts is its own text: what is left when a public client's leading text is taken off.
-- grain: account_key
-- reads: window_samples, prompt_preambles
-- params: none
WITH texts AS (
    SELECT
        samples.account_key AS account_key,
        samples.prompt_words - coalesce(opened.preamble_words, 0) AS own_words,
        CASE WHEN opened.prompt_key IS NULL THEN 0 ELSE 1 END AS is_opened
    FROM window_samples AS samples
    LEFT JOIN prompt_preambles AS opened ON opened.account_key = samples.account_key AND opened.prompt_key = samples.prompt_key
    WHERE samples.prompt_words IS NOT NULL
)
SELECT
    account_key,
    count(*) AS prompt_count,
    CAST(sum(is_opened) AS BIGINT) AS preamble_count,
    round(fx_quantile(own_words, 5e-1), 6) AS own_words_median
FROM texts
GROUP BY account_key
ORDER BY account_key
