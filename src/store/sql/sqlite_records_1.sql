-- Decisions: the columns that they are found by; everything else is in the body. Each index ends with the place in the order of arrival.
CREATE TABLE decisions (
    entry INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    partner_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    image BLOB,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    revision BLOB NOT NULL,
    policy BLOB NOT NULL,
    strictest TEXT,
    label TEXT,
    source TEXT,
    verdicts TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX decisions_by_id ON decisions (decision_id);
CREATE INDEX decisions_by_at ON decisions (at);
CREATE INDEX decisions_by_product ON decisions (partner_id, product_id, at);
CREATE INDEX decisions_by_partner ON decisions (partner_id, at);
CREATE INDEX decisions_by_image ON decisions (image, at) WHERE image IS NOT NULL;
CREATE INDEX decisions_by_model ON decisions (model, at);
CREATE INDEX decisions_by_version ON decisions (model, version, at);
CREATE INDEX decisions_by_policy ON decisions (policy, at);
CREATE INDEX decisions_by_strictest ON decisions (strictest, at);
CREATE INDEX decisions_by_label ON decisions (label, at) WHERE label IS NOT NULL;
CREATE INDEX decisions_by_source ON decisions (source, at);

-- One for each country of a decision.
CREATE TABLE decision_countries (
    country TEXT NOT NULL,
    verdict TEXT NOT NULL,
    at INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (country, verdict, at, entry)
) STRICT, WITHOUT ROWID;

-- What is known of each product. A change takes the next number, and numbers are never used again.
CREATE TABLE products (
    change INTEGER PRIMARY KEY AUTOINCREMENT,
    partner_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    image BLOB,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX products_by_key ON products (partner_id, product_id);

-- What people do, never changed but by an erasure.
CREATE TABLE acts (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    principal TEXT NOT NULL,
    kind TEXT NOT NULL,
    request_id TEXT NOT NULL,
    about TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX acts_by_request ON acts (principal, request_id);
CREATE INDEX acts_by_about ON acts (about);

-- Corrections as they stand.
CREATE TABLE corrections (
    seq INTEGER PRIMARY KEY,
    correction_id TEXT NOT NULL,
    partner_id TEXT,
    product_id TEXT,
    image BLOB,
    seen_image BLOB,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX corrections_by_id ON corrections (correction_id);
CREATE INDEX corrections_by_product ON corrections (partner_id, product_id, seq);
CREATE INDEX corrections_by_partner ON corrections (partner_id, seq);
CREATE INDEX corrections_by_image ON corrections (image, seq) WHERE image IS NOT NULL;
CREATE INDEX corrections_by_seen_image ON corrections (seen_image) WHERE seen_image IS NOT NULL;
CREATE INDEX corrections_by_author ON corrections (author, seq);
