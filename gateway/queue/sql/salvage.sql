-- name: begin
INSERT INTO salvage (id, directory, next_letter_id, next_offset, end_offset)
VALUES (1, :directory, :next_letter_id, :next_offset, :end_offset);

-- name: get
SELECT directory, next_letter_id, next_offset, end_offset FROM salvage;

-- name: set_next_letter_id
UPDATE salvage SET next_letter_id = ?;

-- name: set_next_offset
UPDATE salvage SET next_offset = ?;

-- name: finish
DELETE FROM salvage;
