-- Accounts without an id, and ids that stand for two keys; the ids may be of several days.
-- grain: account_id
-- reads: account_ids
-- params: none
SELECT account_id, min(account_key) AS first_key, max(account_key) AS last_key
FROM account_ids
GROUP BY account_id
HAVING account_id IS NULL OR min(account_key) <> max(account_key)
ORDER BY account_id
