-- No index on leased_until: a lease then changes no index, and PostgreSQL writes the
-- new row version into the same page (HOT), for which the fill factor leaves room.
CREATE TABLE ades_job (
    id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    tenant text NOT NULL,
    application_key text NOT NULL,
    signer text NOT NULL,
    version bigint NOT NULL,
    stage text NOT NULL,
    intent text,
    tries bigint NOT NULL,
    due_at timestamptz,
    expires_at timestamptz,
    purge_at timestamptz,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    lease_no bigint NOT NULL,
    leased_by text,
    leased_until timestamptz,
    key_id bigint NOT NULL,
    body bytea NOT NULL,
    UNIQUE (tenant, application_key)
) WITH (fillfactor = 80);
-- Sealed octets cannot be compressed.
ALTER TABLE ades_job ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX ades_job_due ON ades_job (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ades_job_expires ON ades_job (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX ades_job_purge ON ades_job (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX ades_job_key ON ades_job (key_id);

CREATE TABLE ades_return_key (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    job bytea NOT NULL REFERENCES ades_job ON DELETE CASCADE,
    purpose text NOT NULL,
    used_at timestamptz,
    until timestamptz NOT NULL
);
CREATE INDEX ades_return_key_job ON ades_return_key (job);

CREATE TABLE ades_batch (
    job bytea NOT NULL REFERENCES ades_job ON DELETE CASCADE,
    no bigint NOT NULL,
    request_id text NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (job, no)
);
CREATE UNIQUE INDEX ades_batch_one_open ON ades_batch (job)
    WHERE state IN ('asking', 'open', 'unknown');

CREATE TABLE ades_item (
    job bytea NOT NULL REFERENCES ades_job ON DELETE CASCADE,
    no bigint NOT NULL,
    batch bigint NOT NULL,
    digest bytea NOT NULL,
    key_id bigint,
    value bytea,
    container_digest bytea,
    PRIMARY KEY (job, no),
    FOREIGN KEY (job, batch) REFERENCES ades_batch ON DELETE CASCADE,
    CHECK ((value IS NULL) = (key_id IS NULL)),
    CHECK (container_digest IS NULL OR value IS NOT NULL)
);
CREATE INDEX ades_item_key ON ades_item (key_id) WHERE key_id IS NOT NULL;

CREATE TABLE ades_outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 16),
    job bytea NOT NULL REFERENCES ades_job ON DELETE CASCADE,
    kind text NOT NULL,
    key_id bigint,
    body bytea,
    tries bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    delivered_at timestamptz,
    CHECK ((body IS NULL) = (key_id IS NULL))
);
CREATE INDEX ades_outbox_job ON ades_outbox (job, seq) WHERE delivered_at IS NULL;
CREATE INDEX ades_outbox_due ON ades_outbox (due_at) WHERE delivered_at IS NULL;
CREATE INDEX ades_outbox_parent ON ades_outbox (job);
