-- Decisions: the columns that they are found by; everything else is in the body. Each index ends with the place in the order of arrival.
CREATE TABLE decisions (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    partner_id TEXT COLLATE "C" NOT NULL,
    product_id TEXT COLLATE "C" NOT NULL,
    image BYTEA,
    model TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    revision BYTEA NOT NULL,
    policy BYTEA NOT NULL,
    strictest TEXT COLLATE "C",
    label TEXT COLLATE "C",
    source TEXT COLLATE "C",
    verdicts TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL
);
CREATE UNIQUE INDEX decisions_by_id ON decisions (decision_id);
CREATE INDEX decisions_by_at ON decisions (at, entry);
CREATE INDEX decisions_by_product ON decisions (partner_id, product_id, at, entry);
CREATE INDEX decisions_by_partner ON decisions (partner_id, at, entry);
CREATE INDEX decisions_by_image ON decisions (image, at, entry) WHERE image IS NOT NULL;
CREATE INDEX decisions_by_model ON decisions (model, at, entry);
CREATE INDEX decisions_by_version ON decisions (model, version, at, entry);
CREATE INDEX decisions_by_policy ON decisions (policy, at, entry);
CREATE INDEX decisions_by_strictest ON decisions (strictest, at, entry);
CREATE INDEX decisions_by_label ON decisions (label, at, entry) WHERE label IS NOT NULL;
CREATE INDEX decisions_by_source ON decisions (source, at, entry);

-- One for each country of a decision.
CREATE TABLE decision_countries (
    country TEXT COLLATE "C" NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    PRIMARY KEY (country, verdict, at, entry)
);

-- What is known of each product. A change takes the next number, and numbers are never used again.
CREATE SEQUENCE product_changes;
CREATE TABLE products (
    change BIGINT NOT NULL,
    partner_id TEXT COLLATE "C" NOT NULL,
    product_id TEXT COLLATE "C" NOT NULL,
    image BYTEA,
    body BYTEA NOT NULL
);
CREATE UNIQUE INDEX products_by_key ON products (partner_id, product_id);
CREATE INDEX products_by_change ON products (change);

-- What people do, never changed but by an erasure.
CREATE TABLE acts (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    principal TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    about TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX acts_by_request ON acts (principal, request_id);
CREATE INDEX acts_by_about ON acts (about);

-- Corrections as they stand.
CREATE TABLE corrections (
    seq BIGINT PRIMARY KEY,
    correction_id TEXT COLLATE "C" NOT NULL,
    partner_id TEXT COLLATE "C",
    product_id TEXT COLLATE "C",
    image BYTEA,
    seen_image BYTEA,
    author TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    body TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX corrections_by_id ON corrections (correction_id);
CREATE INDEX corrections_by_product ON corrections (partner_id, product_id, seq);
CREATE INDEX corrections_by_partner ON corrections (partner_id, seq);
CREATE INDEX corrections_by_image ON corrections (image, seq) WHERE image IS NOT NULL;
CREATE INDEX corrections_by_seen_image ON corrections (seen_image) WHERE seen_image IS NOT NULL;
CREATE INDEX corrections_by_author ON corrections (author, seq);

-- Encoded pictures by their hash; they are packed already.
CREATE TABLE pictures (
    sha BYTEA PRIMARY KEY,
    size BIGINT NOT NULL,
    needed_at BIGINT NOT NULL,
    bytes BYTEA NOT NULL
);
ALTER TABLE pictures ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX pictures_by_need ON pictures (needed_at, sha, size);
