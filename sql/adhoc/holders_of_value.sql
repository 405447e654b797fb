-- Who used a value: every account that holds it, with days and requests. Kind and key are those that shared_by_two shows.
-- grain: account_id
-- reads: account_records, entities
-- params: kind VARCHAR, value_key BIGINT
SELECT
  account_records.account_id AS account_id,
  entities.day_count AS day_count,
  entities.request_count AS request_count,
  entities.first_day AS first_day,
  entities.last_day AS last_day
FROM entities
JOIN account_records ON account_records.account_key = entities.account_key
WHERE entities.kind = $kind AND entities.value_key = $value_key
ORDER BY request_count DESC, account_id
