-- name: insert
INSERT INTO chunks (first_offset, count, received_at_ms, raw_bytes, body) VALUES (?, ?, ?, ?, ?);

-- name: insert_ids
INSERT INTO chunk_ids (first_offset, received_at_ms, digests) VALUES (?, ?, ?);

-- name: last
SELECT first_offset, count, received_at_ms FROM chunks ORDER BY first_offset DESC LIMIT 1;

-- name: last_ids
SELECT first_offset, length(digests) / 16 FROM chunk_ids ORDER BY first_offset DESC LIMIT 1;

-- name: at_or_before
SELECT first_offset, count, received_at_ms FROM chunks WHERE first_offset <= ? ORDER BY first_offset DESC LIMIT 1;

-- name: heads_from
SELECT first_offset, count, received_at_ms FROM chunks WHERE first_offset >= ? ORDER BY first_offset;

-- name: bodies_from
SELECT first_offset, count, received_at_ms, raw_bytes, body FROM chunks WHERE first_offset >= ? ORDER BY first_offset;

-- name: ids_from
SELECT first_offset, received_at_ms, digests FROM chunk_ids WHERE first_offset >= ? ORDER BY first_offset;

-- name: ids_before
SELECT first_offset, digests FROM chunk_ids WHERE first_offset < ? ORDER BY first_offset DESC;

-- name: delete_some_ids
DELETE FROM chunk_ids WHERE first_offset IN (
    SELECT first_offset FROM chunk_ids WHERE first_offset < ? ORDER BY first_offset LIMIT ?
);

-- name: replace
UPDATE chunks SET body = ? WHERE first_offset = ?;

-- name: delete
DELETE FROM chunks WHERE first_offset = ?;
