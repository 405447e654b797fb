-- Conversations that more than one account used on a UTC day, a row an account; one or several days at once. What one account alone used is left out.
-- A turn is taken over by a request that follows another account's in the order of the conversation: `near` if within the hour for which relays
-- keep a conversation on an account. An account goes on with what another began if its own first request there already carries more messages than the
-- conversation began with (null: it began it, or messages are not counted). Requests of one instant stand in the order of their ids, wherever they were read.
-- Few conversations have two accounts: they are found on three columns, and only their rows are put in order.
-- grain: day, session_key, account_key
-- reads: requests
-- params: none
WITH wide AS (
  SELECT fx_div(ts_us, 86400000000) AS day_number, session_key
  FROM requests
  WHERE session_key IS NOT NULL
  GROUP BY fx_div(ts_us, 86400000000), session_key
  HAVING min(account_key) <> max(account_key)
),
turns AS (
  SELECT
    wide.day_number AS day_number,
    requests.session_key AS session_key,
    requests.account_key AS account_key,
    requests.ts_us AS ts_us,
    requests.message_count AS message_count,
    requests.is_opaque_session AS is_opaque,
    requests.request_id AS request_id,
    requests.source_file AS source_file,
    requests.source_row AS source_row,
    lag(requests.account_key) OVER (
      PARTITION BY wide.day_number, requests.session_key
      ORDER BY requests.ts_us, requests.request_id, requests.account_key, requests.source_file, requests.source_row
    ) AS account_before,
    lag(requests.ts_us) OVER (
      PARTITION BY wide.day_number, requests.session_key
      ORDER BY requests.ts_us, requests.request_id, requests.account_key, requests.source_file, requests.source_row
    ) AS ts_before,
    min(requests.message_count) OVER (PARTITION BY wide.day_number, requests.session_key) AS begun_with,
    row_number() OVER (
      PARTITION BY wide.day_number, requests.session_key, requests.account_key
      ORDER BY requests.ts_us, requests.request_id, requests.source_file, requests.source_row
    ) AS place
  FROM wide
  JOIN requests ON requests.session_key = wide.session_key AND fx_div(requests.ts_us, 86400000000) = wide.day_number
),
counted AS (
  SELECT
    day_number,
    session_key,
    account_key,
    count(*) AS request_count,
    min(ts_us) AS first_us,
    max(ts_us) AS last_us,
    count(CASE WHEN account_before <> account_key THEN 1 END) AS taken_count,
    count(CASE WHEN account_before <> account_key AND ts_us - ts_before <= 3600000000 THEN 1 END) AS near_count,
    max(CASE WHEN place = 1 AND account_before IS NOT NULL THEN CASE WHEN message_count > begun_with THEN 1 WHEN message_count IS NOT NULL THEN 0 END END) AS went_on,
    min(CASE WHEN is_opaque THEN 1 ELSE 0 END) AS is_opaque,
    max(CASE WHEN place = 1 THEN request_id END) AS request_id,
    max(CASE WHEN place = 1 THEN source_file END) AS source_file,
    max(CASE WHEN place = 1 THEN source_row END) AS source_row
  FROM turns
  GROUP BY day_number, session_key, account_key
)
SELECT
  fx_day(counted.first_us) AS day,
  counted.session_key AS session_key,
  counted.account_key AS account_key,
  counted.request_count AS request_count,
  counted.first_us AS first_us,
  counted.last_us AS last_us,
  counted.taken_count AS taken_count,
  counted.near_count AS near_count,
  counted.went_on = 1 AS is_continued,
  counted.is_opaque = 1 AS is_opaque,
  counted.request_id AS request_id,
  counted.source_file AS source_file,
  counted.source_row AS source_row
FROM counted
ORDER BY counted.day_number, counted.session_key, counted.account_key
