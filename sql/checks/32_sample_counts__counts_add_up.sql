-- Sample counts that cannot be: more near duplicates than prompts with 4-grams, a single near duplicate, more distinct words than words.
-- grain: account_key
-- reads: sample_counts
-- params: none
SELECT account_key
FROM sample_counts
WHERE sample_count < 1 OR shingled_count > sample_count OR near_duplicate_count > shingled_count OR near_duplicate_count = 1 OR distinct_token_count > token_count
ORDER BY account_key
