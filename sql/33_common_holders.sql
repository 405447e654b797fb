-- Wording that nearly all users of some client product hold, one row a holder, whoever that is: what the client may have written, or its only operator.
-- Users who could not show the wording do not count: those with too few prompts sampled for a habit (level -1 asks for that) and for a 4-gram those whose
-- prompts are too long (reaches). Every use of a system prompt makes a holder (level -2: any user can show it), so that one that others use too is not the client's.
-- grain: kind, value_key, account_key
-- reads: products, account_records, recurring_shingles, window_samples, entities, reaches
-- params: alternative_share DOUBLE, public_client_entities BIGINT, min_accounts BIGINT, duplicate_min_chars BIGINT
WITH people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
large AS (
    SELECT products.value_key AS product
    FROM products
    JOIN people ON people.account_key = products.account_key
    GROUP BY products.value_key
    HAVING count(DISTINCT people.entity_key) >= $public_client_entities
),
users AS (
    SELECT products.value_key AS product, products.account_key AS account_key, people.entity_key AS entity_key, coalesce(reaches.levels, -1) AS levels
    FROM products
    JOIN large ON large.product = products.value_key
    JOIN people ON people.account_key = products.account_key
    LEFT JOIN reaches ON reaches.account_key = products.account_key
),
held AS (
    SELECT 'template' AS kind, fx_div(shingle, 33554432) AS level, account_key, shingle AS value_key
    FROM recurring_shingles
    WHERE half = 0
    UNION ALL
    SELECT 'skeleton', CAST(-1 AS BIGINT), account_key, skeleton_key
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND prompt_chars >= $duplicate_min_chars AND skeleton_key IS NOT NULL
    GROUP BY account_key, skeleton_key
    HAVING count(*) >= 2
    UNION ALL
    SELECT 'prompt', CAST(-1 AS BIGINT), account_key, prompt_key
    FROM window_samples
    WHERE prompt_key % 2 = 0 AND prompt_chars >= $duplicate_min_chars
    UNION ALL
    SELECT 'system', CAST(-2 AS BIGINT), account_key, value_key
    FROM entities
    WHERE kind = 'system'
),
frequent AS (
    SELECT kind, level, value_key
    FROM held
    GROUP BY kind, level, value_key
    HAVING CAST(count(*) AS DOUBLE) >= CAST($alternative_share AS DOUBLE) * CAST($min_accounts AS DOUBLE)
),
within AS (
    SELECT held.kind AS kind, held.level AS level, held.value_key AS value_key, users.product AS product, count(DISTINCT users.entity_key) AS holder_count
    FROM held
    JOIN frequent ON frequent.kind = held.kind AND frequent.value_key = held.value_key
    JOIN users ON users.account_key = held.account_key AND users.levels > held.level
    GROUP BY held.kind, held.level, held.value_key, users.product
),
furthest AS (
    SELECT product, entity_key, max(levels) AS levels
    FROM users
    GROUP BY product, entity_key
),
furthest_counts AS (
    SELECT product, levels, count(*) AS entity_count
    FROM furthest
    GROUP BY product, levels
),
asked AS (
    SELECT DISTINCT level
    FROM frequent
),
sizes AS (
    SELECT furthest_counts.product AS product, asked.level AS level, CAST(sum(furthest_counts.entity_count) AS BIGINT) AS user_count
    FROM furthest_counts
    JOIN asked ON furthest_counts.levels > asked.level
    GROUP BY furthest_counts.product, asked.level
    HAVING CAST(sum(furthest_counts.entity_count) AS BIGINT) >= $min_accounts
),
common AS (
    SELECT DISTINCT within.kind AS kind, within.value_key AS value_key
    FROM within
    JOIN sizes ON sizes.product = within.product AND sizes.level = within.level
    WHERE CAST(within.holder_count AS DOUBLE) >= CAST($alternative_share AS DOUBLE) * CAST(sizes.user_count AS DOUBLE)
)
SELECT held.kind AS kind, held.value_key AS value_key, held.account_key AS account_key
FROM held
JOIN common ON common.kind = held.kind AND common.value_key = held.value_key
ORDER BY held.kind, held.value_key, held.account_key
