-- Masked prompts that several accounts send but few of all, out of the sampled prompts: how many accounts, distinct prompts and sampled
-- requests stand behind each, largest first.
-- grain: skeleton_key
-- reads: prompt_samples
-- params: least_accounts BIGINT, most_accounts BIGINT, rows BIGINT
WITH templates AS (
  SELECT
    skeleton_key,
    count(DISTINCT account_key) AS account_count,
    count(DISTINCT prompt_key) AS prompt_count,
    CAST(sum(request_count) AS BIGINT) AS request_count
  FROM prompt_samples
  WHERE skeleton_key IS NOT NULL
  GROUP BY skeleton_key
),
ranked AS (
  SELECT
    skeleton_key,
    account_count,
    prompt_count,
    request_count,
    row_number() OVER (ORDER BY request_count DESC, skeleton_key) AS place
  FROM templates
  WHERE account_count >= $least_accounts AND account_count <= $most_accounts
)
SELECT skeleton_key, account_count, prompt_count, request_count
FROM ranked
WHERE place <= $rows
ORDER BY place
