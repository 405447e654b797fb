-- What each account sent in the week before a model appeared and in the 24 hours after: how much, and how much of it to that model. Models appear when the provider
-- says so; where it says nothing, at their first request, if that came three days into the log and twenty accounts used the model within a day, because a name that one
-- account tries is no release. An account counts if it sent requests before, none of them to that model.
-- grain: model, account_key
-- reads: requests, context_events
-- params: none
WITH spans AS (
  SELECT min(ts_us) + 259200000000 AS earliest_us, max(ts_us) AS last_us
  FROM requests
),
given AS (
  SELECT model, min(at_us) AS released_us
  FROM context_events
  WHERE kind = 'release'
  GROUP BY model
),
told AS (
  SELECT count(*) AS release_count
  FROM given
),
sights AS (
  SELECT model, min(ts_us) AS released_us
  FROM requests
  WHERE model IS NOT NULL
  GROUP BY model
),
fresh AS (
  SELECT sights.model AS model, sights.released_us AS released_us
  FROM sights
  CROSS JOIN spans
  CROSS JOIN told
  WHERE sights.released_us >= spans.earliest_us AND told.release_count = 0
),
taken AS (
  SELECT fresh.model AS model, fresh.released_us AS released_us
  FROM fresh
  JOIN requests ON requests.model = fresh.model
  WHERE requests.ts_us < fresh.released_us + 86400000000
  GROUP BY fresh.model, fresh.released_us
  HAVING count(DISTINCT requests.account_key) >= 20
),
releases AS (
  SELECT given.model AS model, given.released_us AS released_us
  FROM given
  CROSS JOIN spans
  WHERE given.released_us >= spans.earliest_us AND given.released_us <= spans.last_us
  UNION ALL
  SELECT model, released_us
  FROM taken
),
near AS (
  SELECT
    releases.model AS model,
    requests.account_key AS account_key,
    requests.ts_us AS ts_us,
    requests.ts_us >= releases.released_us AS is_after,
    coalesce(requests.model = releases.model, FALSE) AS is_new,
    requests.request_id AS request_id,
    requests.source_file AS source_file,
    requests.source_row AS source_row
  FROM requests
  CROSS JOIN releases
  WHERE requests.ts_us >= releases.released_us - 604800000000 AND requests.ts_us < releases.released_us + 86400000000
),
counts AS (
  SELECT
    model,
    account_key,
    CAST(sum(CASE WHEN is_after THEN 0 ELSE 1 END) AS BIGINT) AS before_count,
    CAST(sum(CASE WHEN is_after THEN 1 ELSE 0 END) AS BIGINT) AS after_count,
    CAST(sum(CASE WHEN is_after AND is_new THEN 1 ELSE 0 END) AS BIGINT) AS new_count,
    CAST(sum(CASE WHEN is_new AND NOT is_after THEN 1 ELSE 0 END) AS BIGINT) AS early_count
  FROM near
  GROUP BY model, account_key
),
ordered AS (
  SELECT model, account_key, request_id, source_file, source_row, row_number() OVER (PARTITION BY model, account_key ORDER BY ts_us, request_id, source_file, source_row) AS place
  FROM near
  WHERE is_after AND is_new
)
SELECT
  counts.model AS model,
  counts.account_key AS account_key,
  counts.before_count AS before_count,
  counts.after_count AS after_count,
  counts.new_count AS new_count,
  ordered.request_id AS request_id,
  ordered.source_file AS source_file,
  ordered.source_row AS source_row
FROM counts
LEFT JOIN ordered ON ordered.model = counts.model AND ordered.account_key = counts.account_key AND ordered.place = 1
WHERE counts.before_count > 0 AND counts.after_count > 0 AND counts.early_count = 0
ORDER BY counts.model, counts.account_key
