package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Difference is a row that does not say what the events say.
type Difference struct {
	Table   string
	Key     string   // the key columns as text, joined by "/"
	Kind    string   // "missing", "extra" or "different"
	Columns []string // that differ
}

// maxDifferences is where Verify stops listing a table's rows.
const maxDifferences = 1000

// Verify folds the whole log again, beside the live tables, and names each row of theirs that differs, at most 1,000
// per table. The projector waits only while the last events are taken.
func (e *Engine) Verify(ctx context.Context, s Source, progress func(Progress)) (differences []Difference, err error) {
	err = e.alone(ctx, func(alone *pgxpool.Conn) error {
		again := e.build(e.opts.Schema+"_verify", e.owner, true)
		if err := e.create(ctx, again); err != nil {
			return err
		}
		differences, err = e.differences(ctx, alone, again, s, progress)
		_, drop := e.owner.Exec(context.WithoutCancel(ctx), "drop schema "+again.schema+" cascade")
		return errors.Join(err, drop)
	})
	return differences, err
}

func (e *Engine) differences(ctx context.Context, alone *pgxpool.Conn, again *build, s Source, progress func(Progress)) ([]Difference, error) {
	// Never past the live checkpoint: both have to be at the same position in the end.
	for range 3 {
		live, err := readCheckpoint(ctx, e.owner, e.opts.Schema, "")
		if err != nil {
			return nil, err
		}
		if live.build != e.name {
			return nil, ErrOtherBuild
		}
		if err := e.fold(ctx, again, s, live.position, progress); err != nil {
			return nil, err
		}
	}
	snapshots, release, err := e.snapshots(ctx, alone, 1, func(live checkpoint) error {
		return again.catchUpHeld(ctx, upTo(s, e.opts.Batch, live.position))
	})
	defer release()
	if err != nil {
		return nil, err
	}
	progress(Progress{Phase: Comparing, Events: again.at.events, Position: again.at.position, Head: again.at.position})
	var all []Difference
	for _, t := range e.tables {
		if t.name == parkedName {
			continue
		}
		rows, err := snapshots[0].Query(ctx, t.differing(e.opts.Schema, again.schema))
		if err != nil {
			return nil, err
		}
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Difference, error) {
			d := Difference{Table: t.name}
			err := row.Scan(&d.Key, &d.Kind, &d.Columns)
			return d, err
		})
		if err != nil {
			return nil, fmt.Errorf("comparing table %s: %w", t.name, err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// differing lists the rows of a table that are not the same in two schemas.
func (t *table) differing(live, again string) string {
	var keys, using, differ []string
	for _, c := range t.columns[:t.keyLen] {
		keys = append(keys, fmt.Sprintf("coalesce(l.%s, a.%s)::text", c.name, c.name))
		using = append(using, fmt.Sprintf("l.%s = a.%s", c.name, c.name))
	}
	for _, c := range t.columns[t.keyLen:] {
		differ = append(differ, fmt.Sprintf("case when l.%s is distinct from a.%s then '%s' end", c.name, c.name, c.name))
	}
	key := t.columns[0].name
	differing := "'{}'::text[]"
	if len(differ) > 0 {
		differing = "array_remove(array[" + strings.Join(differ, ", ") + "], null)"
	}
	return fmt.Sprintf(`select key, kind, columns from (
			select concat_ws('/', %s) as key,
				case when l.%s is null then 'missing' when a.%s is null then 'extra' else 'different' end as kind,
				case when l.%s is null or a.%s is null then '{}'::text[] else %s end as columns
			from %s.%s l full join %s.%s a on %s) d
		where kind <> 'different' or columns <> '{}' order by key collate "C" limit %d`,
		strings.Join(keys, ", "), key, key, key, key, differing, live, t.name, again, t.name, strings.Join(using, " and "), maxDifferences)
}
