-- CAN BE MADE AGAIN ---------------------------------------------------------------------------------------------------

-- A long upload that several machines encode together: what each of them does, under the attempt at the job that it was
-- cut up for. The rows go when the job ends.
CREATE TABLE part (
    job         BIGINT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    attempt     BIGINT NOT NULL, -- at the job
    body        TEXT   NOT NULL, -- what is to be done: JSON
    state       TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    tries       BIGINT NOT NULL, -- at the part
    worker      TEXT,
    lease_until BIGINT,
    percent     REAL,
    files       TEXT,            -- what was made: JSON
    message     TEXT,
    PRIMARY KEY (job, number)
);
CREATE INDEX part_open ON part (state, lease_until) WHERE state IN ('queued', 'running');
