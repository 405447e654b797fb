-- Prompts that were sent at once: one text on the accounts of several entities, each within half a minute of the one before, as by whoever wants several answers to one
-- prompt or sends a refused one again elsewhere. Who shares a corpus, an assignment or a benchmark sends the same texts at other times: an account counts only if at least
-- so large a share of the texts that it shares was sent at once. Of the sample, so that nothing is read again; even halves make links and clusters, odd ones test them.
-- grain: prompt_key, account_key
-- reads: window_samples, account_records
-- params: handoff_max_accounts BIGINT, handoff_min_share DOUBLE, duplicate_min_chars BIGINT
WITH sent AS (
  SELECT
    samples.prompt_key AS prompt_key,
    samples.account_key AS account_key,
    CASE WHEN records.is_vouched AND records.organization_key IS NOT NULL THEN records.organization_key ELSE records.account_key END AS entity_key,
    samples.request_count AS request_count,
    samples.first_us AS first_us
  FROM window_samples AS samples
  JOIN account_records AS records ON records.account_key = samples.account_key
  WHERE samples.prompt_chars >= $duplicate_min_chars
),
wide AS (
  SELECT prompt_key
  FROM sent
  GROUP BY prompt_key
  HAVING min(entity_key) <> max(entity_key)
),
ordered AS (
  SELECT
    sent.prompt_key AS prompt_key,
    sent.account_key AS account_key,
    sent.request_count AS request_count,
    sent.first_us - lag(sent.first_us) OVER (PARTITION BY sent.prompt_key ORDER BY sent.first_us, sent.account_key) AS after_us
  FROM wide
  JOIN sent ON sent.prompt_key = wide.prompt_key
),
together AS (
  SELECT prompt_key
  FROM ordered
  GROUP BY prompt_key
  HAVING max(after_us) <= 30000000
  AND count(*) <= CAST($handoff_max_accounts AS BIGINT)
  AND max(request_count) <= 2
),
holders AS (
  SELECT
    ordered.account_key AS account_key,
    ordered.prompt_key AS prompt_key,
    ordered.request_count AS request_count,
    CASE WHEN together.prompt_key IS NULL THEN 0 ELSE 1 END AS is_fanout
  FROM ordered
  LEFT JOIN together ON together.prompt_key = ordered.prompt_key
),
reliable AS (
  SELECT account_key
  FROM holders
  GROUP BY account_key
  HAVING CAST(count(CASE WHEN is_fanout = 1 THEN 1 END) AS DOUBLE) >= CAST($handoff_min_share AS DOUBLE) * CAST(count(*) AS DOUBLE)
)
SELECT holders.prompt_key AS prompt_key, holders.account_key AS account_key, holders.request_count AS request_count, CAST(holders.prompt_key % 2 AS INTEGER) AS half
FROM holders
JOIN reliable ON reliable.account_key = holders.account_key
WHERE holders.is_fanout = 1
ORDER BY holders.prompt_key, holders.account_key
