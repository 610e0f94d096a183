package projections_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// fuse breaks connections to the database: the one whose write uses it up dies.
type fuse struct {
	left atomic.Int64 // writes until then; 0 and below: never
	sent bool         // the request still gets through, but its answer is lost
}

func (f *fuse) wire(config *pgxpool.Config) {
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &fusedConn{conn, f}, err
	}
}

type fusedConn struct {
	net.Conn
	fuse *fuse
}

// Write cuts the connection when the fuse is used up.
func (c *fusedConn) Write(b []byte) (int, error) {
	if c.fuse.left.Add(-1) != 0 {
		return c.Conn.Write(b)
	}
	if half, is := c.Conn.(interface{ CloseWrite() error }); is && c.fuse.sent {
		_, _ = c.Conn.Write(b)
		_ = half.CloseWrite()
		_, _ = io.Copy(io.Discard, c.Conn) // until the server has done it and hangs up
	}
	_ = c.Conn.Close()
	return 0, errors.New("the connection was killed")
}

// feed sends what follows the checkpoint until all is done. It returns how often that failed.
func feed(t *testing.T, e *projections.Engine, all []domain.Recorded, size int) (failures int) {
	t.Helper()
	for {
		at, err := e.Position(t.Context())
		var batch []domain.Recorded
		for _, r := range all {
			if at.Before(r.Position) && len(batch) < size {
				batch = append(batch, r)
			}
		}
		if err == nil {
			if len(batch) == 0 {
				return failures
			}
			err = e.Apply(t.Context(), projections.Batch{After: at, Events: batch})
		}
		if err != nil {
			if failures++; failures > 20 {
				t.Fatalf("it does not recover: %v", err)
			}
		}
	}
}

// TestKillPoints cuts the connection at every request of a projector in turn, with and without the request getting
// through, and starts over from the checkpoint: the rows are those of an undisturbed projector.
func TestKillPoints(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 40)
	clean := db.engine(t, log)
	apply(t, clean, log.all(), 40)
	want := digest(t, clean)
	for _, sent := range []bool{false, true} {
		f := &fuse{sent: sent}
		pool := db.pool(t, "atrium_projector", f.wire)
		for writes := int64(1); ; writes++ {
			e, err := projections.New(pool, log.codec, tables(), projections.Options{Owner: db.owner})
			if err != nil {
				t.Fatal(err)
			}
			db.empty(t, "read")
			f.left.Store(writes)
			failures := feed(t, e, log.all(), 14)
			if d := cmp.Diff(want, digest(t, clean)); d != "" {
				t.Fatalf("killed at request %d (which got through: %v), after %d failures:\n%s", writes, sent, failures, d)
			}
			if failures == 0 && f.left.Load() > 0 {
				t.Logf("%d kill points, requests got through: %v", writes-1, sent)
				break
			}
		}
	}
}

// TestKilledRebuilds cuts a connection of the owner at many requests of a rebuild, starts it again, and compares.
func TestKilledRebuilds(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 100)
	first := db.engine(t, log)
	apply(t, first, log.all(), 100)
	want := digest(t, first)
	f := &fuse{sent: true}
	e, err := projections.New(db.projector, log.codec, tables(), projections.Options{
		Owner: db.pool(t, "atrium_owner", f.wire), Batch: 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	for writes := int64(1); ; writes += 23 {
		f.left.Store(writes)
		_, err := e.Rebuild(t.Context(), log, ignore)
		undisturbed := err == nil && f.left.Load() > 0
		for try := 0; err != nil; try++ {
			if _, err = e.Rebuild(t.Context(), log, ignore); try > 5 {
				t.Fatalf("killed at request %d, it does not recover: %v", writes, err)
			}
		}
		if d := cmp.Diff(want, digest(t, first)); d != "" {
			t.Fatalf("killed at request %d:\n%s", writes, d)
		}
		if undisturbed {
			t.Logf("cut at %d requests of a rebuild", writes/23)
			return
		}
	}
}
