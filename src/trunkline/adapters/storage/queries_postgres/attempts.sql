-- The attempt log: partitioned by time, append-only. Numbers are drawn under the lock of the commit, so they grow with it.

-- fragment: attempt_columns
seq, at_ms, contact_centre_id, step, list_id, chain_id, chain_n, record_id, campaign_id, campaign_group_id, agent_id,
attempt_guid, number_key, person_key, time_zone, other_zones, region, call_result, record_type, from_s, until_s,
rule_set_id, rule_set_version, is_lead, detail

-- fragment: past_columns
seq, at_ms, step, call_result, record_type, campaign_id, number_key, person_key, attempt_guid

-- name: write_attempts
-- Append rows in order.
INSERT INTO attempt_log (
    at_ms, contact_centre_id, step, list_id, chain_id, chain_n, record_id, campaign_id, campaign_group_id, agent_id,
    attempt_guid, number_key, person_key, time_zone, other_zones, region, call_result, record_type, from_s, until_s,
    rule_set_id, rule_set_version, is_lead, detail
)
SELECT * FROM unnest(
    $1::bigint[], $2::integer[], $3::smallint[], $4::integer[], $5::bigint[], $6::integer[], $7::bigint[],
    $8::integer[], $9::integer[], $10::integer[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text[], $17::smallint[], $18::smallint[], $19::integer[], $20::integer[], $21::integer[], $22::integer[],
    $23::smallint[], $24::text[]
)

-- name: attempts_of
-- What attempt rules need of the numbers ($2) and persons ($3) since $4: of each the newest $5 rows. 0, 1 and 5 are the
-- steps that they are computed from. Only the parts of those times are looked at. One search a key, in the order of an index, because
-- for all keys at once the planner may read a fresh part, of which it knows nothing, from one end to the other.
SELECT DISTINCT ON (seq) $past_columns
FROM (
    SELECT of_number.*
    FROM unnest($2::text[]) AS k (key)
    CROSS JOIN LATERAL (
        SELECT $past_columns FROM attempt_log
        WHERE contact_centre_id = $1 AND number_key = k.key AND at_ms >= $4 AND step IN (0, 1, 5)
        ORDER BY at_ms DESC, seq DESC LIMIT $5
    ) AS of_number
    UNION ALL
    SELECT of_person.*
    FROM unnest($3::text[]) AS k (key)
    CROSS JOIN LATERAL (
        SELECT $past_columns FROM attempt_log
        WHERE contact_centre_id = $1 AND person_key = k.key AND at_ms >= $4 AND step IN (0, 1, 5)
        ORDER BY at_ms DESC, seq DESC LIMIT $5
    ) AS of_person
) AS found
ORDER BY seq

-- name: attempts_of_chain
-- The newest $4 rows about a chain, newest first.
SELECT $attempt_columns
FROM attempt_log
WHERE contact_centre_id = $1 AND list_id = $2 AND chain_id = $3
ORDER BY at_ms DESC, seq DESC
LIMIT $4

-- name: attempts
-- The first $6 rows of a contact centre (of all: null) behind $2 within $3 to $4 whose step is one of $5 (all, when there is none).
SELECT $attempt_columns
FROM attempt_log
WHERE ($1::integer IS NULL OR contact_centre_id = $1) AND seq > $2 AND at_ms >= $3 AND at_ms < $4
    AND (cardinality($5::smallint[]) = 0 OR step = ANY ($5::smallint[]))
ORDER BY seq
LIMIT $6

-- name: newest_attempt
-- The newest row's number. An index look-up in each part.
SELECT coalesce(max(seq), 0) FROM attempt_log
