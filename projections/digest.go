package projections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain/audit"
)

// Digest of the rows of a schema: SHA-256 in hex, per table and in total. Two digests are equal when every table holds
// the same rows, whatever order they were written in. Lines that say which tools ran are left out: a rebuild is on record
// itself, and one after the other shall give the same digest.
type Digest struct {
	Total  string
	Tables map[string]string
}

// Digest of the rows of a schema of this program's tables; empty: the live one.
func (e *Engine) Digest(ctx context.Context, schema string) (d Digest, err error) {
	if schema == "" {
		schema = e.opts.Schema
	}
	err = pgx.BeginTxFunc(ctx, e.owner, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		d, err = digest(ctx, tx, schema, e.tables)
		return err
	})
	return d, err
}

// digest hashes the rows as Postgres sends them in binary: the same for the same values, whatever the session's settings.
func digest(ctx context.Context, tx pgx.Tx, schema string, tables []*table) (Digest, error) {
	d := Digest{Tables: map[string]string{}}
	if _, err := tx.Exec(ctx, "set local work_mem = '64MB'"); err != nil { // to sort in memory
		return d, err
	}
	total := sha256.New()
	for _, t := range tables {
		if t.name == parkedName {
			continue
		}
		h := sha256.New()
		sql := fmt.Sprintf("copy (select %s from %s.%s%s order by %s) to stdout (format binary)", names(t.columns), schema, t.name, t.withoutTools(), t.order())
		if _, err := tx.Conn().PgConn().CopyTo(ctx, h, sql); err != nil {
			return d, fmt.Errorf("digest of %s.%s: %w", schema, t.name, err)
		}
		sum := hex.EncodeToString(h.Sum(nil))
		d.Tables[t.name] = sum
		fmt.Fprintln(total, t.name, sum)
	}
	d.Total = hex.EncodeToString(total.Sum(nil))
	return d, nil
}

// withoutTools leaves out what the events of tools wrote.
func (t *table) withoutTools() string {
	switch t.name {
	case "history":
		return " where event <> '" + audit.ToolRun{}.EventType() + "'"
	case "audit":
		return " where record_type <> 'firm'" // history has the lines themselves
	}
	return ""
}

// order is the primary key, in an order that does not depend on the database's collation.
func (t *table) order() string {
	list := make([]string, t.keyLen)
	for i, c := range t.columns[:t.keyLen] {
		if list[i] = c.name; c.kind == textKind {
			list[i] += ` collate "C"`
		}
	}
	return strings.Join(list, ", ")
}
