-- Accounts without an id, and ids that stand for two keys; the ids may be of several days.
-- grain: account_id
-- reads: account_ids
-- params: none
SELECT account_id, count(DISTINCT account_key) AS key_count
FROM account_ids
GROUP BY account_id
HAVING account_id IS NULL OR count(DISTINCT account_key) > 1
ORDER BY account_id
