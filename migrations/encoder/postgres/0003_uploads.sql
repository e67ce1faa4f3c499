-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- Uploads that come in pieces. What has arrived lies in a file of the node that the upload was begun at, until it has
-- become a blob; the row then stays for a while, so that whoever missed the last answer can ask what became of it.
CREATE TABLE upload (
    id       TEXT    PRIMARY KEY,
    node     TEXT    NOT NULL, -- whose file it is
    account  TEXT COLLATE "C" NOT NULL,
    name     TEXT    NOT NULL, -- of the item; empty for a part of another upload
    uploader TEXT    NOT NULL,
    metadata TEXT    NOT NULL, -- as it came
    expected BIGINT  NOT NULL, -- a version of the item; -1 for any or none, 0 for none
    length   BIGINT,           -- NULL until it is known
    position BIGINT  NOT NULL, -- bytes that are on the disk
    concat   TEXT    NOT NULL CHECK (concat IN ('', 'partial', 'final')),
    parts    TEXT    NOT NULL, -- of a final one: the uploads that it is put together from, with a space in between
    state    TEXT    NOT NULL CHECK (state IN ('open', 'done', 'failed')),
    message  TEXT,             -- why it failed
    key      TEXT,             -- of its blob, from before it is written
    sha256   BYTEA,
    created  BIGINT  NOT NULL,
    expires  BIGINT  NOT NULL
);
CREATE INDEX upload_of_account ON upload (account) WHERE state = 'open';
CREATE INDEX upload_expires ON upload (node, expires);
