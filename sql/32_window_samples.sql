-- Sampled prompts of the window: of each account the prompts with the smallest keys over all its days, equal prompts added up, with the
-- request that was first; no two days share a time, so its time names it. Keys are picked alone and first, and what is wide is read last,
-- because whatever is held while rows are ranked stays in memory. A prompt counts only on the days on which it was sampled.
-- grain: account_key, prompt_key
-- reads: prompt_samples
-- params: samples_per_account BIGINT
WITH prompts AS (
  SELECT DISTINCT account_key, prompt_key
  FROM prompt_samples
),
ranked AS (
  SELECT account_key, prompt_key, row_number() OVER (PARTITION BY account_key ORDER BY prompt_key) AS place
  FROM prompts
),
kept AS (
  SELECT account_key, prompt_key
  FROM ranked
  WHERE place <= $samples_per_account
),
totals AS (
  SELECT
    prompt_samples.account_key AS account_key,
    prompt_samples.prompt_key AS prompt_key,
    CAST(sum(prompt_samples.request_count) AS BIGINT) AS request_count,
    CAST(sum(prompt_samples.output_tokens) AS BIGINT) AS output_tokens,
    max(prompt_samples.max_message_count) AS max_message_count,
    min(prompt_samples.first_us) AS first_us
  FROM prompt_samples
  JOIN kept ON kept.account_key = prompt_samples.account_key AND kept.prompt_key = prompt_samples.prompt_key
  GROUP BY prompt_samples.account_key, prompt_samples.prompt_key
)
SELECT
  totals.account_key AS account_key,
  totals.prompt_key AS prompt_key,
  prompt_samples.skeleton_key AS skeleton_key,
  totals.request_count AS request_count,
  totals.output_tokens AS output_tokens,
  totals.max_message_count AS max_message_count,
  prompt_samples.first_us AS first_us,
  prompt_samples.request_id AS request_id,
  prompt_samples.source_file AS source_file,
  prompt_samples.source_row AS source_row,
  prompt_samples.prompt_chars AS prompt_chars,
  prompt_samples.prompt_words AS prompt_words,
  prompt_samples.shingles AS shingles,
  prompt_samples.shingle_count AS shingle_count,
  prompt_samples.tokens AS tokens,
  prompt_samples.prefixes AS prefixes
FROM totals
JOIN prompt_samples
  ON prompt_samples.account_key = totals.account_key
  AND prompt_samples.prompt_key = totals.prompt_key
  AND prompt_samples.first_us = totals.first_us
ORDER BY totals.account_key, totals.prompt_key
