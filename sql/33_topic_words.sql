-- Words of the accounts whose topics are compared: of each product with enough entities the users with the smallest keys, and the accounts with
-- the smallest keys of all, four times as many (a key is a hash, so these are random choices that every run repeats). One account an
-- entity; only accounts with enough sampled prompts in both halves. Words are sampled by hash (the lowest eighth of 2^31), the same for every prompt and account.
-- grain: account_key, half, token
-- reads: window_samples, products, account_records
-- params: public_client_entities BIGINT, topic_accounts BIGINT, topic_min_prompts BIGINT
WITH people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
documents AS (
    SELECT account_key, prompt_key % 2 AS half, count(*) AS document_total
    FROM window_samples
    WHERE shingle_count > 0
    GROUP BY account_key, prompt_key % 2
    HAVING count(*) >= $topic_min_prompts
),
eligible AS (
    SELECT documents.account_key AS account_key, people.entity_key AS entity_key
    FROM documents
    JOIN people ON people.account_key = documents.account_key
    GROUP BY documents.account_key, people.entity_key
    HAVING count(*) = 2
),
large AS (
    SELECT products.value_key AS product
    FROM products
    JOIN people ON people.account_key = products.account_key
    GROUP BY products.value_key
    HAVING count(DISTINCT people.entity_key) >= $public_client_entities
),
users AS (
    SELECT products.value_key AS product, eligible.entity_key AS entity_key, min(eligible.account_key) AS account_key
    FROM products
    JOIN large ON large.product = products.value_key
    JOIN eligible ON eligible.account_key = products.account_key
    GROUP BY products.value_key, eligible.entity_key
),
ranked_users AS (
    SELECT account_key, row_number() OVER (PARTITION BY product ORDER BY account_key) AS place
    FROM users
),
strangers AS (
    SELECT entity_key, min(account_key) AS account_key
    FROM eligible
    GROUP BY entity_key
),
ranked_strangers AS (
    SELECT account_key, row_number() OVER (ORDER BY account_key) AS place
    FROM strangers
),
chosen AS (
    SELECT account_key FROM ranked_users WHERE place <= $topic_accounts
    UNION
    SELECT account_key FROM ranked_strangers WHERE place <= 4 * $topic_accounts
),
words AS (
    SELECT samples.account_key AS account_key, samples.prompt_key % 2 AS half, CAST(fx_unnest(samples.tokens) AS BIGINT) AS token
    FROM window_samples AS samples
    JOIN chosen ON chosen.account_key = samples.account_key
    WHERE samples.shingle_count > 0
),
counted AS (
    SELECT account_key, half, token, count(*) AS document_count
    FROM words
    WHERE token < 268435456
    GROUP BY account_key, half, token
)
SELECT
    counted.account_key AS account_key,
    counted.half AS half,
    counted.token AS token,
    counted.document_count AS document_count,
    documents.document_total AS document_total
FROM counted
JOIN documents ON documents.account_key = counted.account_key AND documents.half = counted.half
ORDER BY counted.account_key, counted.half, counted.token
