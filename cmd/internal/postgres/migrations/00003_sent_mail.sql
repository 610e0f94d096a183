-- +goose Up

-- A mail that was sent stays for a week without what it said, so that the same mail is not sent again.
ALTER TABLE ops.mail ADD COLUMN sent_at timestamptz, ALTER COLUMN content DROP NOT NULL,
	ADD CHECK ((content IS NULL) = (sent_at IS NOT NULL));
