-- What stage 41 makes, said a second time in SQL: tests compare the two. Slow where pairs share much, since it joins every pair with every value.
WITH numbered AS (
    SELECT
        account_key,
        kind,
        value_key,
        df,
        share,
        rarity_micro_bits,
        dense_rank() OVER (ORDER BY kind) AS kind_number,
        dense_rank() OVER (ORDER BY kind, df, value_key) AS number
    FROM shared_values
),
names AS (
    SELECT numbered.kind_number AS kind_number, numbered.kind AS kind, max(kinds.cap_micro_bits) AS cap_micro_bits, max(kinds.min_support) AS min_support
    FROM numbered
    JOIN kinds ON kinds.kind = numbered.kind
    GROUP BY numbered.kind_number, numbered.kind
),
facts AS (
    SELECT number, max(value_key) AS value_key, max(df) AS df
    FROM numbered
    GROUP BY number
),
shared AS (
    SELECT
        pairs.account_a AS account_a,
        pairs.account_b AS account_b,
        a.kind_number AS kind_number,
        a.number AS number,
        CAST(round(sqrt(a.share * b.share) * CAST(a.rarity_micro_bits AS DOUBLE)) AS BIGINT) AS micro_bits
    FROM candidate_pairs AS pairs
    JOIN numbered AS a ON a.account_key = pairs.account_a
    JOIN numbered AS b ON b.account_key = pairs.account_b AND b.number = a.number
),
summed AS (
    SELECT
        account_a,
        account_b,
        kind_number,
        count(*) AS support,
        CAST(sum(micro_bits) AS BIGINT) AS all_micro_bits,
        max(micro_bits) AS top_micro_bits,
        4294967295 - max(micro_bits * 4294967296 + 4294967295 - number) % 4294967296 AS number
    FROM shared
    GROUP BY account_a, account_b, kind_number
)
SELECT
    summed.account_a AS account_a,
    summed.account_b AS account_b,
    names.kind AS kind,
    round(CAST(least(names.cap_micro_bits, summed.top_micro_bits + CAST(floor(CAST(summed.all_micro_bits - summed.top_micro_bits AS DOUBLE) / 4.0) AS BIGINT)) AS DOUBLE) / 1000000.0, 6) AS bits,
    summed.support AS support,
    facts.df AS df,
    facts.value_key AS value_key
FROM summed
JOIN facts ON facts.number = summed.number
JOIN names ON names.kind_number = summed.kind_number
WHERE summed.support >= names.min_support
ORDER BY summed.account_a, summed.account_b, summed.kind_number
