-- Long prompts that formed nothing (half 1), by who sent them: what repeated_prompts counts, for the networks of a run and for a group that is asked for afterwards.
-- grain: account_key, prompt_key
-- reads: window_samples
-- params: duplicate_min_chars BIGINT
SELECT account_key, prompt_key
FROM window_samples
WHERE prompt_key % 2 = 1 AND prompt_chars >= $duplicate_min_chars
ORDER BY account_key, prompt_key
