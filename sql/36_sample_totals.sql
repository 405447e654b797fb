-- Sampled prompts of an account that were kept out of clustering (half 1), templated or not.
-- grain: account_key
-- reads: window_samples
-- params: none
SELECT account_key, count(*) AS document_count
FROM window_samples
WHERE prompt_key % 2 = 1
GROUP BY account_key
ORDER BY account_key
