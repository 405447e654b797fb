-- How fast the conversations of networks' members, and of their matched controls, go on. A later turn is a request with two messages more than the account's request before
-- it on the same UTC day: an answer and what was sent back. It came at once if less than two seconds lie between the end of that answer and it, or if it did not wait for
-- the end: nobody reads an answer and writes on in so little time. What a program sends back for the model's own use is left out: turns after a call of a tool, and
-- turns that offer tools. So are turns after an answer of unknown duration, and of another session where both name one. Conversations that an account holds side by side meet
-- by chance: controls of the same volume meet as often. Accounts without a later turn have no row. Requests of one microsecond are put in order by what is asked of them here,
-- so that the order of files says nothing and no name of a request is read.
-- grain: network_id, side, account_key
-- reads: requests, members, account_records, cluster_ids, cluster_controls
-- params: none
WITH people AS (
  SELECT members.network_id AS network_id, 'members' AS side, records.account_key AS account_key
  FROM members
  JOIN account_records AS records ON records.account_id = members.account_id
  UNION ALL
  SELECT cluster_ids.network_id AS network_id, 'controls' AS side, cluster_controls.account_key AS account_key
  FROM cluster_controls
  JOIN cluster_ids ON cluster_ids.cluster = cluster_controls.cluster
),
concerned AS (
  SELECT DISTINCT account_key
  FROM people
),
sent AS (
  SELECT
    requests.account_key AS account_key,
    requests.gap_us AS gap_us,
    requests.tools_key AS tools_key,
    requests.session_key AS session_key,
    lag(requests.session_key) OVER (
      PARTITION BY requests.account_key
      ORDER BY requests.ts_us, requests.message_count, requests.session_key, requests.latency_us, requests.finish_reason, requests.gap_us, requests.tools_key
    ) AS session_before,
    requests.message_count - lag(requests.message_count) OVER (
      PARTITION BY requests.account_key
      ORDER BY requests.ts_us, requests.message_count, requests.session_key, requests.latency_us, requests.finish_reason, requests.gap_us, requests.tools_key
    ) AS message_step,
    lag(requests.latency_us) OVER (
      PARTITION BY requests.account_key
      ORDER BY requests.ts_us, requests.message_count, requests.session_key, requests.latency_us, requests.finish_reason, requests.gap_us, requests.tools_key
    ) AS answer_us,
    lag(requests.finish_reason) OVER (
      PARTITION BY requests.account_key
      ORDER BY requests.ts_us, requests.message_count, requests.session_key, requests.latency_us, requests.finish_reason, requests.gap_us, requests.tools_key
    ) AS finish_reason
  FROM requests
  JOIN concerned ON concerned.account_key = requests.account_key
),
turns AS (
  SELECT account_key, count(*) AS later_turn_count, count(CASE WHEN gap_us - answer_us < 2000000 THEN 1 END) AS at_once_count
  FROM sent
  WHERE message_step = 2
  AND gap_us IS NOT NULL
  AND answer_us IS NOT NULL
  AND tools_key IS NULL
  AND (session_key = session_before OR session_key IS NULL OR session_before IS NULL)
  AND coalesce(finish_reason, '') NOT IN ('tool_calls', 'tool_use')
  GROUP BY account_key
)
SELECT
  people.network_id AS network_id,
  people.side AS side,
  people.account_key AS account_key,
  turns.later_turn_count AS later_turn_count,
  turns.at_once_count AS at_once_count
FROM people
JOIN turns ON turns.account_key = people.account_key
ORDER BY people.network_id, people.side, people.account_key
