-- Times are milliseconds since 1970.
CREATE TABLE job (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    application_key TEXT NOT NULL,
    signer TEXT NOT NULL,
    version INTEGER NOT NULL,
    stage TEXT NOT NULL,
    intent TEXT,
    tries INTEGER NOT NULL,
    due_at INTEGER,
    expires_at INTEGER,
    purge_at INTEGER,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    lease_no INTEGER NOT NULL,
    leased_by TEXT,
    leased_until INTEGER,
    UNIQUE (tenant, application_key)
) STRICT;
CREATE INDEX job_due ON job (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX job_expires ON job (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX job_purge ON job (purge_at) WHERE purge_at IS NOT NULL;

-- A table of its own: SQLite writes a row as a whole, and a lease must not write
-- the body again.
CREATE TABLE body (
    job BLOB NOT NULL PRIMARY KEY REFERENCES job ON DELETE CASCADE,
    key_id INTEGER NOT NULL,
    octets BLOB NOT NULL
) STRICT;
CREATE INDEX body_key ON body (key_id);

CREATE TABLE return_key (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    job BLOB NOT NULL REFERENCES job ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    used_at INTEGER,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX return_key_job ON return_key (job);

CREATE TABLE batch (
    job BLOB NOT NULL REFERENCES job ON DELETE CASCADE,
    no INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (job, no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX batch_one_open ON batch (job) WHERE state IN ('asking', 'open', 'unknown');

CREATE TABLE item (
    job BLOB NOT NULL REFERENCES job ON DELETE CASCADE,
    no INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    digest BLOB NOT NULL,
    key_id INTEGER,
    value BLOB,
    container_digest BLOB,
    PRIMARY KEY (job, no),
    FOREIGN KEY (job, batch) REFERENCES batch ON DELETE CASCADE,
    CHECK ((value IS NULL) = (key_id IS NULL)),
    CHECK (container_digest IS NULL OR value IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_key ON item (key_id) WHERE key_id IS NOT NULL;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    job BLOB NOT NULL REFERENCES job ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key_id INTEGER,
    body BLOB,
    tries INTEGER NOT NULL,
    happened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    delivered_at INTEGER,
    CHECK ((body IS NULL) = (key_id IS NULL))
) STRICT;
CREATE INDEX outbox_job ON outbox (job, seq) WHERE delivered_at IS NULL;
CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;
CREATE INDEX outbox_parent ON outbox (job);
