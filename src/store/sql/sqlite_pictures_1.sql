-- Encoded pictures by their hash. The bytes come last, so that the other columns are read without them.
CREATE TABLE pictures (
    sha BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    needed_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX pictures_by_need ON pictures (needed_at, sha, size);
