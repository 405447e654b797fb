-- Sampled prompts of the window: of each account the prompts with the smallest keys over all its days, equal prompts added up, with the
-- request that was first (ties by file, then row). Keys are picked alone and first, and what is wide is read last, because whatever
-- is held while rows are ranked stays in memory. A prompt counts only on the days on which it was sampled.
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
sightings AS (
  SELECT
    prompt_samples.account_key AS account_key,
    prompt_samples.prompt_key AS prompt_key,
    prompt_samples.request_count AS request_count,
    prompt_samples.output_tokens AS output_tokens,
    prompt_samples.max_message_count AS max_message_count,
    prompt_samples.source_file AS source_file,
    prompt_samples.source_row AS source_row,
    row_number() OVER (
      PARTITION BY prompt_samples.account_key, prompt_samples.prompt_key
      ORDER BY prompt_samples.first_us, prompt_samples.source_file, prompt_samples.source_row
    ) AS place
  FROM prompt_samples
  JOIN kept ON kept.account_key = prompt_samples.account_key AND kept.prompt_key = prompt_samples.prompt_key
),
totals AS (
  SELECT
    account_key,
    prompt_key,
    CAST(sum(request_count) AS BIGINT) AS request_count,
    CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
    max(max_message_count) AS max_message_count,
    max(CASE WHEN place = 1 THEN source_file END) AS source_file,
    max(CASE WHEN place = 1 THEN source_row END) AS source_row
  FROM sightings
  GROUP BY account_key, prompt_key
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
  AND prompt_samples.source_file = totals.source_file
  AND prompt_samples.source_row = totals.source_row
ORDER BY totals.account_key, totals.prompt_key
