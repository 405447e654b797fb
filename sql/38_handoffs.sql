-- Conversations that were handed on: one id on the accounts of several entities, each turn within the hour of the one before, most accounts going on with what another began.
-- Where turns are not counted, the id must read as drawn at random. Ids that come back on a third day are hard-coded, those of many accounts are common
-- property. Scripts that count their sessions meet now and then: an account counts only if at least so large a share of the ids that it shares was handed on.
-- Even halves make links and clusters; odd ones are kept out to test them.
-- grain: session_key, account_key
-- reads: session_days, account_records
-- params: handoff_max_accounts BIGINT, handoff_min_share DOUBLE
WITH used AS (
  SELECT
    session_days.session_key AS session_key,
    session_days.account_key AS account_key,
    CASE WHEN records.is_vouched AND records.organization_key IS NOT NULL THEN records.organization_key ELSE records.account_key END AS entity_key,
    session_days.day AS day,
    session_days.request_count AS request_count,
    session_days.taken_count AS taken_count,
    session_days.near_count AS near_count,
    session_days.is_continued AS is_continued,
    session_days.is_opaque AS is_opaque
  FROM session_days
  JOIN account_records AS records ON records.account_key = session_days.account_key
),
sessions AS (
  SELECT session_key
  FROM used
  GROUP BY session_key
  HAVING count(DISTINCT entity_key) >= 2
  AND count(DISTINCT account_key) <= $handoff_max_accounts
  AND count(DISTINCT day) <= 2
  AND max(taken_count - near_count) = 0
  AND CASE WHEN count(is_continued) > 0 THEN 2 * count(CASE WHEN is_continued THEN 1 END) >= count(is_continued) ELSE min(CASE WHEN is_opaque THEN 1 ELSE 0 END) = 1 END
),
holders AS (
  SELECT
    used.account_key AS account_key,
    used.session_key AS session_key,
    CAST(sum(used.request_count) AS BIGINT) AS request_count,
    count(sessions.session_key) AS handed_days
  FROM used
  LEFT JOIN sessions ON sessions.session_key = used.session_key
  GROUP BY used.account_key, used.session_key
),
reliable AS (
  SELECT account_key
  FROM holders
  GROUP BY account_key
  HAVING CAST(count(CASE WHEN handed_days > 0 THEN 1 END) AS DOUBLE) >= $handoff_min_share * CAST(count(*) AS DOUBLE)
)
SELECT
  holders.session_key AS session_key,
  holders.account_key AS account_key,
  holders.request_count AS request_count,
  CAST(holders.session_key % 2 AS INTEGER) AS half
FROM holders
JOIN reliable ON reliable.account_key = holders.account_key
WHERE holders.handed_days > 0
ORDER BY holders.session_key, holders.account_key
