-- How often an account used its values of a kind: for each number of requests, the values used exactly so often. Counts of counts hold
-- all that distinct counts, entropies and top shares need, exactly, in few rows and in integers.
-- grain: kind, account_key, request_count
-- reads: entities, account_windows
-- params: none
SELECT
  entities.kind AS kind,
  entities.account_key AS account_key,
  entities.request_count AS request_count,
  count(*) AS value_count,
  CAST(sum(entities.day_count) AS BIGINT) AS value_day_count,
  count(CASE WHEN entities.first_day = fx_day(account_windows.first_us) THEN 1 END) AS first_day_count
FROM entities
JOIN account_windows ON account_windows.account_key = entities.account_key
WHERE entities.kind IN ('agent', 'api_key', 'asn', 'country', 'end_user', 'ip', 'ip_prefix', 'ja4', 'model', 'settings', 'system', 'tools')
GROUP BY entities.kind, entities.account_key, entities.request_count
ORDER BY entities.kind, entities.account_key, entities.request_count
