-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- Items: an upload each, under the name that its owner chose. Times are microseconds since 1970.
CREATE TABLE media (
    id            BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account       TEXT COLLATE "C"    NOT NULL,
    name          TEXT COLLATE "C"    NOT NULL,
    title         TEXT    NOT NULL,
    filename      TEXT    NOT NULL, -- as it was called where it came from
    published     BOOLEAN NOT NULL,
    version       BIGINT  NOT NULL, -- grows with each change
    created       BIGINT  NOT NULL,
    changed       BIGINT  NOT NULL,
    uploader      TEXT    NOT NULL,
    source        TEXT    NOT NULL, -- key of the upload's blob
    source_sha256 BYTEA   NOT NULL,
    source_bytes  BIGINT  NOT NULL,
    facts         TEXT,             -- what the upload is: JSON
    UNIQUE (account, name)
);

-- What is to be done with uploads, is being done, and was done. A job is whose attempt and worker stand in it: what an
-- earlier attempt still has to say counts nothing.
CREATE TABLE job (
    id          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    media       BIGINT  NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    account     TEXT COLLATE "C"    NOT NULL,
    profile     TEXT    NOT NULL, -- its name
    body        TEXT    NOT NULL, -- the profile as it was then: JSON
    source      TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    priority    BIGINT  NOT NULL,
    created     BIGINT  NOT NULL,
    run_after   BIGINT  NOT NULL,
    started     BIGINT,
    ended       BIGINT,
    attempt     BIGINT  NOT NULL,
    worker      TEXT,
    lease_until BIGINT,
    percent     DOUBLE PRECISION,
    eta         DOUBLE PRECISION,             -- seconds
    reason      TEXT,             -- for programs
    message     TEXT,             -- for people
    log         TEXT,
    warnings    TEXT              -- a JSON array of texts
);
CREATE UNIQUE INDEX job_one_at_a_time ON job (media) WHERE state IN ('queued', 'running');
CREATE INDEX job_open ON job (state, run_after) WHERE state IN ('queued', 'running');
CREATE INDEX job_of_media ON job (media, id);

-- Results, and their files. A file's address is the name of its item and `path`: `.mp4`, `/1.jpg`.
CREATE TABLE asset (
    media    BIGINT  NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    name     TEXT COLLATE "C"    NOT NULL,
    kind     TEXT    NOT NULL,
    width    BIGINT,
    height   BIGINT,
    duration DOUBLE PRECISION,
    bytes    BIGINT  NOT NULL,
    copied   BOOLEAN NOT NULL,
    made     BIGINT  NOT NULL,
    PRIMARY KEY (media, name)
);
CREATE TABLE asset_file (
    media    BIGINT NOT NULL,
    asset    TEXT   NOT NULL,
    path     TEXT   NOT NULL,
    position BIGINT NOT NULL, -- 0 is the one to begin with
    key      TEXT   NOT NULL, -- of its blob
    bytes    BIGINT NOT NULL,
    PRIMARY KEY (media, asset, path),
    FOREIGN KEY (media, asset) REFERENCES asset (media, name) ON DELETE CASCADE
);

-- Blobs that nothing else names: those that are being written, and those that are no longer needed. They are removed when
-- their time has come, unless what they were written for has taken them over.
CREATE TABLE unowned (
    key   TEXT   PRIMARY KEY,
    after BIGINT NOT NULL
);

-- What an account kept at the end of a day that something changed; days since 1970.
CREATE TABLE usage (
    account TEXT COLLATE "C"   NOT NULL,
    day     BIGINT NOT NULL,
    items   BIGINT NOT NULL,
    bytes   BIGINT NOT NULL,
    PRIMARY KEY (account, day)
);
