-- The first request of each member in each conversation that its cluster shares and that was handed on: the rows behind a finding of handed-on conversations.
-- grain: cluster, account_key, session_key
-- reads: session_days, handoffs, clusters, cluster_values
-- params: none
WITH shared AS (
    SELECT
        clusters.cluster AS cluster,
        clusters.account_key AS account_key,
        handoffs.session_key AS session_key,
        handoffs.request_count AS request_count
    FROM clusters
    JOIN cluster_values ON cluster_values.cluster = clusters.cluster
    JOIN handoffs ON handoffs.account_key = clusters.account_key AND handoffs.session_key = cluster_values.value_key
    WHERE clusters.origin <> 'vouched' AND cluster_values.kind = 'handoff' AND cluster_values.qualifies
),
found AS (
    SELECT
        shared.cluster AS cluster,
        shared.account_key AS account_key,
        shared.session_key AS session_key,
        session_days.request_id AS request_id,
        session_days.source_file AS source_file,
        session_days.source_row AS source_row,
        shared.request_count AS request_count,
        row_number() OVER (PARTITION BY shared.cluster, shared.account_key, shared.session_key ORDER BY session_days.first_us) AS place
    FROM shared
    JOIN session_days ON session_days.session_key = shared.session_key AND session_days.account_key = shared.account_key
)
SELECT cluster, account_key, session_key, request_id, source_file, source_row, request_count
FROM found
WHERE place = 1
ORDER BY cluster, account_key, session_key
