-- What two accounts share, rarest first: the kind, the value's key, how many accounts hold it, and the requests of each with it.
-- grain: kind, value_key
-- reads: accounts, account_entities
-- params: account_a VARCHAR, account_b VARCHAR
WITH named AS (
  SELECT
    account_entities.kind AS kind,
    account_entities.value_key AS value_key,
    CAST(sum(CASE WHEN accounts.account_id = $account_a THEN account_entities.request_count ELSE 0 END) AS BIGINT) AS requests_a,
    CAST(sum(CASE WHEN accounts.account_id = $account_b THEN account_entities.request_count ELSE 0 END) AS BIGINT) AS requests_b
  FROM account_entities
  JOIN accounts ON accounts.account_key = account_entities.account_key
  WHERE accounts.account_id = $account_a OR accounts.account_id = $account_b
  GROUP BY account_entities.kind, account_entities.value_key
),
shared AS (
  SELECT kind, value_key, requests_a, requests_b
  FROM named
  WHERE requests_a > 0 AND requests_b > 0
),
holders AS (
  SELECT account_entities.kind AS kind, account_entities.value_key AS value_key, count(DISTINCT account_entities.account_key) AS account_count
  FROM account_entities
  JOIN shared ON shared.kind = account_entities.kind AND shared.value_key = account_entities.value_key
  GROUP BY account_entities.kind, account_entities.value_key
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
