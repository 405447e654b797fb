-- Who holds a value that few share, of any kind of evidence (a card, a device, an address, a template ...): kind and key are those that shared_by_two shows.
-- grain: account_id
-- reads: accounts, shared_values
-- params: kind VARCHAR, value_key BIGINT
SELECT
  accounts.account_id AS account_id,
  accounts.network_id AS network_id,
  accounts.request_count AS request_count,
  shared_values.df AS holder_count
FROM shared_values
JOIN accounts ON accounts.account_key = shared_values.account_key
WHERE shared_values.kind = $kind AND shared_values.value_key = $value_key
ORDER BY account_id
