-- What was changed, by whom, from where. Every service has a table of this shape in its own database, and writes a row
-- in the transaction that makes the change: none happens without the other.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- microseconds since 1970
    time BIGINT NOT NULL,
    -- a user's name, with the token's number if it was by one; or a word in brackets
    actor TEXT NOT NULL,
    -- empty if there is none
    address TEXT NOT NULL,
    -- a verb: `upload`, `user disable`
    action TEXT NOT NULL,
    -- `index/main/demo`
    object TEXT NOT NULL,
    -- NULL: it was not there before, or is not after; never a secret
    before TEXT,
    after TEXT
);
CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_actor ON audit (actor, time);
CREATE INDEX audit_object ON audit (object, time);
