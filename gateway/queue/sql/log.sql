-- name: create
INSERT INTO log (id, log_id, digest_seed, first_offset, head_floor, sealed_offset, delivering, replays)
VALUES (1, :log_id, :digest_seed, :first_offset, :head_floor, :first_offset, :delivering, :replays);

-- name: get
SELECT log_id, digest_seed, first_offset, head_floor, sealed_offset, delivering, replays FROM log;

-- name: set_first_offset
UPDATE log SET first_offset = :first_offset;

-- name: set_sealed_offset
UPDATE log SET sealed_offset = :sealed_offset;

-- name: set_delivering
UPDATE log SET delivering = 1 WHERE delivering = 0;

-- name: count_replay
UPDATE log SET replays = replays + 1 RETURNING replays;

-- name: raise_head_floor
UPDATE log SET head_floor = max(head_floor, :head_offset);
