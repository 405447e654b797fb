-- Sampled prompts of networks that a gate family admits, and of accounts to compare them with: those with the smallest keys outside every network (keys are hashes, so that
-- is a random choice which every run repeats).
-- grain: account_key, prompt_key
-- reads: window_samples, clusters, cluster_families, account_records
-- params: pool_controls BIGINT
WITH admitted AS (
  SELECT DISTINCT cluster
  FROM cluster_families
  WHERE admitted
),
members AS (
  SELECT clusters.account_key AS account_key
  FROM clusters
  JOIN admitted ON admitted.cluster = clusters.cluster
),
networked AS (
  SELECT account_key
  FROM clusters
  WHERE origin = 'network'
),
outside AS (
  SELECT records.account_key AS account_key, row_number() OVER (ORDER BY records.account_key) AS place
  FROM account_records AS records
  LEFT JOIN networked ON networked.account_key = records.account_key
  WHERE networked.account_key IS NULL
),
asked AS (
  SELECT account_key FROM members
  UNION ALL
  SELECT outside.account_key
  FROM outside
  CROSS JOIN (SELECT count(*) AS member_total FROM members) AS needed
  WHERE outside.place <= $pool_controls AND needed.member_total > 0
)
SELECT
  samples.account_key AS account_key,
  samples.prompt_key AS prompt_key,
  samples.request_count AS request_count,
  fx_div(samples.output_tokens, samples.request_count) AS output_tokens,
  samples.max_message_count AS max_message_count,
  samples.request_id AS request_id,
  samples.source_file AS source_file,
  samples.source_row AS source_row
FROM window_samples AS samples
JOIN asked ON asked.account_key = samples.account_key
ORDER BY samples.account_key, samples.prompt_key
