-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- Uploads that are being stored. A row is written before the file gets its name and goes with the transaction that makes
-- it visible: one that a start finds, and that nobody works on, was cut off, and is finished or undone.
CREATE TABLE upload (
    index_name      TEXT    NOT NULL,
    filename        TEXT    NOT NULL,
    path            TEXT    NOT NULL, -- within the root, where the file will be
    spool           TEXT    NOT NULL, -- within the spool, where it is until then
    project         TEXT    NOT NULL, -- normalised
    name            TEXT    NOT NULL, -- as the author writes it
    version         TEXT    NOT NULL,
    sha256          BYTEA   NOT NULL,
    size            BIGINT  NOT NULL,
    requires_python TEXT,
    metadata_sha256 BYTEA,
    summary         TEXT,
    attestations    TEXT,
    actor           TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    at              BIGINT  NOT NULL,
    PRIMARY KEY (index_name, filename)
);

-- What came with an upload to prove where it was built (PEP 740): a JSON array, as it was sent.
CREATE TABLE attestation (
    index_name TEXT NOT NULL,
    filename   TEXT NOT NULL,
    sha256     BYTEA NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (index_name, filename)
);
