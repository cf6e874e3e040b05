-- name: insert
INSERT INTO cursors (destination, start_offset, next_offset, end_offset)
VALUES (:destination, :next_offset, :next_offset, :end_offset)
ON CONFLICT (destination) DO NOTHING;

-- name: restore
INSERT INTO cursors (
    destination, start_offset, next_offset, delivered, dead, filtered, retrying, retry, end_offset, ledger, dead_kept
) VALUES (
    :destination, :start_offset, :next_offset, :delivered, :dead, :filtered, :retrying, :retry, :end_offset, :ledger, 0
);

-- name: get
SELECT destination, start_offset, next_offset, delivered, dead, filtered, retrying, retry, end_offset
FROM cursors WHERE destination = ?;

-- name: all
SELECT destination, start_offset, next_offset, delivered, dead, filtered, retrying, retry, end_offset
FROM cursors ORDER BY destination;

-- name: salvageable
SELECT destination, start_offset, next_offset, delivered, dead, filtered, retrying, retry, end_offset, ledger
FROM cursors ORDER BY destination;

-- name: ledger
SELECT ledger FROM cursors WHERE destination = ?;

-- name: dead_kept
SELECT destination, dead_kept FROM cursors;

-- name: advance
UPDATE cursors SET
    next_offset = :next_offset,
    delivered = delivered + :delivered,
    filtered = filtered + :filtered,
    dead = dead + :dead,
    dead_kept = dead_kept + :dead,
    retrying = retrying + :retrying
WHERE destination = :destination;

-- name: set_retry
UPDATE cursors SET retry = :retry WHERE destination = :destination;

-- name: rewind
UPDATE cursors SET
    start_offset = :next_offset,
    next_offset = :next_offset,
    delivered = 0,
    dead = 0,
    filtered = 0,
    retrying = 0,
    ledger = ledger + 1
WHERE destination = :destination;

-- name: count_settled
UPDATE cursors SET delivered = delivered + 1, retrying = retrying - 1
WHERE destination = :destination AND ledger = :ledger;

-- name: count_dead
UPDATE cursors SET dead = dead + :letters, retrying = retrying - :letters
WHERE destination = :destination AND ledger = :ledger;

-- name: count_forgotten
UPDATE cursors SET filtered = filtered + 1, retrying = retrying - 1
WHERE destination = :destination AND ledger = :ledger;

-- name: count_kept
UPDATE cursors SET dead_kept = dead_kept + :letters WHERE destination = :destination;

-- name: delete
DELETE FROM cursors WHERE destination = ?;

-- name: replays_of
SELECT destination FROM cursors
WHERE destination >= :destination || '#replay-' AND destination < :destination || '#replay.';

-- name: slowest
SELECT min(next_offset) FROM cursors WHERE end_offset IS NULL OR next_offset < end_offset;

-- name: bury_lost
UPDATE cursors SET dead = dead + retrying - :found, retrying = :found WHERE destination = :destination;
