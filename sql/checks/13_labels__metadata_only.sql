-- Labels of a kind that is an identifier or content, or longer than 200 characters.
-- grain: kind, value_key
-- reads: labels
-- params: none
SELECT kind, value_key
FROM labels
WHERE kind NOT IN ('agent', 'agent_product', 'ja4') OR value_key IS NULL OR label IS NULL OR length(label) > 200
ORDER BY kind, value_key
