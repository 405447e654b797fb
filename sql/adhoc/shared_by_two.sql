-- What two accounts share, rarest first: the kind, the value's key, how many accounts hold it, and the requests of each with it.
-- grain: kind, value_key
-- reads: account_records, entities
-- params: account_a VARCHAR, account_b VARCHAR
WITH named AS (
  SELECT entities.kind AS kind, entities.value_key AS value_key, account_records.account_id AS account_id, entities.request_count AS request_count
  FROM entities
  JOIN account_records ON account_records.account_key = entities.account_key
),
shared AS (
  SELECT a.kind AS kind, a.value_key AS value_key, a.request_count AS requests_a, b.request_count AS requests_b
  FROM named AS a
  JOIN named AS b ON b.kind = a.kind AND b.value_key = a.value_key
  WHERE a.account_id = $account_a AND b.account_id = $account_b
),
holders AS (
  SELECT kind, value_key, count(*) AS account_count
  FROM entities
  GROUP BY kind, value_key
)
SELECT
  shared.kind AS kind,
  shared.value_key AS value_key,
  holders.account_count AS account_count,
  shared.requests_a AS requests_a,
  shared.requests_b AS requests_b
FROM shared
JOIN holders ON holders.kind = shared.kind AND holders.value_key = shared.value_key
ORDER BY account_count, kind, value_key
