package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/evidencetest"
)

var evidenceFirm = domain.DeriveID("firm of the evidence tests")

func TestEvidence(t *testing.T) {
	evidencetest.Suite(t, func(t *testing.T) evidence.Store { return postgres.NewEvidence(migrated(t).Sealer) })
}

// TestEvidenceOnlyGrows tries what the sealer must not be able to do, and what others must not see.
func TestEvidenceOnlyGrows(t *testing.T) {
	p := migrated(t)
	for _, table := range []string{"log", "leaf", "node", "checkpoint", "cosignature"} {
		for _, statement := range []string{"DELETE FROM evidence.%s", "UPDATE evidence.%s SET ctid = ctid", "TRUNCATE evidence.%s"} {
			_, err := p.Sealer.Exec(t.Context(), fmt.Sprintf(strings.Replace(statement, "ctid = ctid", column(table)+" = 1", 1), table))
			wantError(t, err, "permission denied")
		}
		for _, pool := range []*pgxpool.Pool{p.ClientReader, p.StaffReader, p.App, p.Projector} {
			_, err := pool.Exec(t.Context(), "SELECT FROM evidence."+table)
			wantError(t, err, "permission denied")
		}
	}
}

func column(table string) string {
	if table == "log" {
		return "id"
	}
	return "log"
}

// TestEvidenceTampered changes one row of each table as a superuser could; the monitor names what was changed.
func TestEvidenceTampered(t *testing.T) {
	url := database(t)
	p := connect(t, url)
	if err := p.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	store := postgres.NewEvidence(p.Sealer)
	events := evidencetest.MakeEvents(1, 600, evidenceFirm)
	if err := evidencetest.Seal(t.Context(), evidencetest.NewSealer(store), events, 50); err != nil {
		t.Fatal(err)
	}
	at := func(i int) string { return fmt.Sprintf("revision %d of %s", events[i].Revision, events[i].Stream) }
	for _, c := range []struct {
		change, back string // statements
		what         string
		index        int64
		says         string
	}{
		{"UPDATE evidence.leaf SET hash = set_byte(hash, 3, 255 - get_byte(hash, 3)) WHERE index = 321", "", evidence.EventDiffers, 321, at(321)},
		{"UPDATE evidence.leaf SET revision = revision + 1000 WHERE index = 12", "UPDATE evidence.leaf SET revision = revision - 1000 WHERE index = 12", evidence.EventDiffers, 12, at(12)},
		{"UPDATE evidence.leaf SET index = 7000 WHERE index = 400", "UPDATE evidence.leaf SET index = 400 WHERE index = 7000", evidence.LeafDiffers, 600, "7001"},
		{"UPDATE evidence.node SET hash = set_byte(hash, 3, 255 - get_byte(hash, 3)) WHERE upto = 512 AND level = 9", "", evidence.TreeDiffers, 512, "leaves 0 to 511"},
		{"UPDATE evidence.checkpoint SET signed = set_byte(signed, 60, get_byte(signed, 60) # 1) WHERE size = 150", "", evidence.CheckpointDiffers, 150, "150"},
		{"UPDATE evidence.checkpoint SET size = 149 WHERE size = 150", "UPDATE evidence.checkpoint SET size = 150 WHERE size = 149", evidence.CheckpointDiffers, 149, "149"},
		{"UPDATE evidence.log SET key = 2", "UPDATE evidence.log SET key = 1", evidence.CheckpointDiffers, 50, "signature"},
		{"UPDATE evidence.standing SET commit_pos = 10, prepare_pos = 10", "UPDATE evidence.standing SET commit_pos = 600, prepare_pos = 600", "", 0, ""},
	} {
		exec(t, url, c.change)
		report, err := evidencetest.Monitor(events, store).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		switch d := report.Differences; {
		case c.what == "" && len(d) == 0:
		case len(d) != 1 || d[0].What != c.what || d[0].Index != c.index || !strings.Contains(strings.ToLower(d[0].Text), c.says):
			t.Errorf("%s: the monitor says %+v", c.change, d)
		}
		if c.back == "" {
			c.back = c.change // the other way round
		}
		exec(t, url, c.back)
	}
	report, err := evidencetest.Monitor(events, store).Run(t.Context())
	if err != nil || len(report.Differences) > 0 {
		t.Errorf("after everything was put back: %+v, %v", report, err)
	}
}

// TestEvidenceConnectionsCut cuts the sealer's connections while it works.
func TestEvidenceConnectionsCut(t *testing.T) {
	url := database(t)
	p := connect(t, url)
	if err := p.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	store := postgres.NewEvidence(p.Sealer)
	events := evidencetest.MakeEvents(2, 2000, evidenceFirm, domain.NoID)
	sealed := make(chan struct{})
	go func() {
		defer close(sealed)
		sealer := evidencetest.NewSealer(store)
		for t.Context().Err() == nil {
			if evidencetest.Seal(t.Context(), sealer, events, 20) == nil {
				return
			}
		}
	}()
	cuts := 0
	for tick := time.NewTicker(3 * time.Millisecond); ; <-tick.C {
		select {
		case <-sealed:
		default:
			cuts += value[int](t, url, "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE usename = 'atrium_sealer' AND datname = current_database()")
			continue
		}
		break
	}
	p.Sealer.Reset()
	report, err := evidencetest.Monitor(events, store).Run(t.Context())
	if err != nil || len(report.Differences) > 0 || report.Events != 2000 || report.Leaves != 2000 {
		t.Errorf("after %d cuts: %+v, %v", cuts, report, err)
	}
	if cuts == 0 {
		t.Error("nothing was cut")
	}
}

// BenchmarkSeal seals a backlog; the limit is 20,000 events a second.
func BenchmarkSeal(b *testing.B) {
	ctx := context.Background()
	pools, err := postgres.Connect(ctx, shared.URL(), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer pools.Close()
	if err := pools.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	if _, err := pools.Owner.Exec(ctx, "TRUNCATE evidence.log, evidence.leaf, evidence.node, evidence.checkpoint, evidence.cosignature; UPDATE evidence.standing SET version = 0, commit_pos = 0, prepare_pos = 0"); err != nil {
		b.Fatal(err)
	}
	store := postgres.NewEvidence(pools.Sealer)
	events := evidencetest.MakeEvents(uint64(b.N), b.N, evidenceFirm, domain.NoID)
	b.ResetTimer()
	if err := evidencetest.Seal(ctx, evidencetest.NewSealer(store), events, 4096); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sealed/s")
	begun := b.Elapsed()
	report, err := evidencetest.Monitor(events, store).Run(ctx)
	if err != nil || len(report.Differences) > 0 {
		b.Fatal(report, err)
	}
	b.ReportMetric(float64(b.N)/(b.Elapsed()-begun).Seconds(), "monitored/s")
}
