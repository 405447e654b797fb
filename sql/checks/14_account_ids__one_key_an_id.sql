-- Accounts without an id, and ids that stand for two keys.
-- grain: account_id
-- reads: account_ids
-- params: none
SELECT account_id, count(*) AS key_count
FROM account_ids
GROUP BY account_id
HAVING account_id IS NULL OR count(*) > 1
ORDER BY account_id
