-- The client products (user agent up to its version) that an account uses for at least half of its requests.
-- grain: account_key, value_key
-- reads: entities
-- params: none
WITH totals AS (
    SELECT account_key, CAST(sum(request_count) AS BIGINT) AS request_total
    FROM entities
    WHERE kind = 'agent_product'
    GROUP BY account_key
)
SELECT entities.account_key AS account_key, entities.value_key AS value_key, entities.request_count AS request_count
FROM entities
JOIN totals ON totals.account_key = entities.account_key
WHERE entities.kind = 'agent_product' AND entities.request_count * 2 >= totals.request_total
ORDER BY account_key, value_key
