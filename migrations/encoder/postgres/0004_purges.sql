-- Addresses that a cache in front still has to be told of, as what was there is shown no more.
CREATE TABLE purge (
    path    TEXT COLLATE "C" PRIMARY KEY,
    attempt BIGINT NOT NULL,
    after   BIGINT NOT NULL, -- microseconds since 1970: not before
    since   BIGINT NOT NULL  -- when it was last shown no more
);
CREATE INDEX purge_after ON purge (after);
