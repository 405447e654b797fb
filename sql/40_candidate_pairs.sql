-- pairs worth comparing: two accounts of different entities that share a value; all pairs of a small block, a few partners each in a large one
-- The order inside a block depends on the account alone, so blocks of one network propose the same partners again and pairs stay few.
-- grain: account_a, account_b
-- reads: shared_values
-- params: clique_size BIGINT, partners BIGINT
WITH ranked AS (
    SELECT
        kind,
        value_key,
        account_key,
        entity_key,
        row_number() OVER (PARTITION BY kind, value_key ORDER BY md5(CAST(account_key AS VARCHAR)), account_key) AS position,
        count(*) OVER (PARTITION BY kind, value_key) AS block_size
    FROM shared_values
    WHERE kind <> 'settings'
),
small AS (
    SELECT DISTINCT
        least(a.account_key, b.account_key) AS account_a,
        greatest(a.account_key, b.account_key) AS account_b
    FROM ranked AS a
    JOIN ranked AS b ON b.kind = a.kind AND b.value_key = a.value_key AND b.position > a.position
    WHERE a.block_size <= $clique_size AND b.entity_key <> a.entity_key
),
steps AS (
    SELECT DISTINCT position AS step
    FROM ranked
    WHERE position <= $partners
),
targets AS (
    SELECT
        ranked.kind AS kind,
        ranked.value_key AS value_key,
        ranked.account_key AS account_key,
        ranked.entity_key AS entity_key,
        ((ranked.position - 1 + steps.step) % ranked.block_size) + 1 AS target
    FROM ranked
    CROSS JOIN steps
    WHERE ranked.block_size > $clique_size
),
large AS (
    SELECT DISTINCT
        least(targets.account_key, other.account_key) AS account_a,
        greatest(targets.account_key, other.account_key) AS account_b
    FROM targets
    JOIN ranked AS other ON other.kind = targets.kind AND other.value_key = targets.value_key AND other.position = targets.target
    WHERE other.entity_key <> targets.entity_key
),
halves AS (
    SELECT account_a, account_b FROM small
    UNION ALL
    SELECT account_a, account_b FROM large
)
SELECT DISTINCT account_a, account_b
FROM halves
ORDER BY account_a, account_b
