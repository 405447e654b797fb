-- Shared conversations that cannot be: more turns taken over than requests, more near ones than taken over, times outside the day or in the wrong order,
-- and conversations that one account alone used.
-- grain: day, session_key
-- reads: session_days
-- params: none
SELECT day, session_key
FROM session_days
GROUP BY day, session_key
HAVING
  day IS NULL
  OR session_key IS NULL
  OR count(DISTINCT account_key) < 2
  OR max(CASE WHEN account_key IS NOT NULL
    AND request_count >= 1
    AND taken_count BETWEEN 0 AND request_count
    AND near_count BETWEEN 0 AND taken_count
    AND first_us <= last_us
    AND fx_day(first_us) = day
    AND fx_day(last_us) = day
    THEN 0 ELSE 1 END) = 1
ORDER BY day, session_key
