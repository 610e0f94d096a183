-- +goose Up

-- The account that a contact who works for several has chosen to look at; none: their first.
ALTER TABLE ops.session ADD COLUMN account uuid;
