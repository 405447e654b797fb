-- Sampled prompts whose lists are longer than their bound, or that stand for no request.
-- grain: account_key, prompt_key
-- reads: prompt_samples
-- params: none
SELECT account_key, prompt_key
FROM prompt_samples
WHERE
  account_key IS NULL
  OR prompt_key IS NULL
  OR request_count < 1
  OR fx_size(shingles) > 48
  OR fx_size(shingles) > shingle_count
  OR fx_size(tokens) > 32
ORDER BY account_key, prompt_key
