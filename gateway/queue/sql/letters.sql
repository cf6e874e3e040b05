-- name: insert
INSERT INTO letters (
    destination, ledger, event_offset, message_id, source, received_at_ms, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, envelope, event
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: restore
INSERT INTO letters (
    id, destination, ledger, event_offset, message_id, source, received_at_ms, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, envelope, event
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: salvageable
SELECT
    id, destination, ledger, event_offset, message_id, source, received_at_ms, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, envelope, event
FROM letters WHERE id >= ? ORDER BY id LIMIT 1;

-- name: last_id
SELECT id FROM letters ORDER BY id DESC LIMIT 1;

-- name: reserve_ids
INSERT INTO sqlite_sequence (name, seq) VALUES ('letters', ?);

-- name: get
SELECT
    destination, event_offset, message_id, source, received_at_ms, event, envelope, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, id
FROM letters WHERE id = ?;

-- name: due
SELECT
    destination, event_offset, message_id, source, received_at_ms, event, envelope, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, id
FROM letters
WHERE destination = :destination AND state = 'retry' AND next_attempt_at_ms <= :now_ms
ORDER BY next_attempt_at_ms, id LIMIT :limit;

-- name: of_destination
SELECT
    destination, event_offset, message_id, source, received_at_ms, event, envelope, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, id
FROM letters WHERE destination = :destination AND state = :state AND id > :after_id ORDER BY id LIMIT :limit;

-- name: of_state
SELECT
    destination, event_offset, message_id, source, received_at_ms, event, envelope, state, reason, error, attempts,
    failing_since_ms, next_attempt_at_ms, id
FROM letters WHERE state = :state AND id > :after_id ORDER BY id LIMIT :limit;

-- name: owner
SELECT destination, ledger, state FROM letters WHERE id = ?;

-- name: delete
DELETE FROM letters WHERE id = ?;

-- name: postpone
UPDATE letters SET attempts = :attempts, next_attempt_at_ms = :next_attempt_at_ms, error = :error
WHERE id = :id AND state = 'retry';

-- name: bury
UPDATE letters SET state = 'dead', attempts = attempts + 1, reason = :reason, error = :error WHERE id = :id;

-- name: blank_error
UPDATE letters SET error = '' WHERE id = ?;

-- name: revive
UPDATE letters SET state = 'retry', attempts = 0, failing_since_ms = :now_ms, next_attempt_at_ms = :now_ms
WHERE id = :id;

-- name: some_dead
SELECT id FROM letters WHERE destination = ? AND state = 'dead' AND id > ? ORDER BY id LIMIT ?;

-- name: some_superseded
SELECT id FROM letters JOIN cursors USING (destination)
WHERE destination = ? AND event_offset >= ? AND letters.ledger < cursors.ledger LIMIT ?;

-- name: some
SELECT id FROM letters WHERE destination = ? LIMIT ?;

-- name: count_retrying
SELECT count(*) FROM letters JOIN cursors USING (destination, ledger)
WHERE destination = ? AND state = 'retry';
