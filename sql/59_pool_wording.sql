-- Word 4-grams of the prompts in pool_documents that three or more of the accounts use; what a public client brings is left out.
-- grain: account_key, prompt_key, shingle
-- reads: window_samples, pool_documents, client_wording
-- params: none
WITH texts AS (
  SELECT samples.account_key AS account_key, samples.prompt_key AS prompt_key, samples.shingles AS shingles
  FROM window_samples AS samples
  JOIN pool_documents ON pool_documents.account_key = samples.account_key AND pool_documents.prompt_key = samples.prompt_key
),
spread AS (
  SELECT account_key, prompt_key, CAST(fx_unnest(shingles) AS BIGINT) AS shingle
  FROM texts
),
brought AS (
  SELECT value_key
  FROM client_wording
  WHERE kind = 'template'
),
common AS (
  SELECT spread.shingle AS shingle
  FROM spread
  LEFT JOIN brought ON brought.value_key = spread.shingle
  WHERE brought.value_key IS NULL
  GROUP BY spread.shingle
  HAVING count(DISTINCT spread.account_key) >= 3
)
SELECT spread.account_key AS account_key, spread.prompt_key AS prompt_key, spread.shingle AS shingle
FROM spread
JOIN common ON common.shingle = spread.shingle
ORDER BY spread.account_key, spread.prompt_key, spread.shingle
