-- What two accounts share that few others hold, rarest first: the kind, the value's key, how many entities hold it, and its bits in millionths.
-- grain: kind, value_key
-- reads: accounts, shared_values
-- params: account_a VARCHAR, account_b VARCHAR
WITH held AS (
  SELECT
    shared_values.kind AS kind,
    shared_values.value_key AS value_key,
    min(shared_values.df) AS holder_count,
    min(shared_values.rarity_micro_bits) AS rarity_micro_bits,
    count(*) AS account_count
  FROM shared_values
  JOIN accounts ON accounts.account_key = shared_values.account_key
  WHERE accounts.account_id = $account_a OR accounts.account_id = $account_b
  GROUP BY shared_values.kind, shared_values.value_key
)
SELECT kind, value_key, holder_count, rarity_micro_bits
FROM held
WHERE account_count = 2
ORDER BY holder_count, kind, value_key
