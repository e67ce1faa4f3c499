-- One user base for all services. All of it exists nowhere else. Times are microseconds since 1970.

CREATE TABLE account (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- PHC string; NULL: there is no password to log in with
    password TEXT,
    -- may do everything everywhere, and manage users
    administrator BOOLEAN NOT NULL,
    -- since when; such an account is as good as not there
    disabled BIGINT,
    created BIGINT NOT NULL,
    -- the last login
    seen BIGINT
);

-- what an account may do where: `index/main/acme-*`, one role each
CREATE TABLE permission (
    account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (account, place)
);

-- the number of a token stands in audit trails and is never given again
CREATE TABLE token (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- SHA-256
    digest BYTEA NOT NULL UNIQUE,
    label TEXT NOT NULL,
    -- scopes with a space between two
    scopes TEXT NOT NULL,
    single_use BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    -- NULL: never
    expires BIGINT,
    used BIGINT,
    -- when a token for a single use allowed something
    spent BIGINT
);
CREATE INDEX token_account ON token (account);

CREATE TABLE session (
    -- SHA-256 of what the cookie holds
    digest BYTEA PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_used ON session (used);

-- links by which a password is set, once
CREATE TABLE invite (
    -- SHA-256 of what the link holds
    digest BYTEA PRIMARY KEY,
    -- NULL: makes the first administrator
    account BIGINT REFERENCES account (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX invite_account ON invite (account);

-- who somebody is elsewhere (OpenID Connect)
CREATE TABLE federated (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX federated_account ON federated (account);

-- secrets that all nodes share
CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);
