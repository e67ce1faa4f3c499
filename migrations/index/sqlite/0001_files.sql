-- The folders are the master of what can be installed. Here is what they cannot hold, and a copy of what they do.

-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- Every file name that an index ever had. A name is bound to its bytes for good, also when the file is gone: without a
-- row in `place` this is its tombstone. Times are microseconds since 1970.
CREATE TABLE file (
    index_name TEXT    NOT NULL,
    filename   TEXT    NOT NULL,
    project    TEXT    NOT NULL, -- normalised
    version    TEXT    NOT NULL,
    sha256     BLOB    NOT NULL,
    size       INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    uploader   TEXT,             -- NULL: it was put into the folder
    yanked     TEXT,             -- the reason, '' for none; NULL: it is not
    PRIMARY KEY (index_name, filename)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_project ON file (index_name, project);

-- What happened, in the order in which it happened: the audit trail, and how other nodes learn of it.
CREATE TABLE change (
    serial     INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL, -- a user, a token, 'folder'
    address    TEXT    NOT NULL, -- '' for none
    action     TEXT    NOT NULL,
    index_name TEXT    NOT NULL,
    project    TEXT    NOT NULL,
    object     TEXT    NOT NULL, -- a file name, a version, '' for the project
    before     TEXT,
    after      TEXT
) STRICT;
CREATE INDEX change_project ON change (index_name, project);

-- CAN BE REBUILT FROM THE FOLDER -------------------------------------------------------------------------------------

-- Where a file is, what it was like when it was read, and what was read in it.
CREATE TABLE place (
    index_name      TEXT    NOT NULL,
    filename        TEXT    NOT NULL,
    path            TEXT    NOT NULL, -- within the root
    modified        INTEGER NOT NULL, -- nanoseconds since 1970
    inode           INTEGER NOT NULL, -- its bits as a signed number
    name            TEXT    NOT NULL, -- of the project, as the author writes it
    requires_python TEXT,
    metadata_sha256 BLOB,
    summary         TEXT,
    PRIMARY KEY (index_name, filename)
) STRICT, WITHOUT ROWID;

-- What lies in a folder and is not served, and why.
CREATE TABLE aside (
    index_name TEXT    NOT NULL,
    path       TEXT    NOT NULL,
    modified   INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    inode      INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (index_name, path)
) STRICT, WITHOUT ROWID;
