-- Facts that many share, and how many holders they count as: a network must not make its own facts look common (design, section 4: holders without the group).
-- A card, device, mailbox, telephone or address that many hold marks a group where a fact of another family has nearly the same holders: two crowds
-- that chance brings together overlap by their product. Such a fact counts as held by a group of set size and by all its holders outside;
-- what more than half of all entities hold is the rule and marks no group. A TLS fingerprint is a library's unless most of its holders also share a wording that
-- no public client brings (38_rewritten_clients asks); it makes no wording rarer in turn, since a tool with many users has both.
-- Cards, devices, mailboxes and telephones that mark no group are listed too, with all their holders: what is left out as common is not silent.
-- grain: kind, value_key
-- reads: account_records, entities, habits, client_wording
-- params: min_address_share DOUBLE, group_max_entities BIGINT, group_max_share DOUBLE, group_overlap_share DOUBLE
WITH holders AS (
  SELECT account_key, CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
  FROM account_records
),
population AS (
  SELECT
    count(DISTINCT entity_key) AS entity_total,
    greatest(2, least(CAST($group_max_entities AS BIGINT), CAST(floor(CAST($group_max_share AS DOUBLE) * CAST(count(DISTINCT entity_key) AS DOUBLE)) AS BIGINT))) AS counts_as
  FROM holders
),
volumes AS (
  SELECT account_key, CAST(sum(request_count) AS BIGINT) AS request_total
  FROM entities
  WHERE kind = 'model'
  GROUP BY account_key
),
listed AS (
  SELECT 'payment' AS kind, 'identity' AS family, account_key, payment_key AS value_key FROM account_records
  UNION ALL SELECT 'device', 'identity', account_key, device_key FROM account_records
  UNION ALL SELECT 'email', 'identity', account_key, email_key FROM account_records
  UNION ALL SELECT 'phone', 'identity', account_key, phone_key FROM account_records
  UNION ALL
  SELECT used.kind, CASE used.kind WHEN 'ip' THEN 'infrastructure' WHEN 'ja4' THEN 'client' ELSE 'settings' END, used.account_key, used.value_key
  FROM entities AS used
  JOIN volumes ON volumes.account_key = used.account_key
  WHERE used.kind IN ('ip', 'stack', 'ja4') AND CAST(used.request_count AS DOUBLE) >= CAST($min_address_share AS DOUBLE) * CAST(volumes.request_total AS DOUBLE)
  UNION ALL SELECT 'template', 'templates', account_key, shingle FROM habits WHERE half = 0
),
held AS (
  SELECT DISTINCT listed.kind AS kind, listed.family AS family, listed.value_key AS value_key, holders.entity_key AS entity_key
  FROM listed
  JOIN holders ON holders.account_key = listed.account_key
  LEFT JOIN client_wording ON client_wording.kind = listed.kind AND client_wording.value_key = listed.value_key
  WHERE listed.value_key IS NOT NULL AND client_wording.value_key IS NULL
),
wide AS (
  SELECT held.kind AS kind, held.family AS family, held.value_key AS value_key, count(*) AS df
  FROM held
  CROSS JOIN population
  GROUP BY held.kind, held.family, held.value_key
  HAVING count(*) > max(population.counts_as)
),
marks AS (
  SELECT held.kind AS kind, held.family AS family, held.value_key AS value_key, held.entity_key AS entity_key, wide.df AS df
  FROM held
  JOIN wide ON wide.kind = held.kind AND wide.value_key = held.value_key
  CROSS JOIN population
  WHERE wide.kind IN ('payment', 'device', 'email', 'phone', 'ip', 'ja4') AND 2 * wide.df <= population.entity_total
),
meetings AS (
  SELECT
    marks.kind AS kind, marks.value_key AS value_key, max(marks.df) AS df,
    held.kind AS other_kind, held.value_key AS other_key, max(wide.df) AS other_df,
    count(*) AS both_count
  FROM marks
  JOIN held ON held.entity_key = marks.entity_key AND held.family <> marks.family AND held.family <> 'client' AND (marks.family <> 'client' OR held.family = 'templates')
  JOIN wide ON wide.kind = held.kind AND wide.value_key = held.value_key
  GROUP BY marks.kind, marks.value_key, held.kind, held.value_key
),
bound AS (
  SELECT kind, value_key, df, other_kind, other_key, other_df, both_count
  FROM meetings
  WHERE CAST(both_count AS DOUBLE) >= CAST($group_overlap_share AS DOUBLE) * CAST(df + other_df - both_count AS DOUBLE)
),
either AS (
  SELECT kind, value_key, df, both_count FROM bound
  UNION ALL
  SELECT other_kind, other_key, other_df, both_count FROM bound WHERE kind <> 'ja4'
),
grouped AS (
  SELECT either.kind AS kind, either.value_key AS value_key, max(either.df) AS df, max(population.counts_as) + max(either.df) - max(either.both_count) AS counted_df
  FROM either
  CROSS JOIN population
  GROUP BY either.kind, either.value_key
  HAVING max(population.counts_as) < max(either.both_count)
)
SELECT
  wide.kind AS kind,
  wide.value_key AS value_key,
  wide.df AS df,
  coalesce(grouped.counted_df, wide.df) AS counted_df
FROM wide
LEFT JOIN grouped ON grouped.kind = wide.kind AND grouped.value_key = wide.value_key
WHERE grouped.value_key IS NOT NULL OR wide.kind IN ('payment', 'device', 'email', 'phone')
ORDER BY kind, value_key
