-- name: insert
INSERT INTO rejects (at_ms, source, reason, detail, ip, size, body) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: total_size
SELECT coalesce(sum(size), 0) FROM rejects;

-- name: newest
SELECT at_ms, source, reason, detail, ip, body FROM rejects WHERE at_ms > ? ORDER BY id DESC LIMIT ?;

-- name: oldest
SELECT id, at_ms, size FROM rejects ORDER BY id LIMIT ?;

-- name: all
SELECT id, at_ms, source, reason, detail, ip, body FROM rejects ORDER BY id;

-- name: delete
DELETE FROM rejects WHERE id = ?;

-- name: delete_through
DELETE FROM rejects WHERE id <= ?;
