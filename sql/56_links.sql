-- Links as published: by account id, for pairs whose shared values have more than half the bits of an edge; likeness explains such a pair and makes none.
-- grain: account_a, account_b, kind
-- reads: pair_links, pair_likeness, account_records
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
),
kinds_of_evidence AS (
    SELECT account_a, account_b, kind, family, bits, 'rarity' AS bits_kind, support, df FROM pair_links
    UNION ALL
    SELECT account_a, account_b, kind, family, bits, 'tail' AS bits_kind, support, CAST(NULL AS BIGINT) AS df FROM pair_likeness
)
SELECT
    least(a.account_id, b.account_id) AS account_a,
    greatest(a.account_id, b.account_id) AS account_b,
    kinds_of_evidence.kind AS kind,
    kinds_of_evidence.family AS family,
    kinds_of_evidence.bits AS bits,
    kinds_of_evidence.bits_kind AS bits_kind,
    kinds_of_evidence.support AS support,
    kinds_of_evidence.df AS df
FROM kinds_of_evidence
JOIN kept ON kept.account_a = kinds_of_evidence.account_a AND kept.account_b = kinds_of_evidence.account_b
JOIN account_records AS a ON a.account_key = kinds_of_evidence.account_a
JOIN account_records AS b ON b.account_key = kinds_of_evidence.account_b
ORDER BY account_a, account_b, kind
