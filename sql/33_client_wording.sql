-- Wording that public clients bring, whoever uses them: held by nearly all users of a public client who could show it (as in common_holders), and nearly all its holders use
-- one. It carries no bits. A 4-gram that only users can show who were not found unlike each other (public_clients.levels) is left to its holders.
-- grain: kind, value_key
-- reads: common_holders, public_clients, products, account_records, reaches
-- params: alternative_share DOUBLE, min_accounts BIGINT
WITH people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
users AS (
    SELECT
        products.value_key AS product,
        products.account_key AS account_key,
        people.entity_key AS entity_key,
        coalesce(reaches.levels, -1) AS levels,
        public_clients.levels AS judged_levels
    FROM products
    JOIN public_clients ON public_clients.product = products.value_key AND public_clients.is_public
    JOIN people ON people.account_key = products.account_key
    LEFT JOIN reaches ON reaches.account_key = products.account_key
),
held AS (
    SELECT
        kind,
        CASE WHEN kind = 'template' THEN fx_div(value_key, 33554432) WHEN kind = 'system' THEN CAST(-2 AS BIGINT) ELSE CAST(-1 AS BIGINT) END AS level,
        value_key,
        account_key
    FROM common_holders
),
within AS (
    SELECT held.kind AS kind, held.level AS level, held.value_key AS value_key, users.product AS product, count(DISTINCT users.entity_key) AS holder_count
    FROM held
    JOIN users ON users.account_key = held.account_key AND users.levels > held.level
    WHERE held.level < users.judged_levels
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
    FROM held
),
sizes AS (
    SELECT furthest_counts.product AS product, asked.level AS level, CAST(sum(furthest_counts.entity_count) AS BIGINT) AS user_count
    FROM furthest_counts
    JOIN asked ON furthest_counts.levels > asked.level
    GROUP BY furthest_counts.product, asked.level
    HAVING CAST(sum(furthest_counts.entity_count) AS BIGINT) >= $min_accounts
),
common AS (
    SELECT
        within.kind AS kind,
        within.value_key AS value_key,
        within.product AS product,
        within.holder_count AS holder_count,
        sizes.user_count AS user_count,
        row_number() OVER (PARTITION BY within.kind, within.value_key ORDER BY within.holder_count DESC, within.product) AS place
    FROM within
    JOIN sizes ON sizes.product = within.product AND sizes.level = within.level
    WHERE CAST(within.holder_count AS DOUBLE) >= CAST($alternative_share AS DOUBLE) * CAST(sizes.user_count AS DOUBLE)
),
insiders AS (
    SELECT DISTINCT account_key
    FROM users
),
spread AS (
    SELECT
        held.kind AS kind,
        held.value_key AS value_key,
        count(DISTINCT people.entity_key) AS holder_count,
        count(DISTINCT CASE WHEN insiders.account_key IS NOT NULL THEN people.entity_key END) AS inside_count
    FROM held
    JOIN common ON common.kind = held.kind AND common.value_key = held.value_key AND common.place = 1
    JOIN people ON people.account_key = held.account_key
    LEFT JOIN insiders ON insiders.account_key = held.account_key
    GROUP BY held.kind, held.value_key
)
SELECT
    common.kind AS kind,
    common.value_key AS value_key,
    common.product AS product,
    common.holder_count AS holder_count,
    common.user_count AS user_count,
    spread.holder_count AS total_count,
    spread.inside_count AS inside_count
FROM common
JOIN spread ON spread.kind = common.kind AND spread.value_key = common.value_key
WHERE common.place = 1 AND CAST(spread.inside_count AS DOUBLE) >= CAST($alternative_share AS DOUBLE) * CAST(spread.holder_count AS DOUBLE)
ORDER BY common.kind, common.value_key
