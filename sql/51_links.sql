-- Links as published: by account id, for pairs with more than half the bits of an edge.
-- grain: account_a, account_b, kind
-- reads: pair_links, account_records
-- params: edge_margin_bits DOUBLE
WITH population AS (
    SELECT count(DISTINCT CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END) AS entity_total
    FROM account_records
),
totals AS (
    SELECT account_a, account_b, CAST(sum(fx_micro(bits)) AS BIGINT) AS micro_bits
    FROM pair_links
    GROUP BY account_a, account_b
),
kept AS (
    SELECT totals.account_a AS account_a, totals.account_b AS account_b
    FROM totals
    CROSS JOIN population
    WHERE CAST(totals.micro_bits AS DOUBLE) > 500000.0 * (fx_log2(greatest(2, population.entity_total)) + CAST($edge_margin_bits AS DOUBLE))
)
SELECT
    least(a.account_id, b.account_id) AS account_a,
    greatest(a.account_id, b.account_id) AS account_b,
    pair_links.kind AS kind,
    pair_links.family AS family,
    pair_links.bits AS bits,
    'rarity' AS bits_kind,
    pair_links.support AS support,
    pair_links.df AS df
FROM pair_links
JOIN kept ON kept.account_a = pair_links.account_a AND kept.account_b = pair_links.account_b
JOIN account_records AS a ON a.account_key = pair_links.account_a
JOIN account_records AS b ON b.account_key = pair_links.account_b
ORDER BY account_a, account_b, kind
