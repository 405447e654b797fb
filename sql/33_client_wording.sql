-- Wording that public clients bring, whoever uses them: held by nearly all users of a public client, and nearly all its holders use one. It carries no bits.
-- grain: kind, value_key
-- reads: common_holders, public_clients, products, account_records, window_samples
-- params: alternative_share DOUBLE, public_client_entities BIGINT, habit_min_documents BIGINT
WITH people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
users AS (
    SELECT products.value_key AS product, products.account_key AS account_key, people.entity_key AS entity_key
    FROM products
    JOIN public_clients ON public_clients.product = products.value_key AND public_clients.is_public
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
    SELECT kind, CASE WHEN kind = 'system' THEN 'system' ELSE 'prompts' END AS source, account_key, value_key
    FROM common_holders
),
within AS (
    SELECT held.kind AS kind, held.value_key AS value_key, held.source AS source, able.product AS product, count(DISTINCT able.entity_key) AS holder_count
    FROM held
    JOIN able ON able.account_key = held.account_key AND able.source = held.source
    GROUP BY held.kind, held.value_key, held.source, able.product
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
    JOIN sizes ON sizes.source = within.source AND sizes.product = within.product
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
