-- Counts of values that cannot be: no value, fewer days than values, more first-day values than values.
-- grain: kind, account_key, request_count
-- reads: entity_counts
-- params: none
SELECT kind, account_key, request_count
FROM entity_counts
WHERE value_count < 1 OR request_count < 1 OR value_day_count < value_count OR first_day_count > value_count OR first_day_count < 0
ORDER BY kind, account_key, request_count
