-- How many accounts use each word in each half of their prompts: what a word is worth to the measures of topics. A word of one account is worth nothing to them.
-- grain: half, token
-- reads: account_words
-- params: none
WITH writers AS (
    SELECT half, count(DISTINCT account_key) AS account_total
    FROM account_words
    GROUP BY half
),
users AS (
    SELECT half, token, count(*) AS user_count
    FROM account_words
    GROUP BY half, token
    HAVING count(*) >= 2
)
SELECT users.half AS half, users.token AS token, users.user_count AS user_count, writers.account_total AS account_total
FROM users
JOIN writers ON writers.half = users.half
ORDER BY users.half, users.token
