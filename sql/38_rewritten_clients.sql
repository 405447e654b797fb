-- Clients whose name is rewritten: one TLS fingerprint under the names of several products whose other users do not show it. Who names its requests after popular
-- clients still connects with the one library it is written in; a library that many use shows itself by its holders, unless they are one
-- group (wide_values). An account counts with the fingerprint and the products of at least half of its requests; colleagues of a vouched organisation are one holder.
-- grain: ja4_key, account_key
-- reads: entities, products, account_records, wide_values
-- params: rewritten_min_products BIGINT, stack_max_df_share DOUBLE
WITH people AS (
  SELECT account_key, CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
  FROM account_records
),
totals AS (
  SELECT account_key, CAST(sum(request_count) AS BIGINT) AS request_total
  FROM entities
  WHERE kind = 'ja4'
  GROUP BY account_key
),
shown AS (
  SELECT used.value_key AS ja4_key, used.account_key AS account_key, people.entity_key AS entity_key, used.request_count AS request_count
  FROM entities AS used
  JOIN totals ON totals.account_key = used.account_key
  JOIN people ON people.account_key = used.account_key
  WHERE used.kind = 'ja4' AND used.request_count * 2 >= totals.request_total
),
named AS (
  SELECT products.value_key AS product, products.account_key AS account_key, people.entity_key AS entity_key
  FROM products
  JOIN people ON people.account_key = products.account_key
),
users AS (
  SELECT product, count(DISTINCT entity_key) AS user_count
  FROM named
  GROUP BY product
),
meetings AS (
  SELECT shown.ja4_key AS ja4_key, named.product AS product, count(DISTINCT shown.entity_key) AS entity_count
  FROM shown
  JOIN named ON named.account_key = shown.account_key
  GROUP BY shown.ja4_key, named.product
),
population AS (
  SELECT count(DISTINCT entity_key) AS entity_total
  FROM people
),
rare AS (
  SELECT shown.ja4_key AS ja4_key
  FROM shown
  CROSS JOIN population
  LEFT JOIN wide_values ON wide_values.kind = 'ja4' AND wide_values.value_key = shown.ja4_key
  GROUP BY shown.ja4_key
  HAVING CAST(least(count(DISTINCT shown.entity_key), max(coalesce(wide_values.counted_df, population.entity_total))) AS DOUBLE) <= CAST($stack_max_df_share AS DOUBLE) * CAST(max(population.entity_total) AS DOUBLE)
),
rewritten AS (
  SELECT meetings.ja4_key AS ja4_key
  FROM meetings
  JOIN users ON users.product = meetings.product
  JOIN rare ON rare.ja4_key = meetings.ja4_key
  WHERE meetings.entity_count * 5 <= users.user_count
  GROUP BY meetings.ja4_key
  HAVING count(*) >= $rewritten_min_products AND $rewritten_min_products > 0
)
SELECT shown.ja4_key AS ja4_key, shown.account_key AS account_key, shown.request_count AS request_count
FROM shown
JOIN rewritten ON rewritten.ja4_key = shown.ja4_key
ORDER BY shown.ja4_key, shown.account_key
