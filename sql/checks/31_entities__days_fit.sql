-- Values of the window whose days cannot be: more days than lie between first and last, or more days than requests.
-- grain: kind, account_key, value_key
-- reads: entities
-- params: none
SELECT kind, account_key, value_key
FROM entities
WHERE
  value_key IS NULL
  OR day_count < 1
  OR request_count < day_count
  OR last_day < first_day
  OR day_count > fx_epoch_day(last_day) - fx_epoch_day(first_day) + 1
ORDER BY kind, account_key, value_key
