package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
)

// Until folds what was recorded up to an instant into a schema of its own beside the live one, and gives the digest of
// its tables. Every stream is cut before its first event that was recorded later, as in AsOf. A schema of that name that
// an earlier call made is made anew; any other is left alone. Readers have the same rights there as on the live tables.
func (e *Engine) Until(ctx context.Context, s Source, at time.Time, schema string, progress func(Progress)) (done Rebuilt, err error) {
	if !plainName(schema) || strings.HasPrefix(schema, "pg_") {
		return done, fmt.Errorf("schema %q: use small letters, digits and _", schema)
	}
	err = e.alone(ctx, func(*pgxpool.Conn) error {
		if err := e.ours(ctx, schema); err != nil {
			return err
		}
		b := e.build(schema, e.owner, true)
		b.until = &until{at: at, ended: map[string]bool{}}
		if err := e.create(ctx, b); err != nil {
			return err
		}
		if _, err := e.owner.Exec(ctx, "comment on schema "+schema+" is "+quote(untilMark+at.UTC().Format(time.RFC3339Nano))); err != nil {
			return err
		}
		if err := e.fill(ctx, b, s, everything, progress); err != nil {
			return err
		}
		progress(Progress{Phase: Comparing, Events: b.at.events, Position: b.at.position})
		if done.Digest, err = e.Digest(ctx, schema); err != nil {
			return err
		}
		done.Events = b.at.events - b.until.left
		return nil
	})
	return done, err
}

// untilMark begins the comment of the schemas that Until makes.
const untilMark = "atrium as of "

// ours refuses a schema that Until did not make.
func (e *Engine) ours(ctx context.Context, schema string) error {
	var comment string
	err := e.owner.QueryRow(ctx, "select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_catalog.pg_namespace where nspname = $1", schema).Scan(&comment)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err == nil && !strings.HasPrefix(comment, untilMark):
		return fmt.Errorf("schema %s is there and was not made by this command: name another one with --schema", schema)
	}
	return err
}

// until cuts streams before their first event that was recorded after an instant.
type until struct {
	at    time.Time
	ended map[string]bool
	left  int64 // events left out
}

// keeps tells whether an event belongs to the past. One that cannot be read has no time; it ends its stream too.
func (u *until) keeps(ev *event) bool {
	if u == nil {
		return true
	}
	if !u.ended[ev.Stream] && (ev.err != nil || ev.fact.Meta.Time.After(u.at)) {
		u.ended[ev.Stream] = ev.err == nil
		if ev.err != nil {
			return true // it parks its stream
		}
	}
	if u.ended[ev.Stream] {
		u.left++
		return false
	}
	return true
}

// RebuildOnly makes one of the live tables anew. The others go on; the projector starts over from the checkpoint, which
// is held while the new table takes the last events and takes the place of the old one. Streams must not be parked.
func (e *Engine) RebuildOnly(ctx context.Context, s Source, name string, progress func(Progress)) (done Rebuilt, err error) {
	i := slices.IndexFunc(e.tables, func(t *table) bool { return t.name == name })
	if i < 0 || e.tables[i].engineOwn() {
		return done, fmt.Errorf("there is no table %s that can be made by itself: name one of %s", name, strings.Join(e.single(), ", "))
	}
	err = e.alone(ctx, func(alone *pgxpool.Conn) error {
		live, err := readCheckpoint(ctx, e.owner, e.opts.Schema, "")
		if err != nil {
			return err
		}
		if live.build != e.name {
			return ErrOtherBuild
		}
		next := e.build(e.opts.Schema+"_only", e.owner, true)
		next.only = e.needed(i)
		if err := e.create(ctx, next); err != nil {
			return err
		}
		done, err = e.replace(ctx, alone, next, e.tables[i], live.position, s, progress)
		_, drop := e.owner.Exec(context.WithoutCancel(ctx), "drop schema if exists "+next.schema+" cascade")
		return errors.Join(err, drop)
	})
	return done, err
}

// needed are the tables that one of them is made of: itself, and what it sums.
func (e *Engine) needed(i int) map[string]bool {
	needed := map[string]bool{e.tables[i].name: true, parkedName: true}
	if sum := e.tables[i].sum; sum != nil {
		needed[sum.of] = true
	}
	return needed
}

// single lists the tables that can be made by themselves.
func (e *Engine) single() (names []string) {
	for _, t := range e.tables {
		if !t.engineOwn() {
			names = append(names, t.name)
		}
	}
	return names
}

// replace fills a build and puts one of its tables into the live schema.
func (e *Engine) replace(ctx context.Context, alone *pgxpool.Conn, next *build, t *table, until domain.Position, s Source, progress func(Progress)) (done Rebuilt, err error) {
	if err := e.fill(ctx, next, s, until, progress); err != nil {
		return done, err
	}
	progress(Progress{Phase: Swapping, Events: next.at.events, Position: next.at.position})
	err = e.holding(ctx, alone, func(tx pgx.Tx, live checkpoint) error {
		parked, err := parkedStreams(ctx, tx, e.opts.Schema)
		if err = errors.Join(err, parkedError(parked)); err != nil {
			return err
		}
		if err := next.catchUpHeld(ctx, upTo(s, e.opts.Batch, live.position)); err != nil {
			return err
		}
		if next.at.position.Before(live.position) {
			return fmt.Errorf("the log ends at %s, before the live checkpoint %s: is this the right log?", next.at.position, live.position)
		}
		before, err := digest(ctx, tx, e.opts.Schema, []*table{t})
		if err != nil {
			return err
		}
		if err := run(ctx, tx, e.putStatements(next.schema, t)); err != nil {
			return err
		}
		if done.Digest, err = digest(ctx, tx, e.opts.Schema, []*table{t}); err != nil {
			return err
		}
		done.Compared, done.Events = true, next.at.events
		if before.Total != done.Digest.Total {
			done.Differ = []string{t.name}
		}
		return nil
	})
	return done, err
}

// putStatements put a table in the place of the live one. Conditions on other tables that name it are made anew, since
// they hold on to the old one.
func (e *Engine) putStatements(from string, t *table) []string {
	schema := e.opts.Schema
	list := []string{"set local search_path = " + schema, "update " + schema + ".checkpoint set fence = gen_random_uuid()"}
	var again []string
	for _, o := range e.tables {
		if o.access == StaffOnly || o != t && !strings.Contains(o.where, t.name) {
			continue
		}
		on := schema + "." + o.name
		if o == t {
			again = append(again, "drop policy client on "+on)
		} else {
			list = append(list, "drop policy client on "+on)
		}
		again = append(again, "create policy client on "+on+" for select to atrium_client using ("+o.visible()+")")
	}
	list = append(list, "drop table "+schema+"."+t.name, "alter table "+from+"."+t.name+" set schema "+schema)
	return append(list, again...)
}
