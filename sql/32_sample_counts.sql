-- Likeness among an account's sampled prompts, in integers. Two texts have the same smallest 4-gram hash with a probability equal to
-- their Jaccard similarity, so prompts that share theirs are near duplicates; words are sampled by hash (the lowest eighth of
-- 2^31), the same words for every prompt and account.
-- grain: account_key
-- reads: window_samples
-- params: none
WITH leads AS (
  SELECT account_key, fx_first(shingles) AS lead_shingle
  FROM window_samples
),
lead_counts AS (
  SELECT account_key, lead_shingle, count(*) AS prompt_count
  FROM leads
  GROUP BY account_key, lead_shingle
),
likeness AS (
  SELECT
    account_key,
    CAST(sum(prompt_count) AS BIGINT) AS sample_count,
    CAST(coalesce(sum(CASE WHEN lead_shingle IS NOT NULL THEN prompt_count END), 0) AS BIGINT) AS shingled_count,
    CAST(coalesce(sum(CASE WHEN lead_shingle IS NOT NULL AND prompt_count >= 2 THEN prompt_count END), 0) AS BIGINT) AS near_duplicate_count
  FROM lead_counts
  GROUP BY account_key
),
words AS (
  SELECT account_key, fx_unnest(tokens) AS token
  FROM window_samples
),
word_counts AS (
  SELECT account_key, token, count(*) AS prompt_count
  FROM words
  WHERE token < 268435456
  GROUP BY account_key, token
),
vocabulary AS (
  SELECT account_key, CAST(sum(prompt_count) AS BIGINT) AS token_count, count(*) AS distinct_token_count
  FROM word_counts
  GROUP BY account_key
)
SELECT
  likeness.account_key AS account_key,
  likeness.sample_count AS sample_count,
  likeness.shingled_count AS shingled_count,
  likeness.near_duplicate_count AS near_duplicate_count,
  coalesce(vocabulary.token_count, 0) AS token_count,
  coalesce(vocabulary.distinct_token_count, 0) AS distinct_token_count
FROM likeness
LEFT JOIN vocabulary ON vocabulary.account_key = likeness.account_key
ORDER BY likeness.account_key
