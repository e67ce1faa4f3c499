-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- The digest that a file of an upstream had when it was first seen: another one later is not the same file.
CREATE TABLE pin (
    index_name TEXT  NOT NULL,
    project    TEXT  NOT NULL, -- normalised
    filename   TEXT  NOT NULL,
    sha256     BYTEA NOT NULL,
    PRIMARY KEY (index_name, project, filename)
);

-- Where a name comes from, if that was decided: by somebody, or by the first time that an upstream had it. A name that ever
-- had a file here is internal without a row.
CREATE TABLE origin (
    project    TEXT    NOT NULL PRIMARY KEY, -- normalised
    origin     TEXT    NOT NULL,             -- internal, upstream, merge, blocked
    decided_at BIGINT NOT NULL,             -- microseconds since 1970
    decided_by TEXT    NOT NULL              -- a user, a token, 'first sight'
);

-- Names that are ours although nothing has them yet: 'acme' alone, or 'acme-*' for acme and all that begin with 'acme-'.
CREATE TABLE reservation (
    pattern     TEXT    NOT NULL PRIMARY KEY,
    reserved_at BIGINT NOT NULL,
    reserved_by TEXT    NOT NULL
);
