-- The first request of each member from each address that its cluster shares: the rows behind a finding of shared addresses.
-- Which one is first is found on integers; only the rows of that instant are put in order, because members may share millions of requests.
-- grain: cluster, account_key, value_key
-- reads: requests, clusters, cluster_values
-- params: none
WITH shared AS (
    SELECT clusters.cluster AS cluster, clusters.account_key AS account_key, cluster_values.value_key AS value_key
    FROM clusters
    JOIN cluster_values ON cluster_values.cluster = clusters.cluster
    WHERE clusters.origin <> 'vouched' AND cluster_values.kind = 'ip' AND cluster_values.qualifies
),
counted AS (
    SELECT shared.cluster AS cluster, shared.account_key AS account_key, shared.value_key AS value_key, min(requests.ts_us) AS first_us, count(*) AS request_count
    FROM shared
    JOIN requests ON requests.account_key = shared.account_key AND requests.ip_key = shared.value_key
    GROUP BY shared.cluster, shared.account_key, shared.value_key
),
found AS (
    SELECT
        counted.cluster AS cluster,
        counted.account_key AS account_key,
        counted.value_key AS value_key,
        requests.request_id AS request_id,
        requests.source_file AS source_file,
        requests.source_row AS source_row,
        row_number() OVER (PARTITION BY counted.cluster, counted.account_key, counted.value_key ORDER BY requests.source_file, requests.source_row) AS place,
        counted.request_count AS request_count
    FROM counted
    JOIN requests ON requests.account_key = counted.account_key AND requests.ip_key = counted.value_key AND requests.ts_us = counted.first_us
)
SELECT cluster, account_key, value_key, request_id, source_file, source_row, request_count
FROM found
WHERE place = 1
ORDER BY cluster, account_key, value_key
