-- Entities without a value, of a kind that schema.py does not name, or that stand for no request.
-- grain: kind, account_key, value_key
-- reads: account_entities
-- params: none
SELECT kind, account_key, value_key
FROM account_entities
WHERE
  kind IS NULL
  OR account_key IS NULL
  OR value_key IS NULL
  OR value_key < 0
  OR request_count < 1
  OR kind NOT IN (
    'ip', 'ip_prefix', 'asn', 'country', 'agent', 'agent_product', 'ja4', 'stack', 'headers', 'api_key', 'end_user', 'system', 'tools', 'settings', 'model'
  )
ORDER BY kind, account_key, value_key
