-- Sampled prompts of the accounts that each network is compared with, and the hashes of their words: what they ask for is the ground of what the network's prompts ask for.
-- grain: network_id, account_key, prompt_key
-- reads: window_samples, cluster_controls, cluster_ids
-- params: none
SELECT
  cluster_ids.network_id AS network_id,
  samples.account_key AS account_key,
  samples.prompt_key AS prompt_key,
  samples.request_count AS request_count,
  samples.tokens AS tokens
FROM cluster_controls AS controls
JOIN cluster_ids ON cluster_ids.cluster = controls.cluster
JOIN window_samples AS samples ON samples.account_key = controls.account_key
ORDER BY cluster_ids.network_id, samples.account_key, samples.prompt_key
