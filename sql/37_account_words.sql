-- Words of an account's prompts, those that form networks (half 0) and those kept out to test them (half 1) apart, for common topics. Half 0 is asked only of accounts
-- with a rewritten client and of others to compare with, those with the smallest keys (a random choice that every run repeats). Prompts that begin with a public
-- client's leading text are left out: its words are the client's. Words are sampled by hash (the lowest eighth of 2^31), the same for every prompt and account.
-- grain: account_key, half, token
-- reads: window_samples, prompt_preambles, rewritten_clients, account_records
-- params: pool_controls BIGINT
WITH ranked AS (
  SELECT account_key, row_number() OVER (ORDER BY account_key) AS place
  FROM account_records
),
asked AS (
  SELECT account_key FROM rewritten_clients
  UNION
  SELECT account_key FROM ranked WHERE place <= $pool_controls
),
texts AS (
  SELECT samples.account_key AS account_key, samples.prompt_key % 2 AS half, samples.tokens AS tokens
  FROM window_samples AS samples
  LEFT JOIN prompt_preambles AS opened ON opened.account_key = samples.account_key AND opened.prompt_key = samples.prompt_key
  LEFT JOIN asked ON asked.account_key = samples.account_key
  WHERE opened.prompt_key IS NULL AND (samples.prompt_key % 2 = 1 OR asked.account_key IS NOT NULL)
),
words AS (
  SELECT account_key, half, CAST(fx_unnest(tokens) AS BIGINT) AS token
  FROM texts
)
SELECT account_key, half, token, count(*) AS document_count
FROM words
WHERE token < 268435456
GROUP BY account_key, half, token
ORDER BY account_key, half, token
