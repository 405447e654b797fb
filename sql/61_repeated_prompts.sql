-- Of each member's long prompts that formed nothing (half 1): how many another member sent word for word, and how many an account outside sent as well.
-- An evaluation or a course works through one list, a public set of tasks has other users; who deals one pool of work over accounts sends each item once.
-- grain: cluster, account_key
-- reads: window_samples, clusters
-- params: duplicate_min_chars BIGINT
WITH sent AS (
    SELECT account_key, prompt_key
    FROM window_samples
    WHERE prompt_key % 2 = 1 AND prompt_chars >= $duplicate_min_chars
),
inside AS (
    SELECT clusters.cluster AS cluster, sent.account_key AS account_key, sent.prompt_key AS prompt_key
    FROM sent
    JOIN clusters ON clusters.account_key = sent.account_key
    WHERE clusters.origin <> 'small'
),
everywhere AS (
    SELECT prompt_key, count(*) AS sender_count
    FROM sent
    GROUP BY prompt_key
    HAVING count(*) >= 2
),
members AS (
    SELECT cluster, prompt_key, count(*) AS member_count
    FROM inside
    GROUP BY cluster, prompt_key
)
SELECT
    inside.cluster AS cluster,
    inside.account_key AS account_key,
    count(*) AS document_count,
    CAST(sum(CASE WHEN members.member_count >= 2 THEN 1 ELSE 0 END) AS BIGINT) AS repeated_count,
    CAST(sum(CASE WHEN everywhere.sender_count > members.member_count THEN 1 ELSE 0 END) AS BIGINT) AS elsewhere_count
FROM inside
JOIN members ON members.cluster = inside.cluster AND members.prompt_key = inside.prompt_key
LEFT JOIN everywhere ON everywhere.prompt_key = inside.prompt_key
GROUP BY inside.cluster, inside.account_key
ORDER BY inside.cluster, inside.account_key
