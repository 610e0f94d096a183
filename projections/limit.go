package projections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// CopyLimit measures the least that any rebuild has to do: copying the finished rows of the live tables into fresh ones
// and indexing them. It returns the time that took, without the time to take the rows out, and how many there were.
func (e *Engine) CopyLimit(ctx context.Context, now func() time.Time) (took time.Duration, rows int64, err error) {
	b := e.build(e.opts.Schema+"_limit", e.owner, true)
	if err := e.create(ctx, b); err != nil {
		return 0, 0, err
	}
	defer func() {
		_, drop := e.owner.Exec(context.WithoutCancel(ctx), "drop schema "+b.schema+" cascade")
		err = errors.Join(err, drop)
	}()
	conn, err := e.owner.Acquire(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Release()
	for _, t := range e.tables {
		n, d, err := b.copyTable(ctx, conn.Conn(), t, e.opts.Schema, now)
		if err != nil {
			return 0, 0, fmt.Errorf("copying %s: %w", t.name, err)
		}
		rows, took = rows+n, took+d
	}
	start := now()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return run(ctx, tx, indexStatements(b.schema, e.tables), analyze(b)) })
	return took + now().Sub(start), rows, err
}

// copyTable copies a table's rows out to a file and from there in.
func (b *build) copyTable(ctx context.Context, conn *pgx.Conn, t *table, from string, now func() time.Time) (rows int64, took time.Duration, err error) {
	spool, err := os.CreateTemp("", "atrium-copy-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	columns := " (" + names(t.columns) + ") "
	if _, err := conn.PgConn().CopyTo(ctx, spool, "copy "+from+"."+t.name+columns+"to stdout (format binary)"); err != nil {
		return 0, 0, err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return 0, 0, err
	}
	start := now()
	tag, err := conn.PgConn().CopyFrom(ctx, spool, "copy "+b.schema+"."+t.name+columns+"from stdin (format binary)")
	return tag.RowsAffected(), now().Sub(start), err
}
