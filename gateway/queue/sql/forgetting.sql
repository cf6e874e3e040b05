-- name: get_suppression
SELECT key, tombstones_until FROM suppression;

-- name: set_suppression
INSERT OR REPLACE INTO suppression (id, key, tombstones_until) VALUES (1, ?, ?);

-- name: raise_tombstones
UPDATE suppression SET tombstones_until = max(tombstones_until, ?);

-- name: digests
SELECT digest FROM suppressed;

-- name: suppress
INSERT OR IGNORE INTO suppressed (digest) VALUES (?);

-- name: insert
INSERT INTO forgetting (step, asked_at_ms, position, fence, subject, report)
VALUES (:step, :asked_at_ms, 0, 0, :subject, :report) RETURNING id;

-- name: restore
INSERT INTO forgetting (id, step, asked_at_ms, finished_at_ms, position, fence, subject, report)
VALUES (:id, :step, :asked_at_ms, :finished_at_ms, :position, :fence, :subject, :report);

-- name: save
UPDATE forgetting SET
    step = :step, finished_at_ms = :finished_at_ms, position = :position, fence = :fence, subject = :subject,
    report = :report
WHERE id = :id;

-- name: all
SELECT id, step, asked_at_ms, finished_at_ms, position, fence, subject, report FROM forgetting ORDER BY id;

-- name: open
SELECT id, step, asked_at_ms, finished_at_ms, position, fence, subject, report FROM forgetting
WHERE step <> 'done' ORDER BY id;

-- name: get
SELECT id, step, asked_at_ms, finished_at_ms, position, fence, subject, report FROM forgetting WHERE id = ?;

-- name: trim
DELETE FROM forgetting WHERE step = 'done' AND id NOT IN (
    SELECT id FROM forgetting WHERE step = 'done' ORDER BY id DESC LIMIT ?
);
