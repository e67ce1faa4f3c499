-- Where files are: in folders, or in a bucket. A process looks at one of the two only, as `[host] store` says; what is
-- said of the other is left alone.

-- CAN BE REBUILT ------------------------------------------------------------------------------------------------------

ALTER TABLE place ADD COLUMN home TEXT NOT NULL DEFAULT 'folder'; -- folder: `path` is within the root; bucket: a key

-- EXISTS NOWHERE ELSE -------------------------------------------------------------------------------------------------

ALTER TABLE upload ADD COLUMN home TEXT NOT NULL DEFAULT 'folder';
-- Grows while somebody works on it: how one machine tells that another one has given up. Microseconds since 1970.
ALTER TABLE upload ADD COLUMN beat BIGINT NOT NULL DEFAULT 0;
-- Those with the same become visible together, or none of them; NULL: it is alone.
ALTER TABLE upload ADD COLUMN batch TEXT;
-- The index that it is copied from; NULL: it was sent.
ALTER TABLE upload ADD COLUMN source TEXT;

-- Files that are not served any more and still have to go. Written by the transaction that takes them out of what is
-- served; a row goes when its file has.
CREATE TABLE removal (
    index_name TEXT    NOT NULL,
    home       TEXT    NOT NULL,
    path       TEXT    NOT NULL,
    modified   BIGINT  NOT NULL, -- what the file was like: another one at its path stays
    size       BIGINT  NOT NULL,
    inode      BIGINT  NOT NULL,
    sha256     BYTEA   NOT NULL,
    PRIMARY KEY (index_name, home, path)
);
