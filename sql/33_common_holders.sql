-- Wording that nearly all users of some client product hold, one row a holder, whoever that is: what the client may have written, or its only operator.
-- A user counts for what is read off prompts only if enough of its prompts were sampled for a habit to show. Every use of a
-- system prompt makes a holder, so that a prompt that others use too is not the client's.
-- grain: kind, value_key, account_key
-- reads: products, account_records, recurring_shingles, window_samples, entities
-- params: alternative_share DOUBLE, public_client_entities BIGINT, habit_min_documents BIGINT, duplicate_min_chars BIGINT
WITH people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
users AS (
    SELECT products.value_key AS product, products.account_key AS account_key, people.entity_key AS entity_key
    FROM products
    JOIN people ON people.account_key = products.account_key
),
written AS (
    SELECT account_key
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND shingle_count > 0
    GROUP BY account_key
    HAVING count(*) >= $habit_min_documents
),
able AS (
    SELECT 'prompts' AS source, users.product AS product, users.account_key AS account_key, users.entity_key AS entity_key
    FROM users
    JOIN written ON written.account_key = users.account_key
    UNION ALL
    SELECT 'system', product, account_key, entity_key
    FROM users
),
sizes AS (
    SELECT source, product, count(DISTINCT entity_key) AS user_count
    FROM able
    GROUP BY source, product
    HAVING count(DISTINCT entity_key) >= $public_client_entities
),
held AS (
    SELECT 'template' AS kind, 'prompts' AS source, account_key, shingle AS value_key
    FROM recurring_shingles
    WHERE half = 0
    UNION ALL
    SELECT 'skeleton', 'prompts', account_key, skeleton_key
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND prompt_chars >= $duplicate_min_chars AND skeleton_key IS NOT NULL
    GROUP BY account_key, skeleton_key
    HAVING count(*) >= 2
    UNION ALL
    SELECT 'prompt', 'prompts', account_key, prompt_key
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND prompt_chars >= $duplicate_min_chars
    UNION ALL
    SELECT 'system', 'system', account_key, value_key
    FROM entities
    WHERE kind = 'system'
),
frequent AS (
    SELECT kind, value_key
    FROM held
    GROUP BY kind, value_key
    HAVING CAST(count(*) AS DOUBLE) >= CAST($alternative_share AS DOUBLE) * CAST($public_client_entities AS DOUBLE)
),
within AS (
    SELECT held.kind AS kind, held.value_key AS value_key, held.source AS source, able.product AS product, count(DISTINCT able.entity_key) AS holder_count
    FROM held
    JOIN frequent ON frequent.kind = held.kind AND frequent.value_key = held.value_key
    JOIN able ON able.account_key = held.account_key AND able.source = held.source
    GROUP BY held.kind, held.value_key, held.source, able.product
),
common AS (
    SELECT DISTINCT within.kind AS kind, within.value_key AS value_key
    FROM within
    JOIN sizes ON sizes.source = within.source AND sizes.product = within.product
    WHERE CAST(within.holder_count AS DOUBLE) >= CAST($alternative_share AS DOUBLE) * CAST(sizes.user_count AS DOUBLE)
)
SELECT held.kind AS kind, held.value_key AS value_key, held.account_key AS account_key
FROM held
JOIN common ON common.kind = held.kind AND common.value_key = held.value_key
ORDER BY held.kind, held.value_key, held.account_key
