-- name: runs
SELECT run, partitions, count, newest_at_ms FROM dedupe_runs ORDER BY run;

-- name: insert_run
INSERT INTO dedupe_runs (run, partitions, count, newest_at_ms) VALUES (?, ?, ?, ?);

-- name: delete_run
DELETE FROM dedupe_runs WHERE run = ?;

-- name: insert_page
INSERT INTO dedupe_pages (page, digests) VALUES (?, ?);

-- name: page
SELECT digests FROM dedupe_pages WHERE page = ?;

-- name: pages
SELECT digests FROM dedupe_pages WHERE page >= ? AND page < ?;

-- name: delete_pages
DELETE FROM dedupe_pages WHERE page >= ? AND page < ?;
