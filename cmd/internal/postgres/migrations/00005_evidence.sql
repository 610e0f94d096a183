-- +goose Up

-- The sealed Merkle logs: one for each firm and epoch. Nothing here ever changes but the standing, so that is all the
-- sealer may update; nobody but the owner may delete. It survives every rebuild of the read models.

CREATE SCHEMA evidence;
GRANT USAGE ON SCHEMA evidence TO atrium_sealer;

-- How far sealing has come: one row. version is the fence between sealers.
CREATE TABLE evidence.standing (
	sole        boolean PRIMARY KEY DEFAULT true CHECK (sole),
	version     bigint NOT NULL,
	commit_pos  bigint NOT NULL,
	prepare_pos bigint NOT NULL,
	updated_at  timestamptz NOT NULL
);
INSERT INTO evidence.standing (version, commit_pos, prepare_pos, updated_at) VALUES (0, 0, 0, now());
GRANT SELECT, UPDATE ON evidence.standing TO atrium_sealer;

CREATE TABLE evidence.log (
	id      bigint PRIMARY KEY,
	firm    uuid NOT NULL,
	epoch   int NOT NULL CHECK (epoch > 0),
	key     int NOT NULL CHECK (key > 0),
	opening bytea, -- what the first leaf of an epoch after the first stands for
	UNIQUE (firm, epoch),
	CHECK ((opening IS NULL) = (epoch = 1))
);
GRANT SELECT, INSERT ON evidence.log TO atrium_sealer;

-- log is not a foreign key here: checking that for each leaf would take a third of the time of sealing.
CREATE TABLE evidence.leaf (
	log      bigint NOT NULL,
	index    bigint NOT NULL,
	epoch    int NOT NULL,
	stream   text NOT NULL,
	revision bigint NOT NULL,
	hash     bytea NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (log, index),
	UNIQUE (stream, revision, epoch)
);
GRANT SELECT, INSERT ON evidence.leaf TO atrium_sealer;

-- The tree above the leaves, from level 8 up. upto is the size at which a node was complete.
CREATE TABLE evidence.node (
	log   bigint NOT NULL,
	upto  bigint NOT NULL,
	level int NOT NULL,
	hash  bytea NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (log, upto, level)
);
GRANT SELECT, INSERT ON evidence.node TO atrium_sealer;

-- Signed checkpoints, one for each batch.
CREATE TABLE evidence.checkpoint (
	log       bigint NOT NULL REFERENCES evidence.log,
	size      bigint NOT NULL,
	signed    bytea NOT NULL,
	signed_at timestamptz NOT NULL,
	PRIMARY KEY (log, size)
);
GRANT SELECT, INSERT ON evidence.checkpoint TO atrium_sealer;

-- Those that the witness signed too.
CREATE TABLE evidence.cosignature (
	log       bigint NOT NULL REFERENCES evidence.log,
	size      bigint NOT NULL,
	signed    bytea NOT NULL,
	signed_at timestamptz NOT NULL,
	PRIMARY KEY (log, size)
);
GRANT SELECT, INSERT ON evidence.cosignature TO atrium_sealer;
