-- every value that two or more entities hold and few enough to say something, one row a holder; the only input of pairs and links
-- What a public client brings (client_wording) is no value of its users: it is left out here, and habits come without it.
-- A text that several accounts sent at once is a fan-out and not a duplicate besides, and a client whose name is rewritten is no stack besides: one fact, one family.
-- An entity is a vouched organisation, else an account: colleagues of a vouched organisation are one holder and never evidence against each other.
-- What a large group shares (wide_values) counts as held by a group of set size: holders are then fewer than df, and the value is kept and weighed by these.
-- grain: kind, value_key, account_key
-- reads: account_records, entities, habits, window_samples, client_wording, handoffs, fanouts, rewritten_clients, wide_values, kinds
-- params: cohort_days BIGINT, min_address_share DOUBLE, duplicate_min_chars BIGINT
WITH holders AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
volumes AS (
    SELECT account_key, CAST(sum(request_count) AS BIGINT) AS request_total
    FROM entities
    WHERE kind = 'model'
    GROUP BY account_key
),
halves AS (
    SELECT account_key, count(*) AS document_total
    FROM window_samples
    WHERE prompt_key % 2 = 0
    GROUP BY account_key
),
skeletons AS (
    SELECT account_key, skeleton_key, count(*) AS document_count
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND prompt_chars >= $duplicate_min_chars
    GROUP BY account_key, skeleton_key
    HAVING count(*) >= 2
),
rewriters AS (
    SELECT DISTINCT account_key
    FROM rewritten_clients
),
held AS (
    SELECT 'payment' AS kind, account_key, payment_key AS value_key, CAST(1 AS DOUBLE) AS share FROM account_records
    UNION ALL SELECT 'device', account_key, device_key, CAST(1 AS DOUBLE) FROM account_records
    UNION ALL SELECT 'email', account_key, email_key, CAST(1 AS DOUBLE) FROM account_records
    UNION ALL SELECT 'phone', account_key, phone_key, CAST(1 AS DOUBLE) FROM account_records
    UNION ALL SELECT 'organization', account_key, CASE WHEN is_vouched THEN NULL ELSE organization_key END, CAST(1 AS DOUBLE) FROM account_records
    UNION ALL SELECT 'signup_ip', account_key, signup_ip_key, CAST(1 AS DOUBLE) FROM account_records
    UNION ALL SELECT 'mail_domain', account_key, email_domain_key, CAST(1 AS DOUBLE) FROM account_records
    UNION ALL
    SELECT
        'cohort',
        account_key,
        (email_domain_key % 1000000007) * 1000003 + CAST(floor(CAST(created_us AS DOUBLE) / (CAST($cohort_days AS DOUBLE) * 86400000000.0)) AS BIGINT),
        CAST(1 AS DOUBLE)
    FROM account_records
    UNION ALL
    SELECT
        used.kind,
        used.account_key,
        used.value_key,
        CAST(used.request_count AS DOUBLE) / CAST(nullif(volumes.request_total, 0) AS DOUBLE)
    FROM entities AS used
    JOIN volumes ON volumes.account_key = used.account_key
    LEFT JOIN rewriters ON rewriters.account_key = used.account_key
    WHERE used.kind IN ('ip', 'ip_prefix', 'stack', 'headers', 'settings', 'system')
    AND CAST(used.request_count AS DOUBLE) >= CAST($min_address_share AS DOUBLE) * CAST(volumes.request_total AS DOUBLE)
    AND (used.kind <> 'stack' OR rewriters.account_key IS NULL)
    UNION ALL
    SELECT 'rewritten_client', account_key, ja4_key, CAST(1 AS DOUBLE) FROM rewritten_clients
    UNION ALL
    SELECT 'handoff', account_key, session_key, CAST(1 AS DOUBLE) FROM handoffs WHERE half = 0
    UNION ALL
    SELECT 'fanout', account_key, prompt_key, CAST(1 AS DOUBLE) FROM fanouts WHERE half = 0
    UNION ALL
    SELECT 'template', account_key, shingle, CAST(document_count AS DOUBLE) / CAST(nullif(document_total, 0) AS DOUBLE)
    FROM habits
    WHERE half = 0
    UNION ALL
    SELECT 'skeleton', skeletons.account_key, skeletons.skeleton_key, CAST(skeletons.document_count AS DOUBLE) / CAST(nullif(halves.document_total, 0) AS DOUBLE)
    FROM skeletons
    JOIN halves ON halves.account_key = skeletons.account_key
    UNION ALL
    SELECT 'prompt', samples.account_key, samples.prompt_key, CAST(1 AS DOUBLE)
    FROM window_samples AS samples
    LEFT JOIN fanouts ON fanouts.prompt_key = samples.prompt_key AND fanouts.account_key = samples.account_key
    WHERE samples.prompt_chars >= $duplicate_min_chars AND samples.prompt_key % 2 = 0 AND fanouts.prompt_key IS NULL
),
counted AS (
    SELECT held.kind AS kind, held.value_key AS value_key, count(DISTINCT holders.entity_key) AS df
    FROM held
    JOIN holders ON holders.account_key = held.account_key
    LEFT JOIN client_wording ON client_wording.kind = held.kind AND client_wording.value_key = held.value_key
    WHERE held.value_key IS NOT NULL AND client_wording.value_key IS NULL
    GROUP BY held.kind, held.value_key
    HAVING count(DISTINCT holders.entity_key) >= 2
),
population AS (
    SELECT count(DISTINCT entity_key) AS entity_total
    FROM holders
),
weighed AS (
    SELECT counted.kind AS kind, counted.value_key AS value_key, counted.df AS df, coalesce(wide_values.counted_df, counted.df) AS counted_df
    FROM counted
    LEFT JOIN wide_values ON wide_values.kind = CASE counted.kind WHEN 'rewritten_client' THEN 'ja4' ELSE counted.kind END AND wide_values.value_key = counted.value_key
)
SELECT
    held.kind AS kind,
    held.value_key AS value_key,
    held.account_key AS account_key,
    holders.entity_key AS entity_key,
    kinds.family AS family,
    CASE WHEN kinds.family IN ('identity', 'infrastructure', 'settings', 'handoff', 'client') THEN CAST(1 AS DOUBLE) ELSE held.share END AS share,
    weighed.df AS df,
    weighed.counted_df AS counted_df,
    CAST(round(ln(CAST(population.entity_total AS DOUBLE) / CAST(nullif(weighed.counted_df, 0) AS DOUBLE)) / ln(CAST(2 AS DOUBLE)) * 1000000.0) AS BIGINT) AS rarity_micro_bits
FROM held
JOIN weighed ON weighed.kind = held.kind AND weighed.value_key = held.value_key
JOIN kinds ON kinds.kind = held.kind
JOIN holders ON holders.account_key = held.account_key
CROSS JOIN population
WHERE CAST(weighed.counted_df AS DOUBLE) <= greatest(CAST(2 AS DOUBLE), kinds.max_df_share * CAST(population.entity_total AS DOUBLE))
ORDER BY kind, value_key, account_key
