-- links by rarity, all families whose evidence is a shared value (identity, infrastructure, settings, duplicates, templates):
-- bits are log2(entities / holders) of what two accounts share, the rarest value of a kind in full and the others by a quarter, capped
-- grain: account_a, account_b, kind
-- reads: candidate_pairs, shared_values, kinds
-- params: none
WITH shared AS (
    SELECT
        pairs.account_a AS account_a,
        pairs.account_b AS account_b,
        a.kind AS kind,
        a.value_key AS value_key,
        a.df AS df,
        CAST(round(sqrt(a.share * b.share) * CAST(a.rarity_micro_bits AS DOUBLE)) AS BIGINT) AS micro_bits
    FROM candidate_pairs AS pairs
    JOIN shared_values AS a ON a.account_key = pairs.account_a
    JOIN shared_values AS b ON b.account_key = pairs.account_b AND b.kind = a.kind AND b.value_key = a.value_key
),
ranked AS (
    SELECT
        account_a,
        account_b,
        kind,
        value_key,
        df,
        micro_bits,
        row_number() OVER (PARTITION BY account_a, account_b, kind ORDER BY micro_bits DESC, df, value_key) AS place
    FROM shared
),
summed AS (
    SELECT
        account_a,
        account_b,
        kind,
        count(*) AS support,
        CAST(sum(micro_bits) AS BIGINT) AS all_micro_bits,
        max(CASE WHEN place = 1 THEN micro_bits END) AS top_micro_bits,
        max(CASE WHEN place = 1 THEN df END) AS top_df,
        max(CASE WHEN place = 1 THEN value_key END) AS top_value_key
    FROM ranked
    GROUP BY account_a, account_b, kind
)
SELECT
    summed.account_a AS account_a,
    summed.account_b AS account_b,
    summed.kind AS kind,
    round(CAST(least(kinds.cap_micro_bits, summed.top_micro_bits + CAST(floor(CAST(summed.all_micro_bits - summed.top_micro_bits AS DOUBLE) / 4.0) AS BIGINT)) AS DOUBLE) / 1000000.0, 6) AS bits,
    summed.support AS support,
    summed.top_df AS df,
    summed.top_value_key AS value_key
FROM summed
JOIN kinds ON kinds.kind = summed.kind
WHERE summed.support >= kinds.min_support
ORDER BY account_a, account_b, kind
