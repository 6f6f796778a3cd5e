-- Usual rates over the last rows of widget.interval-metrics.v1, one row a key, maps as JSON.
-- Sums first, then one division: an average of averages is wrong. Written for PostgreSQL.
SELECT
    scope_type,
    scope_id,
    -- Service level: answered within 20 s, of all that were offered.
    1.0 * SUM(CAST(answered_within ->> '20' AS INTEGER)) / NULLIF(SUM(calls_offered), 0) AS service_level_20s,
    -- Answer rate of legs, and of calls (scopes above EXTENSION).
    1.0 * SUM(calls_answered) / NULLIF(SUM(calls_offered), 0) AS answer_rate,
    1.0 * SUM(distinct_calls_answered) / NULLIF(SUM(distinct_calls_offered), 0) AS call_answer_rate,
    -- Abandonment rate of calls.
    1.0 * SUM(distinct_calls_abandoned) / NULLIF(SUM(distinct_calls_offered), 0) AS abandonment_rate,
    -- Average speed of answer, seconds.
    SUM(ring_ms) / 1000.0 / NULLIF(SUM(calls_answered), 0) AS average_speed_of_answer_seconds,
    -- Average handle time (AHT), seconds, inbound and outbound.
    SUM(handle_ms) / 1000.0 / NULLIF(SUM(calls_answered + calls_outbound_connected), 0) AS average_handle_seconds,
    -- Occupancy: time with a call, of all time in which one was there for calls.
    1.0 * SUM(busy_ms) / NULLIF(SUM(busy_ms + free_ms), 0) AS occupancy
FROM (
    SELECT
        interval_metrics.*,
        COALESCE(CAST(activity_ms ->> 'ON_CALL' AS BIGINT), 0)
        + COALESCE(CAST(activity_ms ->> 'ON_HOLD' AS BIGINT), 0)
        + COALESCE(CAST(activity_ms ->> 'RINGING' AS BIGINT), 0) AS busy_ms,
        COALESCE(CAST(activity_ms ->> 'AVAILABLE' AS BIGINT), 0) AS free_ms
    FROM interval_metrics
) AS spent
-- One length of window only: each call counts in the minute, the quarter, the half hour and the day.
WHERE window_seconds = 900
GROUP BY scope_type, scope_id
ORDER BY scope_type, scope_id;
