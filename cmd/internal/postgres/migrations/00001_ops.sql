-- +goose Up

-- What cannot be built from the event log: it is migrated and backed up, unlike the read models.
-- Only the role atrium_app reads and writes here.

GRANT USAGE ON SCHEMA ops TO atrium_app;

-- Bearer tokens of programs. Of the secret only its SHA-256 is kept.
CREATE TABLE ops.api_token (
	id           uuid PRIMARY KEY,
	hash         bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
	firm         uuid NOT NULL,
	staff        uuid,
	contact      uuid,
	name         text NOT NULL,
	scopes       text[] NOT NULL,
	created_at   timestamptz NOT NULL,
	last_used_at timestamptz,
	expires_at   timestamptz,
	revoked_at   timestamptz,
	CHECK (num_nonnulls(staff, contact) = 1)
);
CREATE INDEX ON ops.api_token (firm, created_at);
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON ops.api_token TO atrium_app;

-- The first reply to each idempotency key.
CREATE TABLE ops.idempotency (
	firm       text NOT NULL,
	actor      text NOT NULL,
	key        text NOT NULL,
	body_hash  bytea NOT NULL CHECK (length(body_hash) = 32),
	status     int NOT NULL,
	reply      bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (firm, actor, key)
);
CREATE INDEX ON ops.idempotency (created_at);
GRANT SELECT, INSERT, DELETE ON ops.idempotency TO atrium_app;

-- The keys of data subjects, wrapped under the master key. A destroyed key keeps its row, so that none is made again.
CREATE TABLE ops.subject_key (
	subject      text PRIMARY KEY,
	firm         uuid NOT NULL,
	wrapped      bytea,
	created_at   timestamptz NOT NULL DEFAULT now(),
	destroyed_at timestamptz,
	CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
GRANT SELECT, INSERT, UPDATE (wrapped, destroyed_at) ON ops.subject_key TO atrium_app;

-- Which master key wraps them: one row, so that a missing or foreign key file is noticed at once.
CREATE TABLE ops.master_key (
	sole        boolean PRIMARY KEY DEFAULT true CHECK (sole),
	fingerprint bytea NOT NULL,
	created_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON ops.master_key TO atrium_app;

-- How far each reactor has come: the position of the last event it finished. Projections keep theirs with their rows.
CREATE TABLE ops.checkpoint (
	handler     text PRIMARY KEY,
	commit_pos  bigint NOT NULL,
	prepare_pos bigint NOT NULL,
	updated_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON ops.checkpoint TO atrium_app;
