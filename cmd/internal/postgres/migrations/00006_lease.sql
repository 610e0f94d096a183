-- +goose Up

-- Who of several processes does a work that only one should do at a time. It decides who works, not what is safe: the
-- work itself is fenced.
CREATE TABLE ops.lease (
	name    text PRIMARY KEY,
	holder  uuid NOT NULL,
	expires timestamptz NOT NULL -- by the database's clock
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.lease TO atrium_app;
