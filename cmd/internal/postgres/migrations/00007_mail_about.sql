-- +goose Up

-- What the record says of a mail once it has left: ids and a word for its kind, nothing of what it says.
ALTER TABLE ops.mail ADD COLUMN about jsonb;
