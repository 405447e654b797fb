-- Words of the accounts whose topics are compared: of each product with enough entities the users with the smallest keys, and the accounts with
-- the smallest keys of all, four times as many (a key is a hash, so these are random choices that every run repeats). One account an
-- entity; only accounts with enough sampled prompts in both halves. Of an account that holds wording common to a client's users only the prompts that
-- carry it are compared: strangers' prompts sold on through the same program must not make an operator's accounts look unlike each other. Words are sampled by hash (the lowest eighth of 2^31), the same for every prompt and account.
-- grain: account_key, half, token
-- reads: window_samples, products, account_records, common_holders
-- params: public_client_entities BIGINT, topic_accounts BIGINT, topic_min_prompts BIGINT, template_min_shingles BIGINT
WITH people AS (
    SELECT
        account_key,
        CASE WHEN is_vouched AND organization_key IS NOT NULL THEN organization_key ELSE account_key END AS entity_key
    FROM account_records
),
sampled AS (
    SELECT account_key, prompt_key % 2 AS half
    FROM window_samples
    WHERE shingle_count > 0
    GROUP BY account_key, prompt_key % 2
    HAVING count(*) >= $topic_min_prompts
),
eligible AS (
    SELECT sampled.account_key AS account_key, people.entity_key AS entity_key
    FROM sampled
    JOIN people ON people.account_key = sampled.account_key
    GROUP BY sampled.account_key, people.entity_key
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
brought AS (
    SELECT DISTINCT value_key
    FROM common_holders
    WHERE kind = 'template'
),
holders AS (
    SELECT account_key
    FROM common_holders
    WHERE kind = 'template'
    GROUP BY account_key
    HAVING count(*) >= $template_min_shingles
),
texts AS (
    SELECT samples.account_key AS account_key, samples.prompt_key AS prompt_key, samples.shingles AS shingles, samples.tokens AS tokens, holders.account_key AS holder_key
    FROM window_samples AS samples
    JOIN chosen ON chosen.account_key = samples.account_key
    LEFT JOIN holders ON holders.account_key = samples.account_key
    WHERE samples.shingle_count > 0
),
spread AS (
    SELECT account_key, prompt_key, CAST(fx_unnest(shingles) AS BIGINT) AS shingle
    FROM texts
    WHERE holder_key IS NOT NULL
),
carrying AS (
    SELECT spread.account_key AS account_key, spread.prompt_key AS prompt_key
    FROM spread
    JOIN brought ON brought.value_key = spread.shingle
    GROUP BY spread.account_key, spread.prompt_key
    HAVING count(*) >= $template_min_shingles
),
compared AS (
    SELECT texts.account_key AS account_key, texts.prompt_key % 2 AS half, texts.tokens AS tokens
    FROM texts
    LEFT JOIN carrying ON carrying.account_key = texts.account_key AND carrying.prompt_key = texts.prompt_key
    WHERE texts.holder_key IS NULL OR carrying.prompt_key IS NOT NULL
),
documents AS (
    SELECT account_key, half, count(*) AS document_total
    FROM compared
    GROUP BY account_key, half
    HAVING count(*) >= $topic_min_prompts
),
complete AS (
    SELECT account_key
    FROM documents
    GROUP BY account_key
    HAVING count(*) = 2
),
words AS (
    SELECT compared.account_key AS account_key, compared.half AS half, CAST(fx_unnest(compared.tokens) AS BIGINT) AS token
    FROM compared
    JOIN complete ON complete.account_key = compared.account_key
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
