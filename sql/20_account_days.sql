-- Each account's UTC day, of one or several days at once, in integers that merge: counts, sums, and histograms of hours, gaps and prompt lengths.
-- Gap bins grow eightfold: g00 holds gaps under 1,024 us and g09 those from 2^34 us (4.8 h). Length bins double: c00 holds prompts
-- under 64 characters and c09 those from 16,384. A harvested request succeeded, generated text and was not answered from a gateway's
-- cache; its output is cut at 2^20 tokens, so that a BIGINT holds the sum of squares over any window. Gaps that bridge two
-- days are found from first_us and last_us when days are merged. Gaps are counted apart from the rest because a window function
-- carries every column it sees, and CASE stands where FILTER could because DuckDB copies a row once for each FILTER.
-- grain: day, account_key
-- reads: requests
-- params: none
WITH arrivals AS (
  SELECT
    fx_div(ts_us, 86400000000) AS day_number,
    account_key,
    ts_us,
    ts_us - lag(ts_us) OVER (PARTITION BY fx_div(ts_us, 86400000000), account_key ORDER BY ts_us) AS gap_us
  FROM requests
),
gaps AS (
  SELECT
    day_number,
    account_key,
    min(ts_us) AS first_us,
    max(ts_us) AS last_us,
    max(gap_us) AS longest_gap_us,
    CAST(coalesce(sum(fx_div(gap_us, 1000) * fx_div(gap_us, 1000)), 0) AS BIGINT) AS gap_ms_squared,
    count(CASE WHEN gap_us < 1024 THEN 1 END) AS g00,
    count(CASE WHEN gap_us >= 1024 AND gap_us < 8192 THEN 1 END) AS g01,
    count(CASE WHEN gap_us >= 8192 AND gap_us < 65536 THEN 1 END) AS g02,
    count(CASE WHEN gap_us >= 65536 AND gap_us < 524288 THEN 1 END) AS g03,
    count(CASE WHEN gap_us >= 524288 AND gap_us < 4194304 THEN 1 END) AS g04,
    count(CASE WHEN gap_us >= 4194304 AND gap_us < 33554432 THEN 1 END) AS g05,
    count(CASE WHEN gap_us >= 33554432 AND gap_us < 268435456 THEN 1 END) AS g06,
    count(CASE WHEN gap_us >= 268435456 AND gap_us < 2147483648 THEN 1 END) AS g07,
    count(CASE WHEN gap_us >= 2147483648 AND gap_us < 17179869184 THEN 1 END) AS g08,
    count(CASE WHEN gap_us >= 17179869184 THEN 1 END) AS g09
  FROM arrivals
  GROUP BY day_number, account_key
),
calls AS (
  SELECT
    fx_div(ts_us, 86400000000) AS day_number,
    account_key,
    fx_div(ts_us, 3600000000) % 24 AS hour_of_day,
    CASE
      WHEN coalesce(is_rate_limited, false) OR coalesce(status_code, 0) = 429 THEN 2
      WHEN coalesce(status_code, 0) >= 400 THEN 1
      ELSE 0
    END AS outcome,
    CASE
      WHEN NOT coalesce(is_rate_limited, false) AND coalesce(status_code, 0) < 400 AND coalesce(operation, 'chat') NOT IN ('embeddings', 'count_tokens')
        AND NOT coalesce(is_cached_response, false) AND output_tokens IS NOT NULL
        THEN least(output_tokens, 1048576)
    END AS harvest_tokens,
    is_cached_response,
    policy_action,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    reasoning_tokens,
    CASE WHEN max_tokens > 0 AND output_tokens IS NOT NULL THEN max_tokens END AS answered_cap,
    CAST(temperature_milli AS BIGINT) AS temperature_milli,
    stream,
    is_batch,
    finish_reason,
    cost_micro_usd,
    session_key,
    CAST(message_count AS BIGINT) AS message_count,
    CAST(prompt_chars AS BIGINT) AS prompt_chars
  FROM requests
),
counted AS (
  SELECT
    day_number,
    account_key,
    count(*) AS request_count,
    count(CASE WHEN outcome = 0 THEN 1 END) AS ok_count,
    count(CASE WHEN outcome = 1 THEN 1 END) AS error_count,
    count(CASE WHEN outcome = 2 THEN 1 END) AS rate_limited_count,
    count(CASE WHEN is_cached_response THEN 1 END) AS cached_response_count,
    count(CASE WHEN policy_action <> 'none' THEN 1 END) AS policy_count,
    count(policy_action) AS policy_known_count,
    count(harvest_tokens) AS harvest_count,
    CAST(coalesce(sum(harvest_tokens), 0) AS BIGINT) AS harvest_tokens,
    CAST(coalesce(sum(harvest_tokens * harvest_tokens), 0) AS BIGINT) AS harvest_tokens_squared,
    CAST(coalesce(sum(CASE WHEN input_tokens IS NOT NULL THEN harvest_tokens END), 0) AS BIGINT) AS ratio_output_tokens,
    CAST(coalesce(sum(CASE WHEN harvest_tokens IS NOT NULL THEN input_tokens END), 0) AS BIGINT) AS ratio_input_tokens,
    CAST(coalesce(sum(input_tokens), 0) AS BIGINT) AS input_tokens,
    count(input_tokens) AS input_known_count,
    CAST(coalesce(sum(output_tokens), 0) AS BIGINT) AS output_tokens,
    CAST(coalesce(sum(cache_read_tokens), 0) AS BIGINT) AS cache_read_tokens,
    CAST(coalesce(sum(CASE WHEN cache_read_tokens IS NOT NULL THEN input_tokens END), 0) AS BIGINT) AS cache_known_input_tokens,
    CAST(coalesce(sum(reasoning_tokens), 0) AS BIGINT) AS reasoning_tokens,
    CAST(coalesce(sum(CASE WHEN reasoning_tokens IS NOT NULL THEN output_tokens END), 0) AS BIGINT) AS reasoning_known_output_tokens,
    CAST(coalesce(sum(cost_micro_usd), 0) AS BIGINT) AS cost_micro_usd,
    count(cost_micro_usd) AS cost_known_count,
    count(CASE WHEN stream THEN 1 END) AS stream_count,
    count(stream) AS stream_known_count,
    count(CASE WHEN is_batch THEN 1 END) AS batch_count,
    count(is_batch) AS batch_known_count,
    count(CASE WHEN finish_reason = 'length' THEN 1 END) AS length_finish_count,
    count(finish_reason) AS finish_known_count,
    CAST(coalesce(sum(CASE WHEN answered_cap IS NOT NULL THEN fx_div(1000 * least(output_tokens, answered_cap), answered_cap) END), 0) AS BIGINT) AS max_tokens_use_milli,
    count(answered_cap) AS max_tokens_use_count,
    count(temperature_milli) AS temperature_known_count,
    CAST(coalesce(sum(temperature_milli), 0) AS BIGINT) AS temperature_milli,
    CAST(coalesce(sum(temperature_milli * temperature_milli), 0) AS BIGINT) AS temperature_milli_squared,
    count(CASE WHEN message_count <= 1 THEN 1 END) AS single_turn_count,
    count(message_count) AS message_known_count,
    CAST(coalesce(sum(message_count), 0) AS BIGINT) AS message_count,
    max(message_count) AS max_message_count,
    count(session_key) AS session_known_count,
    count(prompt_chars) AS prompt_known_count,
    CAST(coalesce(sum(prompt_chars), 0) AS BIGINT) AS prompt_chars,
    count(CASE WHEN hour_of_day = 0 THEN 1 END) AS h00,
    count(CASE WHEN hour_of_day = 1 THEN 1 END) AS h01,
    count(CASE WHEN hour_of_day = 2 THEN 1 END) AS h02,
    count(CASE WHEN hour_of_day = 3 THEN 1 END) AS h03,
    count(CASE WHEN hour_of_day = 4 THEN 1 END) AS h04,
    count(CASE WHEN hour_of_day = 5 THEN 1 END) AS h05,
    count(CASE WHEN hour_of_day = 6 THEN 1 END) AS h06,
    count(CASE WHEN hour_of_day = 7 THEN 1 END) AS h07,
    count(CASE WHEN hour_of_day = 8 THEN 1 END) AS h08,
    count(CASE WHEN hour_of_day = 9 THEN 1 END) AS h09,
    count(CASE WHEN hour_of_day = 10 THEN 1 END) AS h10,
    count(CASE WHEN hour_of_day = 11 THEN 1 END) AS h11,
    count(CASE WHEN hour_of_day = 12 THEN 1 END) AS h12,
    count(CASE WHEN hour_of_day = 13 THEN 1 END) AS h13,
    count(CASE WHEN hour_of_day = 14 THEN 1 END) AS h14,
    count(CASE WHEN hour_of_day = 15 THEN 1 END) AS h15,
    count(CASE WHEN hour_of_day = 16 THEN 1 END) AS h16,
    count(CASE WHEN hour_of_day = 17 THEN 1 END) AS h17,
    count(CASE WHEN hour_of_day = 18 THEN 1 END) AS h18,
    count(CASE WHEN hour_of_day = 19 THEN 1 END) AS h19,
    count(CASE WHEN hour_of_day = 20 THEN 1 END) AS h20,
    count(CASE WHEN hour_of_day = 21 THEN 1 END) AS h21,
    count(CASE WHEN hour_of_day = 22 THEN 1 END) AS h22,
    count(CASE WHEN hour_of_day = 23 THEN 1 END) AS h23,
    count(CASE WHEN prompt_chars < 64 THEN 1 END) AS c00,
    count(CASE WHEN prompt_chars >= 64 AND prompt_chars < 128 THEN 1 END) AS c01,
    count(CASE WHEN prompt_chars >= 128 AND prompt_chars < 256 THEN 1 END) AS c02,
    count(CASE WHEN prompt_chars >= 256 AND prompt_chars < 512 THEN 1 END) AS c03,
    count(CASE WHEN prompt_chars >= 512 AND prompt_chars < 1024 THEN 1 END) AS c04,
    count(CASE WHEN prompt_chars >= 1024 AND prompt_chars < 2048 THEN 1 END) AS c05,
    count(CASE WHEN prompt_chars >= 2048 AND prompt_chars < 4096 THEN 1 END) AS c06,
    count(CASE WHEN prompt_chars >= 4096 AND prompt_chars < 8192 THEN 1 END) AS c07,
    count(CASE WHEN prompt_chars >= 8192 AND prompt_chars < 16384 THEN 1 END) AS c08,
    count(CASE WHEN prompt_chars >= 16384 THEN 1 END) AS c09
  FROM calls
  GROUP BY day_number, account_key
)
SELECT
  fx_day(gaps.first_us) AS day,
  counted.account_key AS account_key,
  counted.request_count AS request_count,
  counted.ok_count AS ok_count,
  counted.error_count AS error_count,
  counted.rate_limited_count AS rate_limited_count,
  counted.cached_response_count AS cached_response_count,
  counted.policy_count AS policy_count,
  counted.policy_known_count AS policy_known_count,
  counted.harvest_count AS harvest_count,
  counted.harvest_tokens AS harvest_tokens,
  counted.harvest_tokens_squared AS harvest_tokens_squared,
  counted.ratio_output_tokens AS ratio_output_tokens,
  counted.ratio_input_tokens AS ratio_input_tokens,
  counted.input_tokens AS input_tokens,
  counted.input_known_count AS input_known_count,
  counted.output_tokens AS output_tokens,
  counted.cache_read_tokens AS cache_read_tokens,
  counted.cache_known_input_tokens AS cache_known_input_tokens,
  counted.reasoning_tokens AS reasoning_tokens,
  counted.reasoning_known_output_tokens AS reasoning_known_output_tokens,
  counted.cost_micro_usd AS cost_micro_usd,
  counted.cost_known_count AS cost_known_count,
  counted.stream_count AS stream_count,
  counted.stream_known_count AS stream_known_count,
  counted.batch_count AS batch_count,
  counted.batch_known_count AS batch_known_count,
  counted.length_finish_count AS length_finish_count,
  counted.finish_known_count AS finish_known_count,
  counted.max_tokens_use_milli AS max_tokens_use_milli,
  counted.max_tokens_use_count AS max_tokens_use_count,
  counted.temperature_known_count AS temperature_known_count,
  counted.temperature_milli AS temperature_milli,
  counted.temperature_milli_squared AS temperature_milli_squared,
  counted.single_turn_count AS single_turn_count,
  counted.message_known_count AS message_known_count,
  counted.message_count AS message_count,
  counted.max_message_count AS max_message_count,
  counted.session_known_count AS session_known_count,
  counted.prompt_known_count AS prompt_known_count,
  counted.prompt_chars AS prompt_chars,
  gaps.first_us AS first_us,
  gaps.last_us AS last_us,
  gaps.longest_gap_us AS longest_gap_us,
  gaps.gap_ms_squared AS gap_ms_squared,
  CAST(least(counted.h00, 1) + least(counted.h01, 1) + least(counted.h02, 1) + least(counted.h03, 1) + least(counted.h04, 1) + least(counted.h05, 1) + least(counted.h06, 1) + least(counted.h07, 1)
    + least(counted.h08, 1) + least(counted.h09, 1) + least(counted.h10, 1) + least(counted.h11, 1) + least(counted.h12, 1) + least(counted.h13, 1) + least(counted.h14, 1) + least(counted.h15, 1)
    + least(counted.h16, 1) + least(counted.h17, 1) + least(counted.h18, 1) + least(counted.h19, 1) + least(counted.h20, 1) + least(counted.h21, 1) + least(counted.h22, 1) + least(counted.h23, 1) AS BIGINT) AS active_hours,
  counted.h00 AS h00, counted.h01 AS h01, counted.h02 AS h02, counted.h03 AS h03, counted.h04 AS h04, counted.h05 AS h05,
  counted.h06 AS h06, counted.h07 AS h07, counted.h08 AS h08, counted.h09 AS h09, counted.h10 AS h10, counted.h11 AS h11,
  counted.h12 AS h12, counted.h13 AS h13, counted.h14 AS h14, counted.h15 AS h15, counted.h16 AS h16, counted.h17 AS h17,
  counted.h18 AS h18, counted.h19 AS h19, counted.h20 AS h20, counted.h21 AS h21, counted.h22 AS h22, counted.h23 AS h23,
  gaps.g00 AS g00, gaps.g01 AS g01, gaps.g02 AS g02, gaps.g03 AS g03, gaps.g04 AS g04,
  gaps.g05 AS g05, gaps.g06 AS g06, gaps.g07 AS g07, gaps.g08 AS g08, gaps.g09 AS g09,
  counted.c00 AS c00, counted.c01 AS c01, counted.c02 AS c02, counted.c03 AS c03, counted.c04 AS c04,
  counted.c05 AS c05, counted.c06 AS c06, counted.c07 AS c07, counted.c08 AS c08, counted.c09 AS c09
FROM counted
JOIN gaps ON gaps.day_number = counted.day_number AND gaps.account_key = counted.account_key
ORDER BY counted.day_number, counted.account_key
