-- Values that several members of a network hold and few others: kind, key, members and all entities that hold it, most members first.
-- grain: kind, value_key
-- reads: cluster_ids, cluster_values
-- params: network VARCHAR, least_members BIGINT
SELECT
  cluster_values.kind AS kind,
  cluster_values.value_key AS value_key,
  cluster_values.inside_count AS member_count,
  cluster_values.df AS holder_count
FROM cluster_values
JOIN cluster_ids ON cluster_ids.cluster = cluster_values.cluster
WHERE cluster_ids.network_id = $network AND cluster_values.qualifies AND cluster_values.inside_count >= $least_members
ORDER BY member_count DESC, holder_count, kind, value_key
