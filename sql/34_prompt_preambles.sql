-- Sampled prompts that begin with a public client's leading text, and how many of their words are that text; a prompt that is not listed has 0 of them.
-- grain: account_key, prompt_key
-- reads: window_samples, preambles
-- params: none
WITH known AS (
    SELECT prefix_key, opening_key, words
    FROM preambles
    WHERE is_client
),
openings AS (
    SELECT DISTINCT opening_key
    FROM known
),
opened AS (
    SELECT samples.account_key AS account_key, samples.prompt_key AS prompt_key, samples.prefixes AS prefixes
    FROM window_samples AS samples
    JOIN openings ON openings.opening_key = fx_first(samples.prefixes)
),
rungs AS (
    SELECT account_key, prompt_key, fx_unnest(prefixes) AS prefix_key
    FROM opened
)
SELECT rungs.account_key AS account_key, rungs.prompt_key AS prompt_key, max(known.words) AS preamble_words
FROM rungs
JOIN known ON known.prefix_key = rungs.prefix_key
GROUP BY rungs.account_key, rungs.prompt_key
ORDER BY rungs.account_key, rungs.prompt_key
