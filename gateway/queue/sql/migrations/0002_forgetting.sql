-- Who asked to be forgotten.

CREATE TABLE suppression (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL,
    tombstones_until INTEGER NOT NULL -- events before it may be tombstones
) STRICT;

-- Keyed digests of identifiers, never the identifiers.
CREATE TABLE suppressed (digest BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- A row for each order to forget a person. What it says of them is erased before its end.
CREATE TABLE forgetting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    step TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    position INTEGER NOT NULL, -- where the step goes on: an offset, or the id of a letter
    fence INTEGER NOT NULL,    -- events from here on came after the person was suppressed
    subject TEXT,              -- JSON: identifiers; NULL once they are erased everywhere else
    report TEXT NOT NULL       -- JSON: counts
) STRICT;
