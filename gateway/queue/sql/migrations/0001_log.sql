-- The log, its readers, and what is kept about both.

CREATE TABLE log (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id TEXT NOT NULL,
    digest_seed INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,  -- everything before it was removed
    head_floor INTEGER NOT NULL,    -- offsets below it were given out, even if no chunk is left to show it
    sealed_offset INTEGER NOT NULL, -- the ids of all events before it lie in dedupe_pages
    delivering INTEGER NOT NULL,    -- 1 once any reader has recorded an outcome
    replays INTEGER NOT NULL        -- replays ever started, so that a name is never used twice
) STRICT;

-- The bodies come last in their rows: the columns before them are read without walking a body's pages.
CREATE TABLE chunks (
    first_offset INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL, -- of the latest event
    raw_bytes INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- A row for each chunk; it outlives the chunk until its ids are sealed into dedupe_pages.
CREATE TABLE chunk_ids (
    first_offset INTEGER PRIMARY KEY,
    received_at_ms INTEGER NOT NULL,
    digests BLOB NOT NULL -- 16 bytes for each event
) STRICT;

CREATE TABLE dedupe_runs (
    run INTEGER PRIMARY KEY,
    partitions INTEGER NOT NULL,
    count INTEGER NOT NULL,
    newest_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE dedupe_pages (
    page INTEGER PRIMARY KEY, -- run * 65536 + the first bits of the digests on it
    digests BLOB NOT NULL
) STRICT;

CREATE TABLE cursors (
    destination TEXT PRIMARY KEY,
    start_offset INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    filtered INTEGER NOT NULL DEFAULT 0,
    retrying INTEGER NOT NULL DEFAULT 0,
    retry TEXT,
    end_offset INTEGER,
    ledger INTEGER NOT NULL DEFAULT 0,   -- rewinds so far: letters of an earlier ledger are not counted in this one
    dead_kept INTEGER NOT NULL DEFAULT 0 -- dead letters on disk, of any ledger
) STRICT, WITHOUT ROWID;

CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    ledger INTEGER NOT NULL,
    event_offset INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    source TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('retry', 'dead')),
    reason TEXT NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    failing_since_ms INTEGER NOT NULL,
    next_attempt_at_ms INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    event BLOB NOT NULL
) STRICT;

CREATE INDEX letters_due ON letters (destination, next_attempt_at_ms) WHERE state = 'retry';
CREATE INDEX letters_of_destination ON letters (destination, state, id);
CREATE INDEX letters_of_state ON letters (state, id);
CREATE INDEX letters_at ON letters (destination, event_offset);

CREATE TABLE rejects (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    ip TEXT NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- Present while the readable rows of a damaged database are still being brought over.
CREATE TABLE salvage (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    directory TEXT NOT NULL,
    next_letter_id INTEGER,        -- letters below it were brought over or are lost; NULL: all of them
    next_offset INTEGER NOT NULL,    -- chunks below it were brought over or are lost
    end_offset INTEGER NOT NULL      -- the head at the time
) STRICT;
