-- +goose Up

-- Who gets in. No secret stands here as it is: of tokens the SHA-256, of codes an HMAC under a key of the keystore, of
-- passwords the argon2id hash; what has to be read again (mails that wait, secrets of authenticator apps) is sealed
-- under a key of the keystore. A person is a contact or a member of staff.

-- Requests for a sign-in link, until somebody has looked whether the address is known. They make the answer to the
-- request the same, and as fast, for every address.
CREATE TABLE ops.link_request (
	id         uuid PRIMARY KEY,
	firm       uuid,           -- none: every firm where the address is known
	email      text NOT NULL,
	reset      boolean NOT NULL,
	browser    bytea NOT NULL CHECK (length(browser) = 32),
	next       text NOT NULL,  -- where to go after signing in
	created_at timestamptz NOT NULL
);
CREATE INDEX ON ops.link_request (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.link_request TO atrium_app; -- UPDATE to lock rows

-- Links that were sent.
CREATE TABLE ops.sign_in_link (
	id           uuid PRIMARY KEY,
	hash         bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
	firm         uuid NOT NULL,
	person_kind  text NOT NULL CHECK (person_kind IN ('contact', 'staff')),
	person       uuid NOT NULL,
	purpose      text NOT NULL,
	new_password boolean NOT NULL,
	browser      bytea CHECK (length(browser) = 32), -- the one that asked; none: any
	code         bytea NOT NULL CHECK (length(code) = 32),
	tries        int NOT NULL DEFAULT 0,
	next         text NOT NULL,
	created_at   timestamptz NOT NULL,
	expires_at   timestamptz NOT NULL,
	used_at      timestamptz
);
CREATE INDEX ON ops.sign_in_link (firm, person, created_at);
CREATE INDEX ON ops.sign_in_link (browser, created_at);
CREATE INDEX ON ops.sign_in_link (expires_at);
GRANT SELECT, INSERT, UPDATE (tries, used_at), DELETE ON ops.sign_in_link TO atrium_app;

-- What was tried, and how often, by whom: keys are HMACs of addresses and networks.
CREATE TABLE ops.attempt (
	kind text NOT NULL,
	key  bytea NOT NULL,
	at   timestamptz NOT NULL
);
CREATE INDEX ON ops.attempt (kind, key, at);
CREATE INDEX ON ops.attempt (at);
GRANT SELECT, INSERT, DELETE ON ops.attempt TO atrium_app;

-- Sessions. One that still lacks something (a second factor, a new password) opens only the page that asks for it.
CREATE TABLE ops.session (
	id           uuid PRIMARY KEY,
	hash         bytea NOT NULL UNIQUE CHECK (length(hash) = 32), -- of the cookie; a new one at every change of rights
	firm         uuid NOT NULL,
	person_kind  text NOT NULL CHECK (person_kind IN ('contact', 'staff')),
	person       uuid NOT NULL,
	method       text NOT NULL,
	second       text NOT NULL,
	stage        text NOT NULL, -- open, or what is lacking
	new_password boolean NOT NULL,
	created_at   timestamptz NOT NULL,
	seen_at      timestamptz NOT NULL,
	idle_seconds bigint NOT NULL,
	expires_at   timestamptz NOT NULL, -- moves on with every use
	ends_at      timestamptz NOT NULL, -- does not
	proved_at    timestamptz NOT NULL, -- when the person last showed who they are
	ip           text NOT NULL,
	agent        text NOT NULL,
	preview      uuid,          -- the contact whose pages a member of staff looks at
	preview_ends timestamptz,
	CHECK ((preview IS NULL) = (preview_ends IS NULL))
);
CREATE INDEX ON ops.session (firm, person);
CREATE INDEX ON ops.session (least(expires_at, ends_at));
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.session TO atrium_app;

CREATE TABLE ops.password (
	firm        uuid NOT NULL,
	person      uuid NOT NULL,
	phc         text NOT NULL,
	must_change boolean NOT NULL,
	expires_at  timestamptz, -- of a one-time password
	set_at      timestamptz NOT NULL,
	PRIMARY KEY (firm, person)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.password TO atrium_app;

-- Authenticator apps. step is the last time step whose code was used: no code works twice.
CREATE TABLE ops.totp (
	firm         uuid NOT NULL,
	person       uuid NOT NULL,
	secret       bytea NOT NULL,
	step         bigint NOT NULL DEFAULT 0,
	confirmed_at timestamptz, -- none while it is being set up
	created_at   timestamptz NOT NULL,
	PRIMARY KEY (firm, person)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.totp TO atrium_app;

CREATE TABLE ops.recovery_code (
	firm   uuid NOT NULL,
	person uuid NOT NULL,
	hash   bytea NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (firm, person, hash)
);
GRANT SELECT, INSERT, DELETE ON ops.recovery_code TO atrium_app;

CREATE TABLE ops.passkey (
	id           uuid PRIMARY KEY,
	firm         uuid NOT NULL,
	person_kind  text NOT NULL CHECK (person_kind IN ('contact', 'staff')),
	person       uuid NOT NULL,
	credential   bytea NOT NULL UNIQUE, -- its id, as the authenticator names it
	name         text NOT NULL,
	record       jsonb NOT NULL,
	created_at   timestamptz NOT NULL,
	last_used_at timestamptz
);
CREATE INDEX ON ops.passkey (firm, person);
GRANT SELECT, INSERT, UPDATE (record, last_used_at, name), DELETE ON ops.passkey TO atrium_app;

-- What a browser was asked to sign with a passkey, until it answers.
CREATE TABLE ops.passkey_challenge (
	browser    bytea PRIMARY KEY CHECK (length(browser) = 32),
	data       jsonb NOT NULL,
	expires_at timestamptz NOT NULL
);
CREATE INDEX ON ops.passkey_challenge (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.passkey_challenge TO atrium_app;

-- Mail that waits to be sent. content is sealed: it holds links and codes.
CREATE TABLE ops.mail (
	id         uuid PRIMARY KEY, -- also in the Message-ID, so that a mail sent twice is seen to be the same
	firm       uuid,
	content    bytea NOT NULL,
	created_at timestamptz NOT NULL,
	not_after  timestamptz,      -- after which it is of no use and is dropped
	tries      int NOT NULL DEFAULT 0,
	next_at    timestamptz NOT NULL,
	error      text NOT NULL DEFAULT ''
);
CREATE INDEX ON ops.mail (next_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.mail TO atrium_app;
