-- Sampled prompts without a key, or that stand for no request or for a negative number of shingles. Their lists are bounded where they are made, before they are written.
-- grain: account_key, prompt_key
-- reads: prompt_samples
-- params: none
SELECT account_key, prompt_key
FROM prompt_samples
WHERE
  account_key IS NULL
  OR prompt_key IS NULL
  OR request_count < 1
  OR shingle_count < 0
ORDER BY account_key, prompt_key
