-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- What happened to items, for those who want to be told: written in the transaction in which it happened. `spread` once it
-- is known whom to tell; what nobody is told goes at once, the rest a week after everybody was.
CREATE TABLE hook_event (
    seq     INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL UNIQUE, -- as receivers know it
    account TEXT    NOT NULL,
    media   BIGINT  NOT NULL,        -- the item, which may be gone
    kind    TEXT    NOT NULL,
    body    TEXT    NOT NULL,        -- what is sent: JSON
    created BIGINT  NOT NULL,
    spread  BOOLEAN NOT NULL
);
CREATE INDEX hook_event_new ON hook_event (seq) WHERE NOT spread;

-- Whom it is told. Whoever has the lease sends; what an earlier attempt still has to say counts nothing.
CREATE TABLE hook_delivery (
    id          INTEGER PRIMARY KEY,
    event       BIGINT  NOT NULL REFERENCES hook_event (seq) ON DELETE CASCADE,
    url         TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'given-up')),
    attempt     BIGINT  NOT NULL,
    next_at     BIGINT  NOT NULL,
    lease_until BIGINT  NOT NULL, -- 0 if nobody has it
    give_up_at  BIGINT  NOT NULL,
    error       TEXT,             -- of the last attempt
    UNIQUE (event, url)
);
CREATE INDEX hook_delivery_waiting ON hook_delivery (next_at) WHERE state = 'waiting';
