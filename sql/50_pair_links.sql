-- families fused into links: inside a family the strongest kind counts in full and the others by a quarter, capped, so that one fact is not counted twice
-- grain: account_a, account_b, kind
-- reads: link_rarity, kinds
-- params: none
WITH placed AS (
    SELECT
        link_rarity.account_a AS account_a,
        link_rarity.account_b AS account_b,
        link_rarity.kind AS kind,
        kinds.family AS family,
        CAST(round(link_rarity.bits * 1e6) AS BIGINT) AS micro_bits,
        kinds.family_cap_micro_bits AS cap_micro_bits,
        link_rarity.support AS support,
        link_rarity.df AS df,
        link_rarity.value_key AS value_key,
        row_number() OVER (PARTITION BY link_rarity.account_a, link_rarity.account_b, kinds.family ORDER BY link_rarity.bits DESC, link_rarity.kind) AS place
    FROM link_rarity
    JOIN kinds ON kinds.kind = link_rarity.kind
),
weighed AS (
    SELECT
        account_a, account_b, kind, family, cap_micro_bits, support, df, value_key, place,
        CASE WHEN place = 1 THEN micro_bits ELSE CAST(floor(CAST(micro_bits AS DOUBLE) / 4.0) AS BIGINT) END AS micro_bits
    FROM placed
),
running AS (
    SELECT
        account_a, account_b, kind, family, cap_micro_bits, support, df, value_key, micro_bits,
        CAST(sum(micro_bits) OVER (PARTITION BY account_a, account_b, family ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS so_far
    FROM weighed
)
SELECT
    account_a,
    account_b,
    kind,
    family,
    round(CAST(greatest(0, least(micro_bits, cap_micro_bits - (so_far - micro_bits))) AS DOUBLE) / 1000000.0, 6) AS bits,
    support,
    df,
    value_key
FROM running
ORDER BY account_a, account_b, kind
