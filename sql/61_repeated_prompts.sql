-- Of each member's long prompts that formed nothing (half 1): how many another member sent word for word, and how many an account outside sent as well.
-- An evaluation or a course works through one list, a public set of tasks has other users; who deals one pool of work over accounts sends each item once.
-- And of its templated prompts of that half: how many are filled with what an account outside fills a template of its own with, so that strangers who word one text each in
-- their own way are known by the text.
-- grain: cluster, account_key
-- reads: sent_prompts, clusters, boilerplate
-- params: none
WITH inside AS (
    SELECT clusters.cluster AS cluster, sent.account_key AS account_key, sent.prompt_key AS prompt_key
    FROM sent_prompts AS sent
    JOIN clusters ON clusters.account_key = sent.account_key
    WHERE clusters.origin <> 'small'
),
everywhere AS (
    SELECT prompt_key, count(*) AS sender_count
    FROM sent_prompts AS sent
    GROUP BY prompt_key
    HAVING count(*) >= 2
),
members AS (
    SELECT cluster, prompt_key, count(*) AS member_count
    FROM inside
    GROUP BY cluster, prompt_key
),
fillings AS (
    SELECT DISTINCT account_key, item_shingle
    FROM boilerplate
    WHERE item_shingle IS NOT NULL
),
filled AS (
    SELECT item_shingle, count(*) AS holder_count
    FROM fillings
    GROUP BY item_shingle
    HAVING count(*) >= 2
),
filled_inside AS (
    SELECT clusters.cluster AS cluster, fillings.item_shingle AS item_shingle, count(*) AS member_count
    FROM fillings
    JOIN clusters ON clusters.account_key = fillings.account_key
    WHERE clusters.origin <> 'small'
    GROUP BY clusters.cluster, fillings.item_shingle
),
items AS (
    SELECT
        clusters.cluster AS cluster,
        clusters.account_key AS account_key,
        count(*) AS templated_count,
        CAST(sum(CASE WHEN filled.holder_count > filled_inside.member_count THEN 1 ELSE 0 END) AS BIGINT) AS item_elsewhere_count
    FROM boilerplate
    JOIN clusters ON clusters.account_key = boilerplate.account_key
    JOIN filled_inside ON filled_inside.cluster = clusters.cluster AND filled_inside.item_shingle = boilerplate.item_shingle
    LEFT JOIN filled ON filled.item_shingle = boilerplate.item_shingle
    WHERE clusters.origin <> 'small'
    GROUP BY clusters.cluster, clusters.account_key
)
SELECT
    inside.cluster AS cluster,
    inside.account_key AS account_key,
    count(*) AS document_count,
    CAST(sum(CASE WHEN members.member_count >= 2 THEN 1 ELSE 0 END) AS BIGINT) AS repeated_count,
    CAST(sum(CASE WHEN everywhere.sender_count > members.member_count THEN 1 ELSE 0 END) AS BIGINT) AS elsewhere_count,
    coalesce(max(items.templated_count), 0) AS templated_count,
    coalesce(max(items.item_elsewhere_count), 0) AS item_elsewhere_count
FROM inside
JOIN members ON members.cluster = inside.cluster AND members.prompt_key = inside.prompt_key
LEFT JOIN everywhere ON everywhere.prompt_key = inside.prompt_key
LEFT JOIN items ON items.cluster = inside.cluster AND items.account_key = inside.account_key
GROUP BY inside.cluster, inside.account_key
ORDER BY inside.cluster, inside.account_key
